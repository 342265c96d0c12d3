"""What the validation split says of a model's errors: thresholds, p-values, intervals."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Split
from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.package.answers import compute_answers, roll_forward
from lstm_ae.units.layout import Layout, local_scale, to_comparable, to_units

Array = NDArray[np.float64]

PERCENTS = range(50, 100)  # the levels of prediction intervals
ORIGINS = 20_000  # forecasts that calibrate them: more tell no more


@dataclass(frozen=True)
class Calibration:
    """What the validation split, which no weight was fitted to, says of a model's errors.

    Where it lies after training in time and the next step is predicted, its first windows begin
    with steps of training.

    Parameters
    ----------
    errors
        (n,) of its windows (`window_errors`), rising.
    widths
        (50, H, m) half widths of the prediction intervals of 50 % to 99 %, by horizon and variable
        (`interval_widths`), infinite where validation is too short to tell. None: the model does
        not predict.
    """

    errors: Array
    widths: Array | None

    def threshold(self, false_alarms: float) -> float:
        """The error that at most this share of windows like those of validation exceeds.

        It is the split-conformal quantile of the validation errors (Vovk et al. 2005).

        Raises
        ------
        InputError
            The share is not above 0 and below 1, or less than one in n + 1.
        """
        count = len(self.errors)
        if not 1 / (count + 1) <= false_alarms < 1:
            raise InputError(
                f"false alarms: found {false_alarms:g}; {count} validation windows can tell shares "
                f"of at least 1 in {count + 1}, and below 1"
            )
        return float(self.errors[conformal_rank(count, 1 - false_alarms) - 1])

    def p_values(self, errors: Array) -> Array:
        """The share of validation windows with an error at least as large, for each of (N,).

        The window itself is counted with them (Bates et al. 2023).
        """
        above = len(self.errors) - np.searchsorted(self.errors, errors, side="left")
        return np.asarray((1 + above) / (1 + len(self.errors)))

    def half_widths(self, level: float) -> Array:
        """Half widths (h, m) of the intervals of a level, in units of `local_scale`.

        There are as many horizons h as validation can tell.

        Raises
        ------
        InputError
            The level is no whole per cent from 50 to 99.
        """
        assert self.widths is not None
        percent = round(100 * level) if 0 <= level <= 1 else 0
        if percent not in PERCENTS or abs(100 * level - percent) > 1e-9:
            raise InputError(
                f"level: found {level:g}; intervals are known for 0.5, 0.51 and so on to 0.99"
            )
        widths = self.widths[percent - PERCENTS[0]]
        return np.asarray(widths[np.isfinite(widths).all(axis=1)])


def calibrate(
    model: LSTMAutoencoder,
    validation: Split,
    layout: Layout,
    device: torch.device,
) -> Calibration:
    """Errors of the validation windows, and widths of intervals where the model predicts."""
    reconstruction = compute_answers(model, validation.sequences, device).reconstruction
    errors = np.sort(window_errors(validation.values(), reconstruction))
    widths = interval_widths(model, validation, layout, device) if layout.predict else None
    return Calibration(errors, widths)


def window_errors(sequences: Array, reconstruction: Array) -> Array:
    """Mean squared error (N,) of each window (N, T, m), scaled as the model reads it."""
    return np.asarray(np.square(reconstruction - sequences).mean(axis=(1, 2)))


def interval_widths(
    model: LSTMAutoencoder,
    validation: Split,
    layout: Layout,
    device: torch.device,
) -> Array:
    """Half widths (50, H, m) of prediction intervals: split conformal (Lei et al. 2018).

    They are scaled by `local_scale`. The model is rolled forward from steps of the validation
    windows, evenly spaced, over the scored steps after each; H is how far those reach. These days
    chose the epoch and the search, so that their errors are a little small, and series that move
    together are no independent observations: evaluate states the coverage on test.
    """
    residuals = _scaled_residuals(model, validation, layout, device)
    unseen = np.full((1, layout.features), np.inf)  # worse than all that were seen
    widths = np.empty((len(PERCENTS), len(residuals), layout.features))
    for horizon, parts in enumerate(residuals):
        ordered = np.sort(np.concatenate([*parts, unseen]), axis=0)
        for place, percent in enumerate(PERCENTS):
            widths[place, horizon] = ordered[conformal_rank(len(ordered) - 1, percent / 100) - 1]
    return widths


def _scaled_residuals(
    model: LSTMAutoencoder,
    validation: Split,
    layout: Layout,
    device: torch.device,
) -> list[list[Array]]:
    """For each horizon the absolute errors (n, m) of forecasts in units of `local_scale`."""
    assert validation.following is not None and validation.first_scored is not None
    steps = np.concatenate([validation.sequences, validation.following[:, None]], axis=1)
    first = int(validation.first_scored.min()) + 1
    end = layout.window + 1
    stride = math.ceil(len(steps) * (end - first) / ORIGINS)
    residuals: list[list[Array]] = [[] for _ in range(end - first)]
    for fed in tqdm(range(first, end, stride), "intervals", disable=None):
        rows = steps[validation.first_scored < fed]
        past, future = rows[:, :fed], rows[:, fed:]
        forecast = roll_forward(model, past, end - fed, device)
        errors = _log_or_scaled(forecast, layout) - _log_or_scaled(future, layout)
        scaled = np.abs(errors) / local_scale(past, layout)[:, -1, None]
        for horizon in range(end - fed):
            residuals[horizon].append(scaled[:, horizon])
    return residuals


def _log_or_scaled(steps: NDArray[Any], layout: Layout) -> Array:
    """Steps (N, t, m) after a common origin, as `to_comparable` measures them."""
    origin = np.zeros((len(steps), layout.features))
    return to_comparable(to_units(steps, origin, layout), layout)


def conformal_rank(count: int, level: float) -> int:
    """Rank k, from 1, of the split-conformal quantile among `count` sorted scores.

    It is the smallest k with k / (count + 1) >= level; count + 1 means that there is none.
    """
    return math.ceil(round((count + 1) * level, 9))
