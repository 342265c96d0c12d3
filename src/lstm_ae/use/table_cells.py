"""The cells of a person's table by column, as numbers and as dates."""

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from lstm_ae.core.errors import InputError
from lstm_ae.data.cells import (
    formats_of,
    hold_nothing,
    may_hold_numbers,
    numbers_of,
    place_of,
    shown,
    times_of,
    unit_since_1970,
)
from lstm_ae.data.time_parts import holds_clock, joined_times, parts_of_time
from lstm_ae.use.wishes import Wishes

SHORTEST_CYCLE = 12  # steps
MOSTLY = 0.8
# Names of columns of numbers that may be times.
TIMES = re.compile(r"(?i)(time|date|year|step|cycle|index|instant|epoch|t)(_?stamp)?")
PARTS_OF_DATES = re.compile(r"(?i)year|quarter|month|week|weekday|day|hour|minute|second")


@dataclass(frozen=True)
class Dates:
    """A column whose every cell is a date.

    Parameters
    ----------
    time_format, parts
        How it is written, as `TableData.time_format` and `time_parts` say it.
    """

    times: pd.Series
    time_format: str | None
    parts: list[str] | None = None


@dataclass(frozen=True)
class TableCells:
    """The cells of a table by column, as numbers and as dates.

    Parameters
    ----------
    numbers
        The columns that may hold values; NaN where a cell is no number.
    dates
        The columns whose every cell is a date.
    mean_nothing
        Which cells of the columns of numbers hold one that means that nothing was measured.
    """

    table: pd.DataFrame
    numbers: dict[str, pd.Series]
    dates: dict[str, Dates]
    mean_nothing: dict[str, pd.Series]

    def counts(self) -> dict[str, pd.Series]:
        """The columns of numbers that may be times, by their names."""
        return {
            name: values
            for name, values in self.numbers.items()
            if TIMES.fullmatch(name) and values.notna().all()
        }

    def times(self, name: str) -> pd.Series:
        """A column as dates or as numbers."""
        return self.dates[name].times if name in self.dates else self.numbers[name]

    def names_of_series(self) -> list[str]:
        """The columns that may name the series of a row.

        Text first, then whole numbers. A measured column is none: its values neither stay through
        long runs nor stand at every time.
        """
        texts, whole = [], []
        for name, values in self.numbers.items():
            is_text = self.holds_text(name)
            is_whole = not is_text and bool((values == values.round()).all())
            if not (is_text or is_whole) or PARTS_OF_DATES.fullmatch(name):
                continue
            if self.table[name].nunique() * SHORTEST_CYCLE > len(self.table):
                continue
            if is_text:
                texts.append(name)
            else:
                whole.append(name)
        return texts + whole

    def parts(self) -> set[str]:
        """The columns that are parts of a time."""
        return {name for column in self.dates.values() for name in column.parts or []}

    def holds_text(self, name: str) -> bool:
        """Whether a cell is neither a number nor empty."""
        return bool(self.bad(name).any())

    def bad(self, name: str) -> pd.Series:
        """Which cells of a column of numbers are neither numbers nor missing."""
        is_number = self.numbers[name].notna() | self.mean_nothing[name]
        return ~is_number & ~hold_nothing(self.table[name])


def cells_of(
    path: Path,
    table: pd.DataFrame,
    wishes: Wishes,
) -> TableCells:
    """The columns of a table that are dates, and those that may hold numbers.

    Raises
    ------
    InputError
        A cell among dates is none, or days and months cannot be told apart.
    """
    numbers: dict[str, pd.Series] = {}
    dates: dict[str, Dates] = {}
    mean_nothing: dict[str, pd.Series] = {}
    none = pd.Series(np.zeros(len(table), bool), index=table.index)
    for name in map(str, table.columns):
        cells = table[name]
        as_numbers = cells
        if not pd.api.types.is_float_dtype(cells.dtype):
            numbers_or_none = numbers_of(cells) if may_hold_numbers(cells) else np.nan
            as_numbers = pd.Series(numbers_or_none, index=cells.index)
        mean_nothing[name] = none
        if wishes.missing:
            mean_nothing[name] = as_numbers.isin(wishes.missing)
            as_numbers = as_numbers.mask(mean_nothing[name])
        found = None
        if name == wishes.time and wishes.time_format:
            found = _dates_by_format(path, cells, wishes.time_format)
        elif as_numbers.isna().mean() > 0.5:
            found = _dates(path, cells)
        if found is not None:
            dates[name] = found
        elif cells.dtype.kind not in "mM":
            numbers[name] = as_numbers
    dates = _joined_dates(path, table, dates) or dates or _counted_dates(table, numbers)
    numbers = {name: values for name, values in numbers.items() if name not in dates}
    return TableCells(table, numbers, dates, mean_nothing)


