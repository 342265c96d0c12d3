"""Times that stand in several columns: a date and a time of day, or year, month, day and so on."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from lstm_ae.core.errors import InputError
from lstm_ae.data.cells import MONTHS_OF_QUARTER, numbers_of, place_of, shown

PARTS = {
    "year": re.compile(r"(?i)year|yr|yyyy"),
    "quarter": re.compile(r"(?i)quarter|qtr"),
    "month": re.compile(r"(?i)month|mon|mo|mm"),
    "day": re.compile(r"(?i)day|dd|mday|day_?of_?month"),
    "hour": re.compile(r"(?i)hour|hr|hh"),
    "minute": re.compile(r"(?i)minute|min"),
    "second": re.compile(r"(?i)second|sec"),
}
CLOCK = r"\d{1,2}:\d\d(:\d\d(\.\d+)?)?( ?[AaPp][Mm])?"
UNITS = {
    "hour": pd.Timedelta(hours=1),
    "minute": pd.Timedelta(minutes=1),
    "second": pd.Timedelta(seconds=1),
}


def part_of_time(name: str) -> str | None:
    """Which part of a time a column's name says, if any."""
    return next((part for part, names in PARTS.items() if names.fullmatch(name)), None)


def parts_of_time(table: pd.DataFrame) -> list[str]:
    """The columns that together are a time: a year, and what divides it without a hole."""
    found: dict[str, str] = {}
    for name in table.columns:
        part = part_of_time(str(name))
        if part is not None:
            found.setdefault(part, str(name))
    if "year" not in found:
        return []
    if "quarter" in found and "month" not in found:
        return [found["year"], found["quarter"]]
    parts = []
    for part in ("year", "month", "day", "hour", "minute", "second"):
        if part not in found:
            break
        parts.append(found[part])
    return parts if len(parts) > 1 else []


def holds_clock(cells: pd.Series) -> bool:
    """Whether every cell is a time of day."""
    if not pd.api.types.is_string_dtype(cells.dtype):
        return False
    texts = cells.astype(str).str.strip()
    return len(texts) > 0 and bool(texts.str.fullmatch(CLOCK).all())


def joined_times(
    path: Path,
    table: pd.DataFrame,
    names: list[str],
    time: str,
) -> pd.Series:
    """The columns of these names as one, called `time`: dates, or a date and a time of day as text.

    Raises
    ------
    InputError
        A part of a date is no whole number, or there is no such date.
    """
    parts = {name: part_of_time(name) for name in names}
    if None in parts.values():
        texts = [table[name].astype(str).str.strip() for name in names]
        joined = texts[0]
        for text in texts[1:]:
            joined = joined + " " + text
        return joined.rename(time)
    numbers = {}
    for name, part in parts.items():
        values = numbers_of(table[name])
        wrong = ~(values == np.floor(values))
        if wrong.any():
            row = int(wrong.argmax())
            place = place_of(path, table[name], row)
            raise InputError(
                f"{place}: found {shown(table[name].iloc[row])}; a whole number is needed"
            )
        numbers[part] = values.astype(np.int64)
    if "quarter" in numbers:
        numbers["month"] = MONTHS_OF_QUARTER * (numbers.pop("quarter") - 1) + 1
    ones = np.ones(len(table), np.int64)
    days = pd.DataFrame(
        {
            "year": numbers["year"],
            "month": numbers.get("month", ones),
            "day": numbers.get("day", ones),
        },
        index=table.index,
    )
    dates = pd.to_datetime(days, errors="coerce")
    if dates.isna().any():
        row = int(dates.isna().to_numpy().argmax())
        date = "-".join(map(str, days.iloc[row]))
        raise InputError(f"{place_of(path, table[names[0]], row)}: found {date}, which is no date")
    for part, unit in UNITS.items():
        if part in numbers:
            dates = dates + numbers[part] * unit
    return dates.rename(time)
