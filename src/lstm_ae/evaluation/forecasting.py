"""One-step and multi-step forecasts beside persistence and least squares; of the daily high also beside drift, in logs and dollars."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import stdtr

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Split
from lstm_ae.data.stocks import CLOSE, HIGH
from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.model.regression import Autoregression, least_squares
from lstm_ae.package.answers import compute_answers, roll_forward

Array = NDArray[np.float64]
LINES = ("least squares", "least squares within days")
FORECASTERS = ("model", "persistence", "drift", "mean return", *LINES)
LAGS = 10  # days the least-squares lines read
LEVEL = 0.9  # of prediction intervals
RECENT = 20  # steps whose returns tell how far a series moves now: a month of trading


@dataclass(frozen=True)
class Forecast:
    """The truth and what each forecaster said, (N, steps) or (N, steps, m), as errors are to be measured; which of the steps (N, steps)
    count; and the number of each one's day, or other time.
    """

    truth: Array
    said: dict[str, Array]
    scored: NDArray[np.bool_]
    days: NDArray[np.int64]

    def errors(self, steps: slice = slice(None)) -> dict[str, float]:
        """Mean squared error of each forecaster over the scored ones of these steps."""
        scored = self.scored[:, steps]
        truth = self.truth[:, steps][scored]
        return {
            name: float(np.square(said[:, steps][scored] - truth).mean())
            for name, said in self.said.items()
        }

    def skills(self, steps: slice = slice(None)) -> dict[str, float]:
        """Skill over persistence of the model and all others: 1 - MSE / MSE of persistence.

        Raises
        ------
        InputError
            Persistence has no error.
        """
        error = self.errors(steps)
        if not error["persistence"]:
            raise InputError(
                "skill: found a test part in which nothing moves, so that persistence is exact; one that moves is allowed"
            )
        skill = {
            name: 1 - error[name] / error["persistence"]
            for name in self.said
            if name != "persistence"
        }
        return {
            "skill": skill.pop("model"),
            **{f"skill_{_key(name)}": value for name, value in skill.items()},
        }

    def p_values(self) -> dict[str, float]:
        """Two-sided p-value of equal squared errors of the model and each other forecaster, one step ahead (`diebold_mariano`).

        Series of one day move together: a day is one observation, the mean over its series.
        """
        squares = {
            name: np.square(said - self.truth)[self.scored]
            .reshape(self.scored.sum(), -1)
            .mean(axis=1)
            for name, said in self.said.items()
        }
        day = self.days[self.scored]
        counts = np.bincount(day)

        def daily(values: Array) -> Array:
            return np.asarray((np.bincount(day, values) / np.maximum(counts, 1))[counts > 0])

        others = (name for name in squares if name != "model")
        return {
            f"p_value_{_key(name)}": diebold_mariano(daily(squares["model"] - squares[name]))
            for name in others
        }

    def rmse_by_step(self) -> dict[str, Array]:
        """Root mean square error at each step (steps,), by forecaster."""
        errors = [self.errors(slice(step, step + 1)) for step in range(self.truth.shape[1])]
        return {name: np.sqrt([error[name] for error in errors]) for name in self.said}


@dataclass(frozen=True)
class StockForecast(Forecast):
    """Log highs (N, steps), and the volatility known when each was made."""

    volatility: Array

    def dollars(self) -> Forecast:
        """The same in dollars."""
        return Forecast(
            np.exp(self.truth),
            {name: np.exp(said) for name, said in self.said.items()},
            self.scored,
            self.days,
        )

    def scores(self, steps: slice = slice(None)) -> dict[str, float]:
        """Skill over persistence on log highs, and the root mean square error in dollars."""
        dollars = self.dollars().errors(steps)
        return {
            **self.skills(steps),
            "rmse_dollars": dollars["model"] ** 0.5,
            "rmse_dollars_persistence": dollars["persistence"] ** 0.5,
        }

    def interval_scores(self, widths: Array) -> dict[str, float]:
        """Share of the truth within the half widths (N, steps) around the model, and the mean whole width in per cent of the price, of
        the first steps for which there are widths.
        """
        steps = slice(widths.shape[1])
        inside = np.abs(self.said["model"] - self.truth)[:, steps] <= widths
        scored = self.scored[:, steps]
        return {
            "level": LEVEL,
            "coverage": float(inside[scored].mean()),
            "width_percent": float(200 * widths[scored].mean()),
        }


def fit_lines(train: Split, lags: int = LAGS) -> dict[str, Autoregression]:
    """Least squares on that many days of all columns, fitted on the training windows: over all days alike, and where the windows have
    groups within days, near where the prediction head starts.
    """
    assert train.following is not None
    values, following = train.values(), train.following.astype(np.float64)
    groups = (None,) if train.group is None else (None, train.group)
    return {
        name: least_squares(values, following, lags, group)
        for name, group in zip(LINES, groups, strict=False)
    }


def one_step(
    model: LSTMAutoencoder,
    lines: Mapping[str, Autoregression],
    split: Split,
    description: dict[str, Any],
    device: torch.device,
) -> StockForecast:
    """Every scored day of the split forecast from the days before it."""
    predictions = compute_answers(model, split.sequences, device).predictions
    assert predictions is not None and split.first_scored is not None
    log_high, log_close = split.extras["log_high"], split.extras["log_close"]

    def by(line: Autoregression) -> Array:
        early = np.full_like(predictions[:, : line.lags - 1], np.nan)
        return np.concatenate([early, line.predict(split.values())], axis=1)

    persistence = log_high[:, :-1]
    steps = np.arange(predictions.shape[1])[None]
    said = {
        "model": log_close[:, :-1] + unscaled(predictions, description, HIGH),
        "persistence": persistence,
        "drift": persistence + description["means"][CLOSE],
        "mean return": log_close[:, :-1] + description["means"][HIGH],
        **{
            name: log_close[:, :-1] + unscaled(by(line), description, HIGH)
            for name, line in lines.items()
        },
    }
    days = split.extras["start"][:, None] + 1 + steps
    volatility = recent_volatility(unscaled(split.sequences, description, CLOSE))
    return StockForecast(
        log_high[:, 1:], said, steps >= split.first_scored[:, None], days, volatility
    )


def multi_step(
    model: LSTMAutoencoder,
    lines: Mapping[str, Autoregression],
    split: Split,
    description: dict[str, Any],
    device: torch.device,
) -> StockForecast:
    """The rest of each window forecast from its first `fed` days, each forecaster fed its own predictions."""
    fed = description["fed"]
    horizon = split.sequences.shape[1] - fed
    ahead = roll_forward(model, split.sequences[:, :fed], horizon, device)
    past = split.values()[:, :fed]
    log_high, last_close = split.extras["log_high"], split.extras["log_close"][:, fed - 1, None]
    persistence = np.repeat(log_high[:, fed - 1, None], horizon, axis=1)
    said = {
        "model": accumulated(ahead, last_close, description),
        "persistence": persistence,
        "drift": persistence + description["means"][CLOSE] * np.arange(1, horizon + 1),
        "mean return": accumulated(np.zeros_like(ahead), last_close, description),
        **{
            name: accumulated(line.roll_forward(past, horizon), last_close, description)
            for name, line in lines.items()
        },
    }
    days = split.extras["start"][:, None] + fed + np.arange(horizon)
    volatility = np.repeat(
        recent_volatility(unscaled(past, description, CLOSE))[:, -1:], horizon, axis=1
    )
    return StockForecast(
        log_high[:, fed:], said, np.ones_like(persistence, dtype=bool), days, volatility
    )


def _key(forecaster: str) -> str:
    return forecaster.replace(" ", "_")


def diebold_mariano(differences: Array) -> float:
    """Two-sided p-value of a mean of zero for a series (days,) of one-step loss differences (Diebold and Mariano 1995).

    The variance is that of Newey and West (1987) with floor(4 (n / 100)^(2 / 9)) lags, the statistic corrected for a small n and
    referred to Student's t with n - 1 degrees of freedom (Harvey, Leybourne and Newbold 1997). 1 where all errors are the same.
    """
    n = len(differences)
    centred = differences - differences.mean()
    lags = int(4 * (n / 100) ** (2 / 9))
    covariances = [centred[lag:] @ centred[: n - lag] / n for lag in range(lags + 1)]
    variance = covariances[0] + 2 * sum(
        (1 - lag / (lags + 1)) * covariances[lag] for lag in range(1, lags + 1)
    )
    if not variance > 0:
        return 1.0
    statistic = differences.mean() / np.sqrt(variance / n) * np.sqrt((n - 1) / n)
    return float(2 * stdtr(n - 1, -abs(statistic)))


def recent_volatility(returns: Array) -> Array:
    """Root mean square of the last log returns, up to `RECENT`, at each step: (N, T, ...) to (N, T, ...)."""
    sums = np.cumsum(np.square(returns), axis=1)
    sums[:, RECENT:] -= sums[:, :-RECENT].copy()
    known = np.minimum(np.arange(1, returns.shape[1] + 1), RECENT).reshape(
        -1, *[1] * (returns.ndim - 2)
    )
    return np.sqrt(np.asarray((sums / known).clip(1e-12)))


def unscaled(standard: Array, description: dict[str, Any], column: int) -> Array:
    """One column of standardised returns (N, T, 5) as log returns (N, T)."""
    return np.asarray(
        standard[:, :, column] * description["scales"][column] + description["means"][column]
    )


def accumulated(standard: Array, last_close: Array, description: dict[str, Any]) -> Array:
    """Predicted returns (N, steps, 5) after a log close (N, 1) as log highs (N, steps)."""
    closes = last_close + np.cumsum(unscaled(standard, description, CLOSE), axis=1)
    before = np.concatenate([last_close, closes[:, :-1]], axis=1)
    return np.asarray(before + unscaled(standard, description, HIGH))
