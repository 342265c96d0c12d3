"""Which columns of a table are its times and its series, and how its clock goes."""

from pathlib import Path

import numpy as np
import pandas as pd

from lstm_ae.core.errors import InputError
from lstm_ae.use.table_cells import MOSTLY, TableCells, in_order
from lstm_ae.use.wishes import Wishes

# A step of the clock is a usual one where it is that often a multiple of the shortest; a clock is
# regular where most of its steps are the shortest, to a tenth.
COMMON, FEWEST_COMMON = 0.02, 3
REGULAR, NEAR = 0.5, 0.1


def time_and_series(
    path: Path,
    cells: TableCells,
    wishes: Wishes,
) -> tuple[str | None, str | None]:
    """The column of times and, where these rise within the values of a column, that column."""
    candidates = {name: column.times for name, column in cells.dates.items()} or cells.counts()
    if wishes.time is not None:
        candidates = {wishes.time: cells.times(wishes.time)}
    for name, times in candidates.items():
        if wishes.series is not None:
            return name, wishes.series
        if in_order(times, wishes.duplicates is not None):
            return name, None
        series = _series_within(times, cells)
        if series is not None:
            return name, series
    if wishes.series is not None:
        return None, wishes.series
    if not cells.dates and wishes.time is None:
        return _counted_series(cells)
    name, all_times = next(iter(candidates.items()))
    clock = all_times.to_numpy()
    wrong = clock[1:] <= clock[:-1]
    row = int(wrong.argmax()) + 1
    before, after = map(str, cells.table[name].iloc[row - 1 : row + 1])
    place = f"{path}: column {name}, {cells.table.index.name} {cells.table.index[row]}"
    if clock[row] == clock[row - 1] or (clock == clock[row]).sum() > 1:
        repeated = int(all_times.duplicated().sum())
        raise InputError(
            f"{place}: found {after!r} a second time (such rows: {repeated}), and no column of "
            "series; keep one row a time (--duplicates first, last or mean), name the column of "
            "series (--series), and where clocks are set back write the offset from UTC"
        )
    raise InputError(
        f"{place}: found {after!r} after {before!r}, and no column of series within which times "
        "rise; sort the rows by time, or name the column of series (--series)"
    )


def _series_within(times: pd.Series, cells: TableCells) -> str | None:
    """The first column that names series, within each of which the times rise."""
    for name in cells.names_of_series():
        keys = cells.table[name]
        if not _in_order_within(times, keys):
            continue
        if cells.holds_text(name) or _stays(keys) or _stands_at_every_time(keys, times):
            return name
    return None


def _in_order_within(times: pd.Series, keys: pd.Series) -> bool:
    """Whether the times of every key rise throughout, or fall throughout."""
    codes, names = pd.factorize(keys, use_na_sentinel=False)
    order = np.argsort(codes, kind="stable")
    sorted_codes = codes[order]
    sorted_times = times.to_numpy()[order]
    same = sorted_codes[1:] == sorted_codes[:-1]
    key_of_step = sorted_codes[1:][same]
    earlier, later = sorted_times[:-1][same], sorted_times[1:][same]
    if (earlier == later).any():
        return False
    rises = np.bincount(key_of_step, later > earlier, minlength=len(names))
    falls = np.bincount(key_of_step, later < earlier, minlength=len(names))
    return bool((np.minimum(rises, falls) == 0).all())


def _counted_series(cells: TableCells) -> tuple[str | None, str | None]:
    """A column that stays through long runs, and one that counts the rows of each.

    Where none counts them, a column of names counts alone.
    """
    for series in cells.names_of_series():
        keys = cells.table[series]
        if keys.nunique() < 2 or not _stays(keys):
            continue
        for name, values in cells.numbers.items():
            steps = values.groupby(keys).diff().dropna()
            if name != series and len(steps) and (steps == 1).all():
                return name, series
        if cells.holds_text(series):
            return None, series
    return None, None


def _stays(keys: pd.Series) -> bool:
    """Whether all rows of a key stand together."""
    runs = int((keys != keys.shift()).sum())
    return runs == keys.nunique()


def _stands_at_every_time(keys: pd.Series, times: pd.Series) -> bool:
    """Whether most keys have a row at most times."""
    return len(keys) > MOSTLY * keys.nunique() * times.nunique()


def intervals_of(
    cells: TableCells,
    time: str,
    series: str | None,
) -> pd.Series:
    """From each row of a series to the next: seconds of dates, or the difference of numbers."""
    has_dates = time in cells.dates
    times = cells.times(time)
    if series is None:
        steps = times.diff().dropna()
    else:
        steps = times.groupby(cells.table[series]).diff().dropna()
    lengths = steps.abs()
    return lengths.dt.total_seconds() if has_dates else lengths


def longest_step(intervals: pd.Series, usual: float) -> float | None:
    """Between two rows of a regular clock, weekends and the like among them.

    A step that is rare, and longer than the usual ones, is a jump.
    """
    if not usual or ((intervals / usual - 1).abs() <= NEAR).mean() < REGULAR:
        return None
    multiples = (intervals / usual).round()
    counts = multiples.value_counts()
    common = counts[counts >= max(FEWEST_COMMON, COMMON * len(intervals))]
    return float((common.index.max() + 0.5) * usual) if len(common) else 1.5 * usual
