"""Small line charts as the numbers of an SVG, for what moves when a reader moves a code.

A template draws them; a style sheet colours each line by its role. Charts that stand still are
figures of `lstm_ae.evaluation.figures`.
"""

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.dates as mdates
import matplotlib.ticker as mticker
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Limits = tuple[float, float]

# The view box, and what of it lies inside the axes.
WIDTH, HEIGHT = 360, 236
LEFT, RIGHT = 50, 352
TOP, BOTTOM = 26, 196


@dataclass(frozen=True)
class Series:
    """A line through points; NaN breaks it. Its role is a class of the style sheet."""

    name: str
    role: str
    x: Array
    y: Array


@dataclass(frozen=True)
class Axis:
    """What an axis shows.

    Parameters
    ----------
    label
        What it measures, with its unit.
    limits
        Its lowest and highest value; without them it spans its data.
    is_date
        Whether its values are days counted from 1970-01-01.
    """

    label: str
    limits: Limits | None = None
    is_date: bool = False


@dataclass(frozen=True)
class Panel:
    """One chart."""

    x: Axis
    y: Axis
    series: Sequence[Series]


@dataclass(frozen=True)
class Tick:
    """A mark of an axis, in the units of the view box, and its text."""

    position: float
    text: str


@dataclass(frozen=True)
class Line:
    """A line as the `d` of an SVG path."""

    role: str
    path: str


@dataclass(frozen=True)
class Drawing:
    """A panel in the units of its view box, and in words."""

    alt: str
    x_label: str
    y_label: str
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    lines: Sequence[Line]


def to_days(dates: Sequence[str]) -> Array:
    """Return ISO dates as the numbers of a date axis."""
    days = [datetime.date.fromisoformat(date) for date in dates]
    return np.asarray(mdates.date2num(days), np.float64)


def draw(panel: Panel) -> Drawing:
    """Lay a panel out."""
    x_limits = find_limits(panel.x, [series.x for series in panel.series])
    y_limits = find_limits(panel.y, [series.y for series in panel.series], margin=0.05)
    lines = []
    for series in panel.series:
        across = place(series.x, x_limits, LEFT, RIGHT)
        up = place(series.y, y_limits, BOTTOM, TOP)
        lines.append(Line(series.role, svg_path(across, up)))
    return Drawing(
        describe(panel),
        panel.x.label,
        panel.y.label,
        place_ticks(panel.x, x_limits, LEFT, RIGHT),
        place_ticks(panel.y, y_limits, BOTTOM, TOP),
        lines,
    )


def describe(panel: Panel) -> str:
    """Return a panel in words: each line from its first to its last number."""
    ends = []
    for series in panel.series:
        numbers = series.y[np.isfinite(series.y)]
        if numbers.size:
            ends.append(f"{series.name} from {numbers[0]:.4g} to {numbers[-1]:.4g}")
    across = "date" if panel.x.is_date else panel.x.label
    words = f"{panel.y.label} by {across}"
    return f"{words}: {', '.join(ends)}" if ends else words


def find_limits(axis: Axis, data: Sequence[Array], margin: float = 0.0) -> Limits:
    """Return the limits of an axis: its own, else those of its data.

    A share `margin` of the range of the data is left free at both ends.
    """
    if axis.limits is not None:
        return axis.limits
    values = np.concatenate(data)
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    space = margin * (high - low) if high > low else 0.1 * max(abs(low), 1.0)
    return low - space, high + space


def place(values: Array, limits: Limits, start: float, end: float) -> Array:
    """Return where values stand in the view box, the limits at `start` and `end`."""
    low, high = limits
    return start + (values - low) / (high - low) * (end - start)


def svg_path(across: Array, up: Array) -> str:
    """Return the `d` of an SVG path through points of the view box."""
    commands = []
    pen_is_down = False
    for x, y in zip(across, up, strict=True):
        if math.isfinite(x + y):
            commands.append(f"{'L' if pen_is_down else 'M'}{x:.1f} {y:.1f}")
            pen_is_down = True
        else:
            pen_is_down = False
    return "".join(commands)


def place_ticks(axis: Axis, limits: Limits, start: float, end: float) -> list[Tick]:
    """Return the ticks of an axis in the units of the view box."""
    values, texts = date_ticks(limits) if axis.is_date else number_ticks(limits)
    positions = place(np.asarray(values, np.float64), limits, start, end)
    return [
        Tick(round(float(position), 1), text)
        for position, text in zip(positions, texts, strict=True)
    ]


def date_ticks(limits: Limits) -> tuple[list[float], list[str]]:
    """Return the first days of months, years or the like within the limits, with their texts."""
    low, high = limits
    locator = mdates.AutoDateLocator(minticks=3, maxticks=6)
    values = locator.tick_values(mdates.num2date(low), mdates.num2date(high))
    inside = [float(value) for value in values if low <= value <= high]
    return inside, mdates.ConciseDateFormatter(locator).format_ticks(inside)


def number_ticks(limits: Limits) -> tuple[list[float], list[str]]:
    """Return round values within the limits, with their texts."""
    low, high = limits
    locator = mticker.MaxNLocator(5, steps=[1, 2, 2.5, 5, 10], min_n_ticks=3)
    inside = [float(value) for value in locator.tick_values(low, high) if low <= value <= high]
    return inside, [
        text.replace("e-0", "e-").replace("-", "\N{MINUS SIGN}") for text in format_evenly(inside)
    ]


def format_evenly(values: Sequence[float]) -> list[str]:
    """Return numbers as short as they may be, all with as many decimals."""
    texts = [f"{value:.5g}" for value in values]
    if any("e" in text for text in texts):
        return texts
    decimals = max((len(text.partition(".")[2]) for text in texts), default=0)
    return [f"{value:.{decimals}f}" for value in values]
