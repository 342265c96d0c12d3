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
MARGIN = 0.05  # of the range of the lines, free above and below them


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
    x_limits = panel.x.limits or find_limits([series.x for series in panel.series])
    y_limits = panel.y.limits or find_limits([series.y for series in panel.series], MARGIN)
    lines = []
    for series in panel.series:
        path = svg_path(place_x(series.x, x_limits), place_y(series.y, y_limits))
        lines.append(Line(series.role, path))
    x_values, x_texts = date_ticks(x_limits) if panel.x.is_date else number_ticks(x_limits)
    y_values, y_texts = number_ticks(y_limits)
    return Drawing(
        alt=describe(panel),
        x_label=panel.x.label,
        y_label=panel.y.label,
        x_ticks=make_ticks(place_x(x_values, x_limits), x_texts),
        y_ticks=make_ticks(place_y(y_values, y_limits), y_texts),
        lines=lines,
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


def find_limits(data: Sequence[Array], margin: float = 0.0) -> Limits:
    """Return the limits of data, with a share `margin` of their range left free at both ends."""
    values = np.concatenate(data)
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low = float(values.min())
    high = float(values.max())
    space = margin * (high - low)
    if high == low:
        space = 0.1 * max(abs(low), 1.0)
    return low - space, high + space


def place_x(values: Array, limits: Limits) -> Array:
    """Return where values stand across the view box."""
    low, high = limits
    return LEFT + (values - low) / (high - low) * (RIGHT - LEFT)


def place_y(values: Array, limits: Limits) -> Array:
    """Return where values stand in the view box, from its top."""
    low, high = limits
    return BOTTOM + (values - low) / (high - low) * (TOP - BOTTOM)


def svg_path(across: Array, up: Array) -> str:
    """Return the `d` of an SVG path through points of the view box."""
    commands = []
    pen_is_down = False
    for x, y in zip(across, up, strict=True):
        if math.isfinite(x + y):
            command = "L" if pen_is_down else "M"
            commands.append(f"{command}{x:.1f} {y:.1f}")
            pen_is_down = True
        else:
            pen_is_down = False
    return "".join(commands)


def make_ticks(positions: Array, texts: Sequence[str]) -> list[Tick]:
    """Return ticks at positions of the view box."""
    rounded = positions.round(1).tolist()
    return [Tick(position, text) for position, text in zip(rounded, texts, strict=True)]


def date_ticks(limits: Limits) -> tuple[Array, list[str]]:
    """Return the first days of months, years or the like within the limits, with their texts."""
    low, high = limits
    locator = mdates.AutoDateLocator(minticks=3, maxticks=6)
    days = locator.tick_values(mdates.num2date(low), mdates.num2date(high))
    values = np.asarray(days, np.float64)
    inside = values[(values >= low) & (values <= high)]
    return inside, mdates.ConciseDateFormatter(locator).format_ticks(inside)


def number_ticks(limits: Limits) -> tuple[Array, list[str]]:
    """Return round values within the limits, with their texts."""
    low, high = limits
    locator = mticker.MaxNLocator(5, steps=[1, 2, 2.5, 5, 10], min_n_ticks=3)
    values = np.asarray(locator.tick_values(low, high), np.float64)
    inside = values[(values >= low) & (values <= high)]
    texts = [text.replace("-", "\N{MINUS SIGN}") for text in format_evenly(inside)]
    return inside, texts


def format_evenly(values: Array) -> list[str]:
    """Return numbers as short as they may be, all with as many decimals."""
    texts = [f"{value:.5g}" for value in values]
    if any("e" in text for text in texts):
        return [text.replace("e-0", "e-") for text in texts]
    decimals = max((len(text.partition(".")[2]) for text in texts), default=0)
    return [f"{value:.{decimals}f}" for value in values]
