"""Forecasts one step ahead and fed back over many, beside persistence and least squares.

Shapes: N windows, H steps that are forecast, m variables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Split
from lstm_ae.evaluation.significance import clark_west, diebold_mariano, skill_interval
from lstm_ae.model.regression import (
    AVERAGES,
    LAGS,
    Autoregression,
    beside,
    last_steps,
    least_squares,
    moving_averages,
)
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
LINES = ("least squares", "least squares within days", "within 20 days", "long averages")
BOOSTING = "gradient boosting"
MORE_LAGS = 20
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
    expected_error
        (N, H) or (N, H, m): what was expected of the next step when each forecast was made, the
        unit of the intervals of `Calibration`.
    """

    truth: Array
    forecasts: dict[str, Array]
    scored: NDArray[np.bool_]
    times: NDArray[np.int64]
    expected_error: Array

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
            expected_error=self.expected_error[:, :, place],
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
            of_forecaster = values[:, steps][scored] - truth
            errors[name] = float(np.square(of_forecaster).mean())
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
        """Whether the model is better than each other forecaster, for forecasts of one step.

        `p_value_` is two-sided (`diebold_mariano`), `p_value_nested_` one-sided, of a line that the
        model could be (`clark_west`). Series of one time move together: a time is one observation,
        the mean over its series.
        """
        truth = self.truth
        model = self.forecasts["model"]
        of_model = self._by_time(model - truth)
        p_values = {}
        for name, values in self.forecasts.items():
            if name == "model":
                continue
            of_other = self._by_time(values - truth)
            key = _key(name)
            p_values[f"p_value_{key}"] = diebold_mariano(of_model - of_other)
            if name in LINES:
                apart = self._by_time(values - model)
                p_values[f"p_value_nested_{key}"] = clark_west(of_other, of_model, apart)
        return p_values

    def interval(self) -> dict[str, float]:
        """The 95 % interval of the skill over persistence, for forecasts of one step."""
        errors = {
            name: self._by_time(self.forecasts[name] - self.truth, total=True)
            for name in ("model", "persistence")
        }
        low, high = skill_interval(errors["model"], errors["persistence"])
        return {"low": low, "high": high}

    def _by_time(self, errors: Array, total: bool = False) -> Array:
        """The mean square of errors (N, H) or (N, H, m) at each scored time, or its sum."""
        squares = np.square(errors[self.scored])
        by_row = squares.reshape(len(squares), -1).mean(axis=1)
        _, time_of = np.unique(self.times[self.scored], return_inverse=True)
        sums = np.bincount(time_of, by_row).astype(np.float64)
        return sums if total else np.asarray(sums / np.bincount(time_of))

    def by_horizon(self) -> list[dict[str, float]]:
        """The skills at each horizon, from 1."""
        by_horizon = []
        for step in range(self.horizon):
            skills = self.skills(slice(step, step + 1))
            by_horizon.append({"horizon": step + 1, **skills})
        return by_horizon

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

    def beyond(self, ends: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether the truth lies below, and above, the model's intervals of the first h steps.

        Parameters
        ----------
        ends
            (2, h) or (2, h, m) in units of `expected_error`.

        Returns
        -------
        (N, h) or (N, h, m) each.
        """
        steps = slice(ends.shape[1])
        errors = (self.truth - self.forecasts["model"])[:, steps]
        unit = self.expected_error[:, steps]
        low, high = ends[:, : errors.shape[1]]
        return errors < unit * low, errors > unit * high

    def coverage(self, ends: Array) -> float:
        """Share of the scored truth within intervals around the model's forecast (`beyond`)."""
        below, above = self.beyond(ends)
        inside = ~(below | above)
        return float(inside[self.scored[:, : inside.shape[1]]].mean())


class Forecaster(Protocol):
    """What gives the next step of windows.

    Parameters
    ----------
    lags
        How many steps it must know.
    """

    @property
    def lags(self) -> int: ...

    def predict(self, sequences: Array) -> Array:
        """Predict the step after each of the last T - lags + 1 steps of (N, T, m)."""
        ...


def known_steps(split: Split) -> int:
    """How many steps each scored step of a split has behind it at least."""
    assert split.first_scored is not None
    return int(split.first_scored.min()) + 1


def fit_lines(train: Split, known: int) -> dict[str, Autoregression]:
    """Least squares on the last steps of all variables, fitted on the training windows.

    It is fitted over all steps alike, and where the windows have groups within each time as well:
    on as many steps as the prediction head starts from, on more, and with averages of many.

    Parameters
    ----------
    known
        Steps that each forecast has behind it at least; no line reads more.
    """
    assert train.following is not None
    values = train.values()
    following = train.following.astype(np.float64)

    def line(weights: Array, within: bool = True) -> Autoregression:
        group = train.group if within else None
        return least_squares(values, following, weights, group)

    recent = last_steps(min(LAGS, known))
    lines = {LINES[0]: line(recent, within=False)}
    if train.group is not None:
        lines[LINES[1]] = line(recent)
        lines[LINES[2]] = line(last_steps(min(MORE_LAGS, known)))
    averages = [steps for steps in AVERAGES if steps <= known]
    if averages:
        lines[LINES[3]] = line(beside(recent, moving_averages(averages)))
    return lines


def mean_step(features: int) -> Autoregression:
    """The forecaster of no surprise: each step is the mean of training, 0 as the model reads it."""
    return Autoregression(
        intercept=np.zeros(features),
        slopes=np.zeros((1, features, features)),
        weights=last_steps(1),
    )


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
    lines: Mapping[str, Forecaster],
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
        later = line.predict(split.values())
        scaled[name] = np.concatenate([early, later], axis=1)
    forecasts = {}
    for name, steps in scaled.items():
        in_units = predictions_to_units(
            steps,
            split.sequences,
            split.base,
            layout,
        )
        forecasts[name] = in_units[:, :horizon]
    scale = local_scale(split.sequences, layout)
    return Forecast(
        truth=values[:, 1:],
        forecasts=forecasts | {"persistence": values[:, :-1]},
        scored=np.arange(horizon) >= split.first_scored[:, None],
        times=split.times[:, 1:],
        expected_error=package.calibration.expected_error(scale[:, :horizon]),
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
    expected = package.calibration.expected_error(local_scale(past, layout)[:, -1:])
    return Forecast(
        truth=values[:, fed:],
        forecasts=forecasts | {"persistence": persistence},
        scored=np.ones((len(split), horizon), bool),
        times=split.times[:, fed:],
        expected_error=np.repeat(expected, horizon, axis=1),
    )


def _key(forecaster: str) -> str:
    return forecaster.replace(" ", "_")
