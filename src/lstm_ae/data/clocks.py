"""The times of rows: read, put in order, and where the clock jumps."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstm_ae.core.errors import InputError
from lstm_ae.data.cells import clock_times, may_hold_numbers, numbers_of, place_of, shown, times_of
from lstm_ae.units.layout import Layout
from lstm_ae.units.windows import Rows, Series, time_label

Array = NDArray[np.float64]

SECOND = np.timedelta64(1, "s")


def read_times(
    path: Path,
    cells: pd.Series,
    time_format: str | None,
) -> NDArray[Any]:
    """Cells as times: all of them numbers, or all of them dates.

    Raises
    ------
    InputError
        A cell is neither, or not of the form that `time_format` says.
    """
    if time_format is None and may_hold_numbers(cells):
        numbers = numbers_of(cells)
        if np.isfinite(numbers).all():
            return numbers
    dates = times_of(cells, time_format)
    if dates.notna().all():
        return clock_times(dates)
    numbers = numbers_of(cells)
    no_date = dates.isna().to_numpy()
    no_number = ~np.isfinite(numbers)
    if time_format is not None:
        row = int(no_date.argmax())
        raise InputError(
            f"{place_of(path, cells, row)}: found {shown(cells.iloc[row])}; all rows need times in "
            f"the form of training, time_format: {time_format}"
        )
    wrong = no_date if no_date.sum() <= no_number.sum() else no_number  # most cells are right
    row = int(wrong.argmax())
    raise InputError(
        f"{place_of(path, cells, row)}: found {shown(cells.iloc[row])}; all rows need dates like "
        "2014-01-02 or 2014-01-02 13:30, or all need numbers"
    )


def fall(times: NDArray[Any]) -> bool:
    """Whether times fall throughout: the newest row stands first."""
    return len(times) > 1 and times[-1] < times[0] and bool((times[1:] <= times[:-1]).all())


def one_row_a_time(
    times: NDArray[Any],
    values: Array,
    which: str,
) -> tuple[NDArray[Any], Array]:
    """The first, the last or the mean of the rows (L, m) of each time; times do not fall."""
    frame = pd.DataFrame(values, index=times)
    if which == "mean":
        frame = frame.groupby(level=0).mean()
    else:
        frame = frame[~frame.index.duplicated(keep="first" if which == "first" else "last")]
    return frame.index.to_numpy(), frame.to_numpy()


def check_order(
    path: Path,
    cells: pd.Series,
    rows: NDArray[np.int64],
    times: NDArray[Any],
    name: str,
    duplicates: str | None,
) -> None:
    """Raise an error where the times of a series do not rise, or some stand twice unasked.

    Parameters
    ----------
    rows
        (L,) of the series in the column of times, `cells`.
    """
    falls = times[1:] < times[:-1]
    repeats = times[1:] == times[:-1]
    wrong = np.flatnonzero(falls if duplicates else falls | repeats)
    if not wrong.size:
        return
    row = int(wrong[0]) + 1
    series = f" in series {name}" if name else ""
    place = f"{place_of(path, cells, rows[row])}: found {time_label(times[row])}"
    if repeats[row - 1]:
        repeated = len(times) - len(np.unique(times))
        raise InputError(
            f"{place} again{series} (rows whose time stood before: {repeated}); keep one row "
            "a time, or say which in data.duplicates (first, last or mean), and where clocks are "
            "set back write the offset from UTC"
        )
    raise InputError(
        f"{place} after {time_label(times[row - 1])}{series}; sort the rows by time, each time once"
    )


def distances(times: NDArray[Any]) -> Array:
    """From each time to the next: seconds of dates, or differences of numbers."""
    steps = np.diff(times)
    return steps / SECOND if steps.dtype.kind == "m" else steps.astype(np.float64)


def usual_interval(series: Sequence[Series], layout: Layout) -> float | None:
    """From row to row, mostly (`Layout.interval`)."""
    steps = [distances(one_series.times) for one_series in series]
    if layout.time is None or not any(map(len, steps)):
        return None
    return float(np.median(np.concatenate(steps)))


def unbroken_rows(
    times: NDArray[Any],
    values: Array,
    longest_step: float | None,
) -> list[Rows]:
    """The rows between missing values (L, m) and steps longer than `longest_step`."""
    is_whole: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=1))
    breaks = np.ones(len(times) + 1, bool)
    breaks[1:-1] = ~(is_whole[1:] & is_whole[:-1])
    if longest_step is not None:
        breaks[1:-1] |= distances(times) > longest_step
    borders = np.flatnonzero(breaks).tolist()
    return [(begin, end) for begin, end in pairwise(borders) if is_whole[begin]]