def _dates_by_format(
    path: Path,
    cells: pd.Series,
    time_format: str,
) -> Dates:
    """The cells as dates of a pattern."""
    times = times_of(cells, time_format)
    if times.isna().any():
        row = int(times.isna().to_numpy().argmax())
        raise InputError(
            f"{place_of(path, cells, row)}: found {shown(cells.iloc[row])}, which is not of the "
            f"time format {time_format}; give another one"
        )
    return Dates(times, time_format)


def _dates(path: Path, cells: pd.Series) -> Dates | None:
    """The cells as dates; None where most are none.

    Raises
    ------
    InputError
        A few of them are none, or days and months cannot be told apart.
    """
    iso = times_of(cells, None)
    if iso.notna().all():
        return Dates(iso, None)
    if iso.notna().mean() > MOSTLY:
        row = int(iso.isna().to_numpy().argmax())
        raise InputError(
            f"{place_of(path, cells, row)}: found {shown(cells.iloc[row])} among dates; write a "
            "date there, or take the line away"
        )
    found = {pattern: times_of(cells, pattern) for pattern in formats_of(cells)}
    if len(found) > 1:
        ordered = {pattern: times for pattern, times in found.items() if in_order(times)}
        found = ordered or found
    if len(found) > 1:
        first, second, *_ = found
        raise InputError(
            f"{path}: column {cells.name}: found {cells.iloc[0]!r}, which may be {first} or "
            f"{second}; write dates like 2014-01-31"
        )
    return next((Dates(times, pattern) for pattern, times in found.items()), None)


def _joined_dates(
    path: Path,
    table: pd.DataFrame,
    dates: dict[str, Dates],
) -> dict[str, Dates]:
    """A date beside a time of day, or the parts of a date, as one column."""
    time = "time" if "time" not in table else "date_and_time"
    if not dates:
        parts = parts_of_time(table)
        if not parts:
            return {}
        return {time: Dates(joined_times(path, table, parts, time), None, parts)}
    day = next(iter(dates))
    clock = next((str(name) for name in table if holds_clock(table[name])), None)
    if clock is None or not (dates[day].times == dates[day].times.dt.normalize()).all():
        return {}
    joined = joined_times(path, table, [day, clock], time)
    found = _dates(path, joined)
    return {} if found is None else {time: replace(found, parts=[day, clock])}


def _counted_dates(table: pd.DataFrame, numbers: dict[str, pd.Series]) -> dict[str, Dates]:
    """The first column of numbers that are dates: counts since 1970, or digits like 20140131."""
    for name, values in numbers.items():
        if not values.notna().all() or not (values == values.round()).all():
            continue
        if not (in_order(values) or TIMES.fullmatch(name)):
            continue
        unit = unit_since_1970(values.to_numpy())
        formats = [unit] if unit else formats_of(table[name])
        if len(formats) == 1:
            return {name: Dates(times_of(table[name], formats[0]), formats[0])}
    return {}


def step_names(cells: TableCells) -> list[str]:
    """The columns that are the steps of sequences, each a row of its own, if any.

    Their names count, and beside the means of the columns a number tells more of the one to its
    right than of the one below it.
    """
    counted: dict[str, list[str]] = {}
    for name, values in cells.numbers.items():
        prefix = name.rstrip("0123456789")
        if prefix != name and values.notna().all():
            counted.setdefault(prefix, []).append(name)
    names = max(counted.values(), key=len, default=[])
    places = [int(re.sub(r".*?(\d+)$", r"\1", name)) for name in names]
    counts_on = all(after - before == 1 for before, after in pairwise(places))
    if len(names) < SHORTEST_CYCLE or not counts_on or len(cells.table) < 2:
        return []
    numbers = np.stack([cells.numbers[name].to_numpy() for name in names], axis=1)
    spread = numbers.std(axis=0)
    centred = (numbers - numbers.mean(axis=0)) / np.where(spread > 0, spread, 1)
    beside = float((centred[:, 1:] * centred[:, :-1]).mean())
    below = float((centred[1:] * centred[:-1]).mean())
    return names if beside > below else []


def in_order(times: pd.Series, may_repeat: bool = False) -> bool:
    """Whether times rise throughout, or fall throughout."""
    rises = times.is_monotonic_increasing or times.is_monotonic_decreasing
    return bool(rises and (may_repeat or times.is_unique))
