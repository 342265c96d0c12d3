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
from lstm_ae.objectives import EVALUATION_BATCH

Array = NDArray[np.float64]
FORECASTERS = ("model", "persistence", "drift", "least squares")
LAGS = 10  # days the least-squares line reads


@dataclass(frozen=True)
class Forecast:
    """Log highs, arrays of one shape (N, steps): the truth, what each of `FORECASTERS` said, and which of the steps count."""

    truth: Array
    said: dict[str, Array]
    scored: NDArray[np.bool_]

    def errors(self, steps: slice = slice(None), dollars: bool = False) -> dict[str, float]:
        """Mean squared error of each forecaster over the scored ones of these steps, of logs or of dollars."""
        scored = self.scored[:, steps]
        scale = np.exp if dollars else np.asarray
        truth = scale(self.truth[:, steps][scored])
        return {name: float(np.square(scale(said[:, steps][scored]) - truth).mean()) for name, said in self.said.items()}

    def scores(self, steps: slice = slice(None)) -> dict[str, float]:
        """Skill over persistence of the model, least squares and drift, and the root mean square error in dollars.

        skill = 1 - MSE / MSE of persistence, on log highs.
        """
        error, dollars = self.errors(steps), self.errors(steps, dollars=True)
        return {
            "skill": 1 - error["model"] / error["persistence"],
            "skill_least_squares": 1 - error["least squares"] / error["persistence"],
            "skill_drift": 1 - error["drift"] / error["persistence"],
            "rmse_dollars": dollars["model"] ** 0.5,
            "rmse_dollars_persistence": dollars["persistence"] ** 0.5,
        }

    def rmse_by_step(self) -> dict[str, Array]:
        """Root mean square error of the logs at each step (steps,), by forecaster."""
        errors = [self.errors(slice(step, step + 1)) for step in range(self.truth.shape[1])]
        return {name: np.sqrt([error[name] for error in errors]) for name in self.said}


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
    said = {
        "model": log_close[:, :-1] + unscaled(predictions, description, HIGH),
        "persistence": persistence,
        "drift": persistence + description["means"][CLOSE],
        "least squares": log_close[:, :-1] + unscaled(by_line, description, HIGH),
    }
    return Forecast(log_high[:, 1:], said, scored)


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
    said = {
        "model": accumulated(rolled, last_close, description),
        "persistence": persistence,
        "drift": persistence + description["means"][CLOSE] * np.arange(1, horizon + 1),
        "least squares": accumulated(by_line, last_close, description),
    }
    return Forecast(log_high[:, fed:], said, np.ones_like(persistence, dtype=bool))


def unscaled(standard: Array, description: dict[str, Any], column: int) -> Array:
    """One column of standardised returns (N, T, 5) as log returns (N, T)."""
    return np.asarray(standard[:, :, column] * description["scales"][column] + description["means"][column])


def accumulated(standard: Array, last_close: Array, description: dict[str, Any]) -> Array:
    """Predicted returns (N, steps, 5) after a log close (N, 1) as log highs (N, steps)."""
    closes = last_close + np.cumsum(unscaled(standard, description, CLOSE), axis=1)
    before = np.concatenate([last_close, closes[:, :-1]], axis=1)
    return np.asarray(before + unscaled(standard, description, HIGH))
