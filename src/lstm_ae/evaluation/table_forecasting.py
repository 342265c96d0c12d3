"""Forecasts of a person's own series: one step ahead, and fed back over the last steps of each window."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from lstm_ae.core.splits import Split
from lstm_ae.data.table import Layout, comparable, horizon, last_base, unscaled, unscaled_next
from lstm_ae.evaluation.forecasting import Forecast
from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.model.regression import Autoregression
from lstm_ae.package.answers import compute_answers, roll_forward

Array = NDArray[np.float64]


def all_steps(split: Split, layout: Layout) -> Array:
    """The windows and the step after each in the units of the table: (N, T + 1, m)."""
    assert split.following is not None
    values = unscaled(split.sequences, split.extras["base"], layout)
    after = last_base(split.sequences, split.extras["base"], layout)
    return np.concatenate([values, unscaled(split.following[:, None], after, layout)], axis=1)


def one_step(
    model: LSTMAutoencoder,
    lines: dict[str, Autoregression],
    split: Split,
    layout: Layout,
    device: torch.device,
) -> Forecast:
    """Each step of the windows but the first forecast from those before it, in the units of the table: (N, T, m)."""
    predictions = compute_answers(model, split.sequences, device).predictions
    assert predictions is not None and split.first_scored is not None
    values, base = all_steps(split, layout), split.extras["base"]

    def by(line: Autoregression) -> Array:
        early = np.full_like(predictions[:, : line.lags - 1], np.nan)
        return np.concatenate([early, line.predict(split.values())], axis=1)

    scaled = {"model": predictions, **{name: by(line) for name, line in lines.items()}}
    said = {
        name: unscaled_next(steps, split.sequences, base, layout) for name, steps in scaled.items()
    }
    return Forecast(
        values[:, 1:],
        said | {"persistence": values[:, :-1]},
        np.arange(predictions.shape[1]) >= split.first_scored[:, None],
        np.unique(split.extras["times"], return_inverse=True)[1].reshape(
            split.extras["times"].shape
        )[:, 1:],
    )


def multi_step(
    model: LSTMAutoencoder,
    lines: dict[str, Autoregression],
    split: Split,
    layout: Layout,
    device: torch.device,
) -> Forecast:
    """The last steps of each window and the one after it forecast from the steps before, each forecaster fed its own predictions, in the
    units of the table: (N, T // 2, m).
    """
    assert split.first_scored is not None
    ahead = horizon(layout.window)
    fed = layout.window + 1 - ahead
    past, values = split.sequences[:, :fed], all_steps(split, layout)
    base = last_base(past, split.extras["base"], layout)
    scaled = {"model": roll_forward(model, past, ahead, device)}
    scaled |= {
        name: line.roll_forward(past.astype(np.float64), ahead) for name, line in lines.items()
    }
    said = {name: unscaled(steps, base, layout) for name, steps in scaled.items()}
    return Forecast(
        values[:, fed:],
        said | {"persistence": np.repeat(values[:, fed - 1, None], ahead, axis=1)},
        np.arange(fed - 1, fed - 1 + ahead) >= split.first_scored[:, None],
        np.unique(split.extras["times"], return_inverse=True)[1].reshape(
            split.extras["times"].shape
        )[:, fed:],
    )


def compared(forecast: Forecast, layout: Layout) -> Forecast:
    """A forecast as errors of several variables can be put together (`comparable`)."""
    said = {name: comparable(values, layout) for name, values in forecast.said.items()}
    return replace(forecast, truth=comparable(forecast.truth, layout), said=said)
