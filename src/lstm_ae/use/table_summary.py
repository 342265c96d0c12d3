"""What a person's table holds: its times, its series, its columns of numbers."""

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from lstm_ae.core.errors import InputError
from lstm_ae.data.reading import read_table
from lstm_ae.use.table_cells import TableCells, cells_of, step_names
from lstm_ae.use.table_columns import columns_of, remarks_on
from lstm_ae.use.table_times import intervals_of, longest_step, time_and_series
from lstm_ae.use.wishes import Wishes

NO_WISHES = Wishes()


@dataclass(frozen=True)
class TableSummary:
    """What a table holds.

    Parameters
    ----------
    table
        As it was read.
    time
        The column of times; None where the rows count.
    series
        The column that names the series of a row; None where there is one series.
    columns
        The columns of values.
    has_dates
        Whether the times are dates, not numbers.
    time_parts, time_format
        How dates are written, as in `TableData`.
    interval
        Between two rows of a series, mostly: seconds of dates, or a difference of numbers; None
        where the rows count.
    jumps
        How often the next row comes later than that.
    longest_step
        Between two rows of a regular clock that does not jump; None where it is not regular.
    rows_are_sequences
        A row is a whole sequence, whose steps are the columns.
    left_out
        Columns that cannot be values, and why.
    remarks
        On the columns of values, a line each.
    wishes
        What the person said.
    """

    table: pd.DataFrame
    time: str | None
    series: str | None
    columns: list[str]
    has_dates: bool
    time_parts: list[str] | None
    time_format: str | None
    interval: float | None
    jumps: int
    longest_step: float | None
    rows_are_sequences: bool
    left_out: dict[str, str]
    remarks: list[str]
    wishes: Wishes

    def lines(self) -> list[str]:
        """The summary for a person, a line each."""
        columns = ", ".join(self.columns)
        if self.rows_are_sequences:
            lines = [f"series: each row is one, of {len(self.columns)} steps: {columns}"]
        else:
            series = f"series: {self.series or 'one'}"
            lines = [self._time_line(), series, f"columns: {columns}"]
        lines += [f"left out: {name}, {reason}" for name, reason in self.left_out.items()]
        return lines + self.remarks

    def _time_line(self) -> str:
        if self.time is None:
            return "time: the rows count"
        interval = "no interval"
        if self.interval:
            unit = " s" if self.has_dates else ""
            interval = f"{self.interval:g}{unit} from row to row"
        written = f" of {', '.join(self.time_parts)}" if self.time_parts else ""
        written += f" as {self.time_format}" if self.time_format else ""
        return f"time: {self.time}{written}, {interval}, {self.jumps} longer ones"


def summarize_table(path: Path, wishes: Wishes = NO_WISHES) -> TableSummary:
    """Find the time, the series and the columns of numbers of a table.

    Time is the first column of dates, else one of counts since 1970, else a column of rising
    numbers whose name says so, else one that counts the rows of each series. Where times repeat,
    the series are the first column that names them and within whose values they rise.

    Raises
    ------
    InputError
        No column holds numbers, a cell among dates is none, days and months cannot be told apart,
        times repeat and no column tells the series apart, or a column that was wished for is
        missing.
    """
    table = read_table(path)
    if table.empty:
        raise InputError(f"{path}: found no rows")
    _check_wishes(path, table, wishes)
    wishes = replace(wishes, columns=_wanted_names(wishes.columns, table))
    cells = cells_of(path, table, wishes)
    time, series = time_and_series(path, cells, wishes)
    if wishes.columns:
        _check_wanted(path, wishes.columns, cells, time)
    steps = step_names(cells) if time is None and series is None and not wishes.columns else []
    if steps:
        columns = steps
        left_out = {name: "no step of the rows" for name in cells.numbers if name not in steps}
    else:
        columns, left_out = columns_of(cells, time, series, wishes)
    if not columns:
        reasons = ", ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise InputError(f"{path}: no column of numbers; {reasons}")
    column = None if time is None else cells.dates.get(time)
    usual, jumps, longest = None, 0, None
    if time is not None:
        intervals = intervals_of(cells, time, series)
        usual = float(intervals.median())
        jumps = int((intervals > 1.5 * usual).sum())
        longest = longest_step(intervals, usual)
    return TableSummary(
        table=table,
        time=time,
        series=series,
        columns=columns,
        has_dates=column is not None,
        time_parts=None if column is None else column.parts,
        time_format=None if column is None else column.time_format,
        interval=usual,
        jumps=jumps,
        longest_step=longest,
        left_out=left_out,
        rows_are_sequences=bool(steps),
        remarks=[line for name in columns for line in remarks_on(name, cells)],
        wishes=wishes,
    )


def _wanted_names(given: list[str] | None, table: pd.DataFrame) -> list[str] | None:
    """The names in texts that are a name, or names with commas between."""
    if not given:
        return None
    names: list[str] = []
    for text in given:
        names += [text] if text in table.columns else next(csv.reader([text]))
    return list(dict.fromkeys(names))


def _check_wanted(
    path: Path,
    wanted: list[str],
    cells: TableCells,
    time: str | None,
) -> None:
    for name in wanted:
        if name not in cells.numbers and name != time:
            names = ", ".join(map(str, cells.table.columns))
            raise InputError(f"{path}: column {name} is missing or holds dates; found {names}")


def _check_wishes(
    path: Path,
    table: pd.DataFrame,
    wishes: Wishes,
) -> None:
    """Raise an error where a column of time or series is missing."""
    for name in (wishes.time, wishes.series):
        if name is not None and name not in table.columns:
            raise InputError(f"{path}: column {name} is missing; found {', '.join(table.columns)}")
