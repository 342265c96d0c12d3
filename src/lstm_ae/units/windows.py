"""Series cut into windows. Shapes: a series of L steps, N windows of T steps of m variables."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstm_ae.core.errors import InputError
from lstm_ae.units.layout import Layout

Array = NDArray[np.float64]
Rows = tuple[int, int]  # begin..end - 1

# Of a scaled step: what is further away is as far, so that no number overflows.
FURTHEST = 1e6
# Of the size of numbers: what two computations of one number differ by, and what a device that
# stands still may differ by in half of its rows.
ROUNDING, NEARLY, HALF = 1e-13, 1e-6, 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Series:
    """One series, in the units of its table.

    Parameters
    ----------
    name
        "" where the table is one series.
    times
        (L,) datetime64[us] or float64, or int64 where the rows are counted.
    values
        (L, m) float64, NaN where nothing was measured.
    pieces
        The rows in which windows may lie: no value is missing there, and the clock does not jump.
        None: all.
    """

    name: str
    times: NDArray[Any]
    values: Array
    pieces: Sequence[Rows] | None = None

    def __len__(self) -> int:
        return len(self.times)

    @property
    def unbroken(self) -> Sequence[Rows]:
        """`pieces` in numbers."""
        return [(0, len(self))] if self.pieces is None else self.pieces


@dataclass(frozen=True)
class Windows:
    """N windows as a model reads them, and what brings its answers back to the units of the table.

    Parameters
    ----------
    sequences
        (N, T, m) float32, scaled.
    base
        (N, m) the log value from which the window's log returns count; 0 for every other scaling.
    series
        (N,) int64, the place of each window's series in the list that it was cut from.
    times
        (N, T) of the steps; with `following`, (N, T + 1).
    following
        (N, m) float32, the step after the last, scaled. None: it was not asked for.
    """

    sequences: NDArray[np.float32]
    base: Array
    series: NDArray[np.int64]
    times: NDArray[Any]
    following: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.sequences)


def time_label(time: Any) -> str:
    """A time as a person writes it: a date, with the hour where it is not midnight, or a number."""
    if isinstance(time, np.datetime64):
        stamp = pd.Timestamp(time)
        return str(stamp.date()) if stamp == stamp.normalize() else str(stamp)
    return f"{float(time):.15g}"


def tiles(begin: int, end: int, window: int) -> list[int]:
    """First rows of windows that cover rows begin..end - 1, the last one ending on the last row."""
    if end - begin < window:
        return []
    return sorted({*range(begin, end - window + 1, window), end - window})


def covering(series: Series, layout: Layout) -> list[int]:
    """First rows of windows that cover the pieces of a series, as far as these are long enough."""
    first_rows: list[int] = []
    for begin, end in series.unbroken:
        first_rows += tiles(begin + layout.before, end, layout.window)
    return first_rows


def cut(
    series: Sequence[Series],
    layout: Layout,
    first_rows: Sequence[Sequence[int]],
    following: bool = False,
) -> Windows:
    """Cut windows and scale them.

    Parameters
    ----------
    first_rows
        For each series the first rows of its windows, each at least `layout.before`.
    following
        Give the step after the last as well, which the series must have.
    """
    length = layout.window + following
    steps, base = unscaled_windows(series, layout, first_rows, length)
    with np.errstate(over="ignore"):
        steps -= layout.centre
        steps /= layout.scale
    scaled = steps.clip(-FURTHEST, FURTHEST, out=steps).astype(np.float32)
    times = [
        one_series.times[_rows(firsts, length)]
        for one_series, firsts in zip(series, first_rows, strict=True)
    ]
    counts = [len(firsts) for firsts in first_rows]
    return Windows(
        sequences=np.ascontiguousarray(scaled[:, : layout.window]),
        base=base,
        series=np.repeat(np.arange(len(series)), counts),
        times=np.concatenate(times),
        following=scaled[:, layout.window].copy() if following else None,
    )


def unscaled_windows(
    series: Sequence[Series],
    layout: Layout,
    first_rows: Sequence[Sequence[int]],
    length: int,
) -> tuple[Array, Array]:
    """Cut windows of `length` steps, before scaling.

    Returns
    -------
    steps
        (N, length, m)
    base
        (N, m)
    """
    steps, bases = [], []
    for one_series, firsts in zip(series, first_rows, strict=True):
        rows = _rows(firsts, length)
        if layout.scaling != "log_return":
            steps.append(one_series.values[rows])
            bases.append(np.zeros((len(rows), layout.features)))
            continue
        logs = np.log(one_series.values)
        base = logs[rows[:, 0] - layout.before]
        bases.append(base)
        if layout.predict:
            steps.append(log_returns(one_series, layout)[rows - layout.before])
        else:
            steps.append(logs[rows] - base[:, None])
    return np.concatenate(steps), np.concatenate(bases)


def log_returns(series: Series, layout: Layout) -> Array:
    """Log returns (L - 1, m): each value over the last one of the variable that `after` names."""
    logs = np.log(series.values)
    return np.asarray(logs[1:] - logs[:-1][:, layout.bases])


def fitted(path: Path, layout: Layout, steps: Array) -> Layout:
    """The layout with the centre and scale of training windows before scaling, (N, T, m).

    A variable that does not change in them but for rounding keeps the scale 1, since it may be a
    fault when it moves later.

    Parameters
    ----------
    path
        Of the table, for errors.

    Raises
    ------
    InputError
        No variable changes in them, or its numbers are too large or too small to be scaled.
    """
    if layout.scaling == "none":
        return layout
    centre, scale = np.zeros(layout.features), np.ones(layout.features)
    with np.errstate(over="ignore", invalid="ignore"):
        reach = np.ptp(steps, axis=(0, 1))
        if layout.scaling == "minmax":
            centre, scale = steps.min(axis=(0, 1)), reach
        else:
            scale = steps.std(axis=(0, 1))
            counts_from_zero = layout.scaling == "log_return" and not layout.predict
            if not counts_from_zero:
                centre = steps.mean(axis=(0, 1))
    still = np.array([_stands_still(steps[..., place]) for place in range(layout.features)])
    if still.all():
        column = layout.variables[0]
        raise InputError(
            f"{path}: column {column} never changes in the training windows; leave it out or use "
            "another"
        )
    for place in np.flatnonzero(still):
        log.warning(
            "%s: column %s never changes in the training windows, and keeps the scale 1",
            path,
            layout.variables[place],
        )
    scale = np.where(still, 1.0, scale)
    usable = np.isfinite(centre) & np.isfinite(scale) & (scale > 0)
    if not usable.all():
        column = layout.variables[int(usable.argmin())]
        raise InputError(
            f"{path}: column {column} has numbers too large or too small to be scaled; leave it "
            "out or give it another unit"
        )
    return replace(layout, centre=centre.tolist(), scale=scale.tolist())


def _stands_still(steps: Array) -> bool:
    """Whether steps are one number, or half of them are and the others beside it by rounding."""
    with np.errstate(over="ignore"):
        reach = float(np.ptp(steps))
    size = float(np.abs(steps).max())
    if reach <= ROUNDING * size:
        return True
    most = np.median(steps)
    return reach <= NEARLY * size and bool((steps != most).mean() <= HALF)


def _rows(first_rows: Sequence[int], length: int) -> NDArray[np.int64]:
    """The rows of each window, (n, length)."""
    return np.asarray(first_rows, np.int64)[:, None] + np.arange(length)
