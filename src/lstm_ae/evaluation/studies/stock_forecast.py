"""The study of tomorrow's prices."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_ae.evaluation import figures, forecasting
from lstm_ae.evaluation.explorer import View
from lstm_ae.evaluation.forecasting import Forecast
from lstm_ae.evaluation.studies.case import Case, Findings
from lstm_ae.evaluation.studies.stock_windows import shown_symbols
from lstm_ae.evaluation.studies.table import table_view
from lstm_ae.units.layout import Layout

Array = NDArray[np.float64]

HIGH = "high"
CLOSE = "close"
ORDER = ("model", "persistence", "drift", "mean return", *forecasting.LINES, forecasting.BOOSTING)


def study(case: Case) -> Findings:
    """Both losses; forecasts of the daily high, one step ahead and fed back (3.3.3, 3.3.4)."""
    layout = case.package.layout
    rollouts = case.splits["rollouts"]
    assert rollouts.first_scored is not None
    mean_return = {"mean return": forecasting.mean_step(layout.features)}
    ahead = mean_return | case.forecasters(case.test)
    fed_back = mean_return | case.lines(rollouts)
    single = daily_high(forecasting.one_step(case.package, ahead, case.test), layout)
    multiple = daily_high(forecasting.multi_step(case.package, fed_back, rollouts), layout, True)
    interval = case.package.calibration.interval(forecasting.LEVEL)
    ends = interval[:, :, layout.columns.index(HIGH)]
    next_day = ends[:, :1].repeat(single.horizon, axis=1)
    fed_back_ends = ends[:, : multiple.horizon]
    metrics: dict[str, Any] = {
        "one_step": {
            **scores(single, layout),
            "skill_interval": logs(single, layout).interval(),
            **logs(single, layout).p_values(),
            "interval": interval_scores(single, next_day, layout),
        },
        "multi_step": {
            **scores(multiple, layout),
            "interval": {
                **interval_scores(multiple, fed_back_ends, layout),
                "by_horizon": coverage_by_horizon(multiple, fed_back_ends, layout),
            },
            "by_horizon": scores_by_horizon(multiple, layout),
        },
    }
    one = metrics["one_step"]
    many = metrics["multi_step"]
    summary = (
        f"skill {one['skill']:.3f} one step ahead, {many['skill']:.3f} over {multiple.horizon} "
        "days fed back"
    )
    least_squares = (
        f"least squares {one['skill_least_squares']:.3f} and {many['skill_least_squares']:.3f}"
    )
    panels = {
        symbol: panel_of(case, symbol, single, multiple, ends[:, 0])
        for symbol in shown_symbols(case.description.series, 3)
    }
    drawn = {
        "loss": case.loss_figure(),
        "forecasts": figures.forecasts(panels, f"Daily high: {summary}", case.note),
        "error_by_horizon": figures.error_by_horizon(
            in_per_cent(logs(multiple, layout).rmse_by_horizon()),
            in_per_cent(logs(single, layout).rmse()),
            f"The model: {summary}; {least_squares}",
            case.note,
        ),
    }
    return Findings(metrics, drawn)


def daily_high(
    forecast: Forecast,
    layout: Layout,
    fed_back: bool = False,
) -> Forecast:
    """The daily high in dollars, with the forecaster `drift`.

    Drift is persistence and the mean return of the close, once a step where a forecast is fed back.
    """
    high = forecast.variable(layout.columns.index(HIGH))
    steps = np.arange(1, high.horizon + 1) if fed_back else 1
    drift = high.forecasts["persistence"] * np.exp(
        layout.centre[layout.columns.index(CLOSE)] * steps
    )
    forecasts = high.forecasts | {"drift": drift}
    ordered = {name: forecasts[name] for name in ORDER if name in forecasts}
    return Forecast(
        high.truth,
        ordered,
        high.scored,
        high.times,
        high.expected_error,
    )


def logs(high: Forecast, layout: Layout) -> Forecast:
    """The same forecast as log prices, in which its errors are measured."""
    return high.comparable(layout)


def scores(
    high: Forecast,
    layout: Layout,
    steps: slice = slice(None),
) -> dict[str, float]:
    """Skill over persistence on log highs, and the root mean square error in dollars."""
    dollars = high.errors(steps)
    return {
        **logs(high, layout).skills(steps),
        "rmse_dollars": dollars["model"] ** 0.5,
        "rmse_dollars_persistence": dollars["persistence"] ** 0.5,
    }


def scores_by_horizon(high: Forecast, layout: Layout) -> list[dict[str, float]]:
    """The scores at each horizon, from 1."""
    by_horizon = []
    for step in range(high.horizon):
        of_step = scores(high, layout, slice(step, step + 1))
        by_horizon.append({"horizon": step + 1, **of_step})
    return by_horizon


def interval_scores(
    high: Forecast,
    ends: Array,
    layout: Layout,
) -> dict[str, Any]:
    """How much of the truth lies within the intervals, below and above, and how wide they are.

    The width is the mean whole one in per cent of the price. The share within is also given for
    each fifth of the forecasts, from the one of least expected error on.

    Parameters
    ----------
    ends
        (2, h) in units of the expected error, of the first h steps.
    """
    steps = slice(ends.shape[1])
    scored = high.scored[:, steps]
    expected = high.expected_error[:, steps]
    widths = expected * (ends[1] - ends[0])
    below, above = logs(high, layout).beyond(ends)
    inside = ~(below | above)
    fifths = np.array_split(expected[scored].argsort(kind="stable"), 5)
    return {
        "level": forecasting.LEVEL,
        "coverage": float(inside[scored].mean()),
        "below": float(below[scored].mean()),
        "above": float(above[scored].mean()),
        "by_expected_error": [float(inside[scored][fifth].mean()) for fifth in fifths],
        "width_percent": float(100 * widths[scored].mean()),
    }


def coverage_by_horizon(
    high: Forecast,
    ends: Array,
    layout: Layout,
) -> list[float]:
    """The share of the truth within the intervals (2, h) at each horizon, every step scored."""
    below, above = logs(high, layout).beyond(ends)
    outside = (below | above).mean(axis=0)
    return np.asarray(1 - outside).tolist()


def in_per_cent(errors: dict[str, Any]) -> dict[str, Any]:
    """Errors of logs, which are shares of a price, in per cent."""
    return {name: 100 * error for name, error in errors.items()}


def panel_of(
    case: Case,
    symbol: str,
    single: Forecast,
    multiple: Forecast,
    ends: Array,
) -> figures.ForecastPanel:
    """The last days of one stock: truth, one-step forecast with its interval, fed-back forecast."""
    rollouts = case.splits["rollouts"]
    assert rollouts.series is not None and rollouts.times is not None
    place = case.description.series.index(symbol)
    row = int(np.flatnonzero(rollouts.series == place)[-1])
    assert case.test.series is not None
    rows = np.equal(case.test.series, place)
    fed = rollouts.times.shape[1] - multiple.horizon
    times = rollouts.times[row]
    layout = case.package.layout
    values = forecasting.window_values(rollouts.take(np.array([row])), layout)
    one_step = single.forecasts["model"]
    low, high = (one_step * np.exp(single.expected_error * end) for end in ends)
    later = times[fed:]
    ahead = [values_at(values, single, rows, later) for values in (one_step, low, high)]
    return figures.ForecastPanel(
        days=np.datetime_as_string(case.description.read_times(times), unit="D").tolist(),
        truth=values[0, :, layout.columns.index(HIGH)],
        one_step=ahead[0],
        interval=(ahead[1], ahead[2]),
        multi_step=multiple.forecasts["model"][row],
        fed=fed,
    )


def values_at(
    values: Array,
    single: Forecast,
    rows: NDArray[np.bool_],
    times: NDArray[np.int64],
) -> Array:
    """Values (N, H) of one-step forecasts at some times, from the windows that score these."""
    scored = single.scored & rows[:, None]
    known = zip(single.times[scored].tolist(), values[scored].tolist(), strict=True)
    value_at = dict(known)
    found = [value_at.get(time, np.nan) for time in times.tolist()]
    return np.array(found)


def view(case: Case) -> View:
    """How a person reads a window: as log changes in per cent, over dates."""
    layout = case.package.layout
    scale = np.array(layout.scale)
    centre = np.array(layout.centre)
    readable = table_view(case, unit="log change in per cent")
    return View(
        readable.columns,
        readable.unit,
        readable.label,
        lambda values, row: 100 * (values * scale + centre),
        readable.dates,
    )
