"""The study of a person's own series, in the units of their table."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lstm_ae.core.splits import Split
from lstm_ae.evaluation import figures, forecasting
from lstm_ae.evaluation.explorer import View
from lstm_ae.evaluation.forecasting import Forecast
from lstm_ae.evaluation.metrics import scored_steps
from lstm_ae.evaluation.studies.case import Case, Findings
from lstm_ae.units.layout import Layout, to_units
from lstm_ae.units.windows import time_label

Array = NDArray[np.float64]

SHARES = (0.25, 0.5, 0.9)  # of the windows that are better than each one shown


def study(case: Case) -> Findings:
    """Errors by variable, windows over their reconstructions, forecasts where asked for."""
    test = case.test
    layout = case.package.layout
    assert test.base is not None
    truth = to_units(test.sequences, test.base, layout)
    reconstruction = to_units(case.answers.reconstruction, test.base, layout)
    metrics: dict[str, Any] = {
        "columns": errors_in_units((reconstruction - truth)[scored_steps(test)], layout)
    }
    several = f" of {layout.features}" if layout.features > 1 else ""
    title = f"A code of {case.metrics['code_size']} numbers for {layout.window} steps{several}"
    lines = {"original": truth, "reconstruction": reconstruction}
    panels = shown_windows(case, test, window_errors(case), lines)
    drawn = {
        "reconstructions": figures.table_windows(
            panels, layout.variables, None, f"{title}: {case.result}"
        ),
        "loss": case.loss_figure(),
    }
    if not layout.predict:
        return Findings(metrics, drawn)
    forecasts = study_forecasts(case)
    return Findings(metrics | forecasts.metrics, drawn | forecasts.figures)


def study_forecasts(case: Case) -> Findings:
    """One step ahead and fed back, beside persistence and least squares."""
    package = case.package
    rollouts = case.splits["rollouts"]
    layout = package.layout
    single_in_units = forecasting.one_step(package, case.forecasters(case.test), case.test)
    multiple_in_units = forecasting.multi_step(package, case.lines(rollouts), rollouts)
    single = single_in_units.comparable(layout)
    multiple = multiple_in_units.comparable(layout)
    errors = single_in_units.forecasts["model"] - single_in_units.truth
    metrics: dict[str, Any] = {
        "one_step": {
            **single.skills(),
            "skill_interval": single.interval(),
            **single.p_values(),
            "columns": errors_in_units(errors[single.scored], layout),
        },
        "multi_step": {
            **multiple.skills(),
            "interval": {"level": forecasting.LEVEL, "coverage": coverage(case, multiple)},
            "by_horizon": multiple.by_horizon(),
        },
    }
    one = metrics["one_step"]
    many = metrics["multi_step"]
    summary = (
        f"skill {one['skill']:.3f} one step ahead, {many['skill']:.3f} over {multiple.horizon} "
        "steps fed back"
    )
    least_squares = (
        f"least squares {one['skill_least_squares']:.3f} and {many['skill_least_squares']:.3f}"
    )
    drawn = {
        "forecasts": forecasts_figure(case, multiple_in_units, f"Forecasts: {summary}"),
        "error_by_horizon": error_figure(
            layout, single, multiple, f"The model: {summary}; {least_squares}"
        ),
    }
    return Findings(metrics, drawn)


def forecasts_figure(
    case: Case,
    multiple: Forecast,
    title: str,
) -> Figure:
    """Windows of the truth and of both forecasts, from one that is easy to one that is hard."""
    layout = case.package.layout
    rollouts = case.splits["rollouts"]
    truth = forecasting.window_values(rollouts, layout)
    single = forecasting.one_step(case.package, {}, rollouts).forecasts["model"]
    fed = truth.shape[1] - multiple.horizon
    unknown = np.full((len(rollouts), fed, layout.features), np.nan)
    lines = {
        "truth": truth,
        "fed its own predictions": np.concatenate([unknown, multiple.forecasts["model"]], axis=1),
        "one step ahead": np.concatenate([unknown, single[:, -multiple.horizon :]], axis=1),
    }
    compared = multiple.comparable(layout)
    squares = np.square(compared.forecasts["model"] - compared.truth)
    panels = shown_windows(case, rollouts, squares.mean(axis=(1, 2)), lines)
    return figures.table_windows(panels, layout.variables, fed - 1, title)


def error_figure(
    layout: Layout,
    single: Forecast,
    multiple: Forecast,
    title: str,
) -> Figure:
    """Errors by horizon: in the units of the table where it has one variable, else scaled."""
    factor = 1.0
    measure = "RMSE, scaled"
    if layout.features == 1 and layout.scaling != "log_return":
        factor = layout.scale[0]
        measure = f"RMSE of {figures.plain(layout.variables[0])}"
    by_horizon = {name: factor * errors for name, errors in multiple.rmse_by_horizon().items()}
    one_step = {name: factor * error for name, error in single.rmse().items()}
    return figures.error_by_horizon(
        by_horizon,
        one_step,
        title,
        None,
        "step",
        measure,
    )


def coverage(case: Case, multiple: Forecast) -> float | None:
    """Share of the test steps fed back that lie within the package's prediction intervals.

    None where validation was too short to tell any.
    """
    ends = case.package.calibration.interval(forecasting.LEVEL)
    return multiple.coverage(ends) if ends.size else None


def errors_in_units(errors: Array, layout: Layout) -> dict[str, dict[str, float]]:
    """Root mean square and mean absolute error (K, m) of each variable."""
    rmse = np.sqrt(np.square(errors).mean(axis=0))
    mae = np.abs(errors).mean(axis=0)
    return {
        name: {"rmse": float(rmse[place]), "mae": float(mae[place])}
        for place, name in enumerate(layout.variables)
    }


def window_errors(case: Case) -> Array:
    """Mean squared error (N,) of the scored steps of each test window; NaN where it has none."""
    scored = scored_steps(case.test)
    errors = np.square(case.answers.reconstruction - case.test.values()).mean(axis=2)
    counts = scored.sum(axis=1, dtype=float)
    counts[counts == 0] = np.nan
    return np.asarray(np.where(scored, errors, 0).sum(axis=1) / counts)


def shown_windows(
    case: Case,
    split: Split,
    errors: Array,
    lines: dict[str, Array],
) -> list[figures.WindowPanel]:
    """Three windows of a split: better than three quarters, the median, worse than nine of ten.

    Parameters
    ----------
    errors
        (N,) by which they are ordered; a window whose error is not a number is not shown.
    lines
        By name, (N, T, m) in the units of the table.
    """
    assert split.series is not None and split.times is not None
    order = np.argsort(errors, kind="stable")[: np.isfinite(errors).sum()]
    length = next(iter(lines.values())).shape[1]
    panels = []
    for share in SHARES:
        row = order[int(share * (len(order) - 1))]
        name = case.description.series[split.series[row]]
        series = f"{name}, " if name else ""
        panels.append(
            figures.WindowPanel(
                title=f"{series}MSE {errors[row]:.3g}\n{share:.0%} of the windows are below",
                times=case.description.read_times(split.times[row])[:length],
                lines={line: values[row] for line, values in lines.items()},
            )
        )
    return panels


def view(case: Case) -> View:
    """How a person reads a window: in the units of the table."""
    return table_view(case, unit="")


def table_view(case: Case, unit: str) -> View:
    """Windows in the units of their table, with dates where every step is a day of its own.

    Parameters
    ----------
    unit
        Of the values; "" where it is not known.
    """
    test = case.test
    layout = case.package.layout
    names = case.description.series
    assert test.base is not None and test.series is not None and test.times is not None
    bases = test.base
    series = test.series
    times = case.description.read_times(test.times)[:, : layout.window]
    daily = False
    if np.issubdtype(times.dtype, np.datetime64):
        days = times.astype("datetime64[D]").astype(int)
        daily = bool((np.diff(days, axis=1) > 0).all())

    def label(row: int) -> str:
        name, first, last = (
            names[series[row]],
            time_label(times[row][0]),
            time_label(times[row][-1]),
        )
        return f"{name}, {first} to {last}" if name else f"{first} to {last}"

    def real(values: Array, row: int) -> Array:
        base = np.repeat(bases[row][None], len(values), axis=0)
        return to_units(values, base, layout)

    def dates(row: int) -> list[str]:
        return np.datetime_as_string(times[row], unit="D").tolist()

    return View(layout.variables, unit, label, real, dates if daily else None)
