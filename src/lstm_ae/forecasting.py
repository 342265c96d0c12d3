"""One-step and multi-step forecasts of the daily high, scored in logs and dollars beside persistence, drift and least squares."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lstm_ae.baselines import Autoregression, least_squares
from lstm_ae.datasets.base import Split
from lstm_ae.datasets.stocks import CLOSE, HIGH
from lstm_ae.evaluation import answers
from lstm_ae.model import LSTMAutoencoder
from lstm_ae.training import EVALUATION_BATCH

Array = NDArray[np.float64]
LAGS = 10  # days the least-squares line reads


@dataclass(frozen=True)
class Forecast:
    """Log highs: the truth and what each forecaster said, arrays of one shape (N, steps); `scored` marks the days that count."""

    truth: Array
    model: Array
    persistence: Array
    drift: Array
    least_squares: Array
    scored: NDArray[np.bool_]

    def scores(self, steps: slice = slice(None)) -> dict[str, float]:
        """Skill over persistence of the model, least squares and drift, and the model's error in dollars.

        skill = 1 - MSE / MSE of persistence, on log highs.
        """
        scored = self.scored[:, steps]
        truth = self.truth[:, steps][scored]

        def error(forecast: Array) -> float:
            return float(np.square(forecast[:, steps][scored] - truth).mean())

        persistence = error(self.persistence)
        dollars = np.exp(self.model[:, steps][scored]) - np.exp(truth)
        persistence_dollars = np.exp(self.persistence[:, steps][scored]) - np.exp(truth)
        return {
            "skill": 1 - error(self.model) / persistence,
            "skill_least_squares": 1 - error(self.least_squares) / persistence,
            "skill_drift": 1 - error(self.drift) / persistence,
            "rmse_dollars": float(np.sqrt(np.square(dollars).mean())),
            "rmse_dollars_persistence": float(np.sqrt(np.square(persistence_dollars).mean())),
        }


def fit_least_squares(train: Split) -> Autoregression:
    """The least-squares line on ten days of all columns, fitted on the training windows."""
    assert train.following is not None
    return least_squares(train.values(), train.following.astype(np.float64), LAGS)


def one_step(model: LSTMAutoencoder, line: Autoregression, split: Split, description: dict[str, Any], device: torch.device) -> Forecast:
    """Every scored day of the split forecast from the days before it."""
    predictions = answers(model, split.sequences, device).predictions
    assert predictions is not None and split.first_scored is not None
    log_high, log_close = split.extras["log_high"], split.extras["log_close"]
    by_line = np.full_like(predictions, np.nan)
    by_line[:, line.lags - 1 :] = line.predict(split.values())
    persistence = log_high[:, :-1]
    scored = np.arange(predictions.shape[1])[None] >= split.first_scored[:, None]
    return Forecast(
        truth=log_high[:, 1:],
        model=log_close[:, :-1] + unscaled(predictions, description, HIGH),
        persistence=persistence,
        drift=persistence + description["means"][CLOSE],
        least_squares=log_close[:, :-1] + unscaled(by_line, description, HIGH),
        scored=scored,
    )


@torch.no_grad()
def multi_step(model: LSTMAutoencoder, line: Autoregression, split: Split, description: dict[str, Any], device: torch.device) -> Forecast:
    """The rest of each window forecast from its first `fed` days, each forecaster fed its own predictions."""
    fed = description["fed"]
    horizon = split.sequences.shape[1] - fed
    model = model.to(device).eval()
    batches = torch.from_numpy(split.sequences[:, :fed]).split(EVALUATION_BATCH)
    rolled = torch.cat([model.roll_forward(batch.to(device), horizon) for batch in batches]).double().cpu().numpy()
    by_line = line.roll_forward(split.values()[:, :fed], horizon)
    log_high, last_close = split.extras["log_high"], split.extras["log_close"][:, fed - 1, None]
    persistence = np.repeat(log_high[:, fed - 1, None], horizon, axis=1)
    return Forecast(
        truth=log_high[:, fed:],
        model=accumulated(rolled, last_close, description),
        persistence=persistence,
        drift=persistence + description["means"][CLOSE] * np.arange(1, horizon + 1),
        least_squares=accumulated(by_line, last_close, description),
        scored=np.ones_like(persistence, dtype=bool),
    )


def unscaled(standard: Array, description: dict[str, Any], column: int) -> Array:
    """One column of standardised returns (N, T, 5) as log returns (N, T)."""
    return np.asarray(standard[:, :, column] * description["scales"][column] + description["means"][column])


def accumulated(standard: Array, last_close: Array, description: dict[str, Any]) -> Array:
    """Predicted returns (N, steps, 5) after a log close (N, 1) as log highs (N, steps)."""
    closes = last_close + np.cumsum(unscaled(standard, description, CLOSE), axis=1)
    before = np.concatenate([last_close, closes[:, :-1]], axis=1)
    return np.asarray(before + unscaled(standard, description, HIGH))
