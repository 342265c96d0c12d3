"""What a person's table holds: its times, its series, its columns of numbers."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lstm_ae.core.errors import InputError
from lstm_ae.data.reading import read_table

SHORTEST_CYCLE = 12  # steps
# Names of columns of numbers that may be times.
TIMES = re.compile(r"(?i)(time|date|year|step|index|instant|t)(_?stamp)?")
PARTS_OF_DATES = re.compile(r"(?i)year|quarter|month|week|weekday|day|hour|minute|second")


@dataclass(frozen=True)
class TableSummary:
    """What a table holds.

    Parameters
    ----------
    rows
        How many there are.
    time
        The column of times; None where the rows count.
    series
        The column that names the series of a row; None where there is one series.
    columns
        The columns of values.
    has_dates
        Whether the times are dates, not numbers.
    interval
        Between two rows of a series, mostly: seconds of dates, or a difference of numbers; None
        where the rows count.
    jumps
        How often the next row comes later than that.
    left_out
        Columns that cannot be values, and why.
    """

    rows: int
    time: str | None
    series: str | None
    columns: list[str]
    has_dates: bool
    interval: float | None
    jumps: int
    left_out: dict[str, str]

    def lines(self) -> list[str]:
        """The summary for a person, a line each."""
        lines = [self._time_line(), f"series: {self.series or 'one'}"]
        lines.append(f"columns: {', '.join(self.columns)}")
        lines += [f"left out: {name}, {reason}" for name, reason in self.left_out.items()]
        return lines

    def _time_line(self) -> str:
        if self.time is None:
            return "time: the rows count"
        interval = "no interval"
        if self.interval:
            unit = " s" if self.has_dates else ""
            interval = f"{self.interval:g}{unit} from row to row"
        return f"time: {self.time}, {interval}, {self.jumps} longer ones"


@dataclass(frozen=True)
class _Cells:
    """The cells of a table by column, as numbers and as dates.

    Parameters
    ----------
    numbers
        The columns that may hold values; NaN where a cell is no number.
    dates
        The columns whose every cell is a date.
    """

    table: pd.DataFrame
    numbers: dict[str, pd.Series]
    dates: dict[str, pd.Series]

    def counts(self) -> dict[str, pd.Series]:
        """The columns of numbers that may be times, by their names."""
        return {
            name: values
            for name, values in self.numbers.items()
            if TIMES.fullmatch(name) and values.notna().all()
        }

    def names_of_series(self) -> list[str]:
        """The columns that may name the series of a row: text first, then numbers."""
        return sorted(self.numbers, key=lambda name: bool(self.numbers[name].notna().any()))


def summarize_table(path: Path, wanted: list[str] | None = None) -> TableSummary:
    """Find the time, the series and the columns of numbers of a table.

    Time is the first column of dates, or a column of rising numbers whose name says so. Where times
    repeat, the series are the first column within whose values they rise.

    Parameters
    ----------
    wanted
        The columns of values; None takes all that hold numbers and change.

    Raises
    ------
    InputError
        No column holds numbers alone, or times repeat and no column tells the series apart.
    """
    table = read_table(path)
    if table.empty:
        raise InputError(f"{path}: found no rows")
    cells = _cells(table)
    time, series = _time_and_series(path, cells)
    if wanted:
        _check_wanted(path, wanted, cells, time)
    columns, left_out = [], {}
    for name in wanted or cells.numbers:
        if name in (time, series):
            continue
        values = cells.numbers[name].replace([np.inf, -np.inf], np.nan)
        reason = _reason_against(name, values, beside_times=time is not None and not wanted)
        if reason is None:
            columns.append(name)
        else:
            left_out[name] = reason
    if not columns:
        reasons = ", ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise InputError(f"{path}: no column of numbers; {reasons}")
    if time is None:
        return TableSummary(
            len(table),
            None,
            series,
            columns,
            False,
            None,
            0,
            left_out,
        )
    has_dates = time in cells.dates
    intervals = _intervals(cells, time, series)
    usual = float(intervals.median())
    jumps = int((intervals > 1.5 * usual).sum())
    return TableSummary(
        len(table),
        time,
        series,
        columns,
        has_dates,
        usual,
        jumps,
        left_out,
    )


def _cells(table: pd.DataFrame) -> _Cells:
    numbers, dates = {}, {}
    for name in map(str, table.columns):
        cells = table[name]
        are_dates = pd.api.types.is_datetime64_any_dtype(cells)
        as_numbers = None if are_dates else pd.to_numeric(cells, errors="coerce")
        if as_numbers is None or as_numbers.isna().all():
            as_dates = _dates(cells if are_dates else cells.astype(str))
            if as_dates.notna().all():
                dates[name] = as_dates
                continue
        if as_numbers is not None:
            numbers[name] = as_numbers
    return _Cells(table, numbers, dates)


def _dates(cells: pd.Series) -> pd.Series:
    return pd.to_datetime(
        cells,
        format="ISO8601",
        utc=True,
        errors="coerce",
    )


def _time_and_series(path: Path, cells: _Cells) -> tuple[str | None, str | None]:
    """The column of times and, where these rise within the values of a column, that column."""
    for name, times in (cells.dates or cells.counts()).items():
        if _rise(times):
            return name, None
        others = [other for other in cells.names_of_series() if other != name]
        series = _series_within(times, cells.table, others)
        if series is not None:
            return name, series
    if not cells.dates:
        return None, None
    name, times = next(iter(cells.dates.items()))
    falls = times.to_numpy()[1:] <= times.to_numpy()[:-1]
    row = int(falls.argmax()) + 1
    before, after = map(str, cells.table[name].iloc[row - 1 : row + 1])
    place = f"{cells.table.index.name} {cells.table.index[row]}"
    raise InputError(
        f"{path}: column {name}, {place}: found {after!r} after {before!r}, and no column of "
        "series within which times rise; sort the rows by time"
    )


def _rise(times: pd.Series) -> bool:
    return times.is_monotonic_increasing and times.is_unique


def _series_within(
    times: pd.Series,
    table: pd.DataFrame,
    names: list[str],
) -> str | None:
    """The first column of few enough values, within each of which the times rise."""
    for name in names:
        is_few = table[name].nunique() * SHORTEST_CYCLE <= len(table)
        if is_few and times.groupby(table[name]).apply(_rise).all():
            return name
    return None


def _check_wanted(
    path: Path,
    wanted: list[str],
    cells: _Cells,
    time: str | None,
) -> None:
    for name in wanted:
        if name not in cells.numbers and name != time:
            names = ", ".join(map(str, cells.table.columns))
            raise InputError(f"{path}: column {name} is missing or holds dates; found {names}")


def _reason_against(
    name: str,
    values: pd.Series,
    beside_times: bool,
) -> str | None:
    """Why a column cannot be one of values; None where it can."""
    if values.isna().all():
        return "neither numbers nor dates like 2014-01-31"
    if values.isna().any():
        return f"{int(values.isna().sum())} of {len(values)} rows without a number"
    if values.nunique() == 1:
        return "never changes"
    if beside_times:
        counts_rows = (values.diff().dropna() == 1).all()
        if PARTS_OF_DATES.fullmatch(name) or counts_rows:
            return "says what the time says"
    return None


def _intervals(
    cells: _Cells,
    time: str,
    series: str | None,
) -> pd.Series:
    """From each row of a series to the next: seconds of dates, or the difference of numbers."""
    has_dates = time in cells.dates
    times = cells.dates[time] if has_dates else cells.numbers[time]
    if series is None:
        steps = times.diff().dropna()
    else:
        steps = times.groupby(cells.table[series]).diff().dropna()
    return steps.dt.total_seconds() if has_dates else steps
