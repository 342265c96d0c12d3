"""Forecasts one step ahead and fed back over many, beside persistence and least squares.

Shapes: N windows, H steps that are forecast, m variables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Split
from lstm_ae.model.regression import Autoregression, least_squares
from lstm_ae.package.answers import compute_answers, roll_forward
from lstm_ae.package.package import Package
from lstm_ae.units.layout import (
    Layout,
    last_base,
    local_scale,
    predictions_to_units,
    to_comparable,
    to_units,
)

Array = NDArray[np.float64]
LINES = ("least squares", "least squares within days")
LAGS = 10  # steps that the least-squares lines read
LEVEL = 0.9  # of prediction intervals


@dataclass(frozen=True)
class Forecast:
    """The truth and the forecast of each forecaster.

    Parameters
    ----------
    truth
        (N, H) or (N, H, m).
    forecasts
        By forecaster, of the same shape.
    scored
        (N, H): the steps that count.
    times
        (N, H) int64, the time of each step.
    local_scale
        (N, H) or (N, H, m): how far the series moved when each forecast was made, the unit of the
        half widths of `Calibration`.
    """

    truth: Array
    forecasts: dict[str, Array]
    scored: NDArray[np.bool_]
    times: NDArray[np.int64]
    local_scale: Array

    @property
    def horizon(self) -> int:
        """The number H of steps that are forecast."""
        return self.truth.shape[1]

    def variable(self, place: int) -> "Forecast":
        """The forecast of one of the m variables."""
        forecasts = {name: values[:, :, place] for name, values in self.forecasts.items()}
        return replace(
            self,
            truth=self.truth[:, :, place],
            forecasts=forecasts,
            local_scale=self.local_scale[:, :, place],
        )

    def comparable(self, layout: Layout) -> "Forecast":
        """The forecast in a measure in which errors of several variables may be averaged."""
        forecasts = {name: to_comparable(values, layout) for name, values in self.forecasts.items()}
        return replace(
            self,
            truth=to_comparable(self.truth, layout),
            forecasts=forecasts,
        )

    def errors(self, steps: slice = slice(None)) -> dict[str, float]:
        """Mean squared error of each forecaster over the scored ones of these steps."""
        scored = self.scored[:, steps]
        truth = self.truth[:, steps][scored]
        errors = {}
        for name, values in self.forecasts.items():
            errors[name] = float(np.square(values[:, steps][scored] - truth).mean())
        return errors

    def skills(self, steps: slice = slice(None)) -> dict[str, float]:
        """Skill over persistence, 1 - MSE / MSE of persistence, of the model and all others.

        Raises
        ------
        InputError
            Persistence has no error.
        """
        errors = self.errors(steps)
        persistence = errors.pop("persistence")
        if not persistence:
            raise InputError(
                "skill: nothing moves in the test part, so persistence is exact and no skill over "
                "it can be told; split the table so that test has steps that move"
            )
        skills = {"skill": 1 - errors.pop("model") / persistence}
        for name, error in errors.items():
            skills[f"skill_{_key(name)}"] = 1 - error / persistence
        return skills

    def p_values(self) -> dict[str, float]:
        """Two-sided p-values of equal squared errors of the model and each other forecaster.

        They are those of `diebold_mariano`, for forecasts of one step. Series of one time move
        together: a time is one observation, the mean over its series.
        """
        _, time_of = np.unique(self.times[self.scored], return_inverse=True)
        counts = np.bincount(time_of)
        squares = {}
        for name, values in self.forecasts.items():
            errors = (values - self.truth)[self.scored]
            squares[name] = np.square(errors).reshape(len(errors), -1).mean(axis=1)
        model = squares.pop("model")
        p_values = {}
        for name, others in squares.items():
            differences = np.bincount(time_of, model - others) / counts
            p_values[f"p_value_{_key(name)}"] = diebold_mariano(differences)
        return p_values

    def by_horizon(self) -> list[dict[str, float]]:
        """The skills at each horizon, from 1."""
        steps = range(self.horizon)
        return [{"horizon": step + 1, **self.skills(slice(step, step + 1))} for step in steps]

    def rmse_by_horizon(self) -> dict[str, Array]:
        """Root mean square error (H,) at each horizon, by forecaster."""
        errors = [self.errors(slice(step, step + 1)) for step in range(self.horizon)]
        rmse = {}
        for name in self.forecasts:
            rmse[name] = np.sqrt([by_forecaster[name] for by_forecaster in errors])
        return rmse

    def rmse(self) -> dict[str, float]:
        """Root mean square error over all horizons, by forecaster."""
        return {name: error**0.5 for name, error in self.errors().items()}

    def coverage(self, half_widths: Array) -> float:
        """Share of the truth within intervals around the model's forecast.

        Parameters
        ----------
        half_widths
            (h,) or (h, m) in units of `local_scale`, of the first h steps.
        """
        steps = slice(len(half_widths))
        errors = np.abs(self.forecasts["model"] - self.truth)[:, steps]
        inside = errors <= self.local_scale[:, steps] * half_widths[: errors.shape[1]]
        return float(inside[self.scored[:, steps]].mean())


def fit_lines(train: Split, lags: int = LAGS) -> dict[str, Autoregression]:
    """Least squares on the last steps of all variables, fitted on the training windows.

    It is fitted over all steps alike, and where the windows have groups within each time as well,
    near where the prediction head starts.
    """
    assert train.following is not None
    values, following = train.values(), train.following.astype(np.float64)
    lines = {LINES[0]: least_squares(values, following, lags, None)}
    if train.group is not None:
        lines[LINES[1]] = least_squares(values, following, lags, train.group)
    return lines


def mean_step(features: int) -> Autoregression:
    """The forecaster of no surprise: each step is the mean of training, 0 as the model reads it."""
    return Autoregression(np.zeros(features), np.zeros((1, features, features)))


def window_values(split: Split, layout: Layout) -> Array:
    """The windows, and the step after each where there is one, in the units of the table."""
    assert split.base is not None
    values = to_units(split.sequences, split.base, layout)
    if split.following is None:
        return values
    base = last_base(split.sequences, split.base, layout)
    after = to_units(split.following[:, None], base, layout)
    return np.concatenate([values, after], axis=1)


def one_step(
    package: Package,
    lines: Mapping[str, Autoregression],
    split: Split,
) -> Forecast:
    """Each step of the windows but the first, forecast from those before it.

    The forecast is in the units of the table, (N, H, m) with H as many steps as `window_values` has
    after the first.
    """
    layout = package.layout
    predictions = compute_answers(package.model, split.sequences, package.device).predictions
    assert predictions is not None and split.first_scored is not None
    assert split.base is not None and split.times is not None
    values = window_values(split, layout)
    horizon = values.shape[1] - 1
    scaled = {"model": predictions}
    for name, line in lines.items():
        early = np.full_like(predictions[:, : line.lags - 1], np.nan)
        scaled[name] = np.concatenate([early, line.predict(split.values())], axis=1)
    forecasts = {}
    for name, steps in scaled.items():
        in_units = predictions_to_units(
            steps,
            split.sequences,
            split.base,
            layout,
        )
        forecasts[name] = in_units[:, :horizon]
    return Forecast(
        truth=values[:, 1:],
        forecasts=forecasts | {"persistence": values[:, :-1]},
        scored=np.arange(horizon) >= split.first_scored[:, None],
        times=split.times[:, 1:],
        local_scale=local_scale(split.sequences, layout)[:, :horizon],
    )


def multi_step(
    package: Package,
    lines: Mapping[str, Autoregression],
    split: Split,
) -> Forecast:
    """The last steps of each window forecast from those before, each forecaster fed its own.

    The steps up to `split.first_scored` are fed. The forecast is in the units of the table.
    """
    layout = package.layout
    assert split.first_scored is not None
    assert split.base is not None and split.times is not None
    values = window_values(split, layout)
    fed = int(split.first_scored[0]) + 1
    horizon = values.shape[1] - fed
    past = split.sequences[:, :fed]
    base = last_base(past, split.base, layout)
    scaled = {"model": roll_forward(package.model, past, horizon, package.device)}
    for name, line in lines.items():
        scaled[name] = line.roll_forward(past.astype(np.float64), horizon)
    forecasts = {name: to_units(steps, base, layout) for name, steps in scaled.items()}
    persistence = np.repeat(values[:, fed - 1, None], horizon, axis=1)
    return Forecast(
        truth=values[:, fed:],
        forecasts=forecasts | {"persistence": persistence},
        scored=np.ones((len(split), horizon), bool),
        times=split.times[:, fed:],
        local_scale=np.repeat(local_scale(past, layout)[:, -1:], horizon, axis=1),
    )


def diebold_mariano(differences: Array) -> float:
    """Two-sided p-value of a mean of zero for one-step loss differences (days,).

    The test is that of Diebold and Mariano (1995). The variance is that of Newey and West (1987)
    with floor(4 (n / 100)^(2 / 9)) lags, the statistic corrected for a small n and referred to
    Student's t with n - 1 degrees of freedom (Harvey, Leybourne and Newbold 1997). The p-value is 1
    where all errors are the same.
    """
    n = len(differences)
    centred = differences - differences.mean()
    lags = int(4 * (n / 100) ** (2 / 9))
    covariances = [centred[lag:] @ centred[: n - lag] / n for lag in range(lags + 1)]
    weighted = [(1 - lag / (lags + 1)) * covariances[lag] for lag in range(1, lags + 1)]
    variance = covariances[0] + 2 * sum(weighted)
    if not variance > 0:
        return 1.0
    statistic = differences.mean() / np.sqrt(variance / n) * np.sqrt((n - 1) / n)
    return float(2 * stdtr(n - 1, -abs(statistic)))


def _key(forecaster: str) -> str:
    return forecaster.replace(" ", "_")
