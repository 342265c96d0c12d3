"""Small charts as the numbers of an SVG: a template draws them, a style sheet colours them by the role of each series."""

import datetime
import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import matplotlib.dates as mdates
import matplotlib.ticker as mticker
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Scale = Literal["linear", "log", "integer", "date"]

WIDTH, HEIGHT = 360, 236  # of the view box
LEFT, RIGHT, TOP, BOTTOM = 50, 352, 26, 196  # of what is inside the axes


class Series(NamedTuple):
    """Points that belong together. NaN breaks a line."""

    name: str
    role: str  # the class of the style sheet
    x: Sequence[float] | Array
    y: Sequence[float] | Array
    mark: Literal["line", "dots", "crosses", "steps"] = "line"


class Axis(NamedTuple):
    """What an axis shows; a date is a day counted from 1970-01-01. Without a range it spans its data."""

    label: str
    scale: Scale = "linear"
    range: tuple[float, float] | None = None


class Panel(NamedTuple):
    """One chart."""

    x: Axis
    y: Axis
    series: Sequence[Series]


class Mark(NamedTuple):
    role: str
    shape: str  # dots, or a line
    path: str


class Drawing(NamedTuple):
    """A panel in the units of its view box."""

    alt: str  # the chart in words
    x_label: str
    y_label: str
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    marks: list[Mark]


def days(dates: Sequence[str]) -> list[float]:
    """ISO dates as the numbers of a date axis."""
    return [
        float(value)
        for value in mdates.date2num([datetime.date.fromisoformat(date) for date in dates])
    ]


def draw(panel: Panel) -> Drawing:
    """Lay a panel out."""
    scattered = any(series.mark != "line" for series in panel.series)
    x_span = span(panel.x, [series.x for series in panel.series], room=0.04 if scattered else 0)
    y_span = span(panel.y, [series.y for series in panel.series], room=0.05)
    marks = []
    for series in panel.series:
        across, up = (
            place(series.x, panel.x, x_span, (LEFT, RIGHT)),
            place(series.y, panel.y, y_span, (BOTTOM, TOP)),
        )
        marks.append(
            Mark(
                series.role,
                "dots" if series.mark == "dots" else "line",
                path(across, up, series.mark),
            )
        )
    return Drawing(
        described(panel),
        panel.x.label,
        panel.y.label,
        [
            (position(at, panel.x, x_span, (LEFT, RIGHT)), text)
            for at, text in ticks(panel.x, x_span)
        ],
        [
            (position(at, panel.y, y_span, (BOTTOM, TOP)), text)
            for at, text in ticks(panel.y, y_span)
        ],
        marks,
    )


def described(panel: Panel) -> str:
    """A panel in words: each line from its first to its last number."""
    ends = []
    for series in panel.series:
        known = [value for value in np.asarray(series.y, np.float64) if math.isfinite(value)]
        if series.mark in ("line", "steps") and known:
            ends.append(f"{series.name} from {known[0]:.4g} to {known[-1]:.4g}")
    across = {"date": "date"}.get(panel.x.scale, panel.x.label)
    return f"{panel.y.label} by {across}" + (f": {', '.join(ends)}" if ends else "")


def span(
    axis: Axis, data: Sequence[Sequence[float] | Array], room: float = 0.0
) -> tuple[float, float]:
    """The range of an axis, with `room` of it left free at both ends."""
    if axis.range is not None:
        return axis.range
    values = np.concatenate([np.asarray(part, np.float64) for part in data])
    values = values[np.isfinite(values) & ((values > 0) if axis.scale == "log" else True)]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.1, 1.0)
    if axis.scale == "log":
        share = (high / low) ** room if high > low else 1.1
        return low / share, high * share
    more = room * (high - low) if high > low else max(abs(low), 1.0) * 0.1
    return low - more, high + more


def place(
    values: Sequence[float] | Array,
    axis: Axis,
    limits: tuple[float, float],
    box: tuple[float, float],
) -> Array:
    """Where values stand in the view box."""
    numbers, ends = np.asarray(values, np.float64), np.asarray(limits)
    if axis.scale == "log":
        numbers, ends = np.log(np.where(numbers > 0, numbers, np.nan)), np.log(ends)
    return box[0] + (numbers - ends[0]) / (ends[1] - ends[0]) * (box[1] - box[0])


def position(
    value: float, axis: Axis, limits: tuple[float, float], box: tuple[float, float]
) -> float:
    return round(float(place([value], axis, limits, box)[0]), 1)


def path(across: Array, up: Array, mark: str = "line") -> str:
    """The `d` of an SVG path through points of the view box."""
    if mark in ("dots", "crosses"):
        shape = "h0" if mark == "dots" else "m-3-3l6 6m0-6l-6 6"
        return "".join(
            f"M{x:.1f} {y:.1f}{shape}"
            for x, y in zip(across, up, strict=True)
            if math.isfinite(x + y)
        )
    commands, drawing = [], False
    for x, y in zip(across, up, strict=True):
        if not math.isfinite(x + y):
            drawing = False
            continue
        if mark == "steps" and drawing:
            commands.append(f"H{x:.1f}V{y:.1f}")
        else:
            commands.append(f"{'L' if drawing else 'M'}{x:.1f} {y:.1f}")
        drawing = True
    return "".join(commands)


def ticks(axis: Axis, limits: tuple[float, float]) -> list[tuple[float, str]]:
    """Round values within the limits, and how a person reads them."""
    low, high = limits
    if axis.scale == "date":
        locator = mdates.AutoDateLocator(minticks=3, maxticks=6)
        found = locator.tick_values(mdates.num2date(low), mdates.num2date(high))
        inside = [float(value) for value in found if low <= value <= high]
        return list(
            zip(inside, mdates.ConciseDateFormatter(locator).format_ticks(inside), strict=True)
        )
    values: Sequence[float] = []
    if axis.scale == "log":
        subs = (1.0, 3.0) if high > 60 * low else (1.0, 2.0, 5.0)
        values = [
            value
            for value in mticker.LogLocator(subs=subs, numticks=12).tick_values(low, high)
            if low <= value <= high
        ]
    if len(values) < 3:
        found = mticker.MaxNLocator(
            5, integer=axis.scale == "integer", steps=[1, 2, 2.5, 5, 10], min_n_ticks=3
        ).tick_values(low, high)
        values = [value for value in found if low <= value <= high]
    return [
        (float(value), text.replace("e-0", "e-").replace("-", "\N{MINUS SIGN}"))
        for value, text in zip(values, written(values), strict=True)
    ]


def written(values: Sequence[float]) -> list[str]:
    """Numbers as short as they may be, those evenly spaced with as many decimals each."""
    texts = [f"{value:.5g}" for value in values]
    if (
        len(values) < 2
        or any("e" in text for text in texts)
        or not np.allclose(np.diff(values), values[1] - values[0])
    ):
        return texts
    decimals = max(len(text.partition(".")[2]) for text in texts)
    return [f"{value:.{decimals}f}" for value in values]
