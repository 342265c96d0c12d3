"""The cells of a column, as numbers and as times."""

import datetime
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Counts since 1970 by their unit; those of a century lie apart from those of another unit.
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
FIRST_SECOND, LAST_SECOND = 315_532_800, 4_102_444_800  # 1980 and 2100
TRUTHS = {"true": 1.0, "false": 0.0}
# Words for a missing value, in small letters.
NOTHING = {"", "na", "n/a", "#n/a", "nan", "-nan", "nat", "null", "none", "nil", "<na>", "-", "--"}
NOTHING |= {".", "?"}
FIRST_CELLS = 1000
DAYS = ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y", "%Y{0}%m{0}%d")
CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
COMPACT = ("%Y%m%d", "%Y%m%d%H%M", "%Y%m%d%H%M%S")
NAMED_MONTHS = (
    "%d %b %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%b %d %Y",
    "%b-%d-%Y",
    "%Y-%b-%d",
    "%d %B %Y",
    "%B %d, %Y",
    "%B %d %Y",
)
MONTHS = (
    "%Y %b",
    "%b %Y",
    "%b-%Y",
    "%Y-%b",
    "%b-%y",
    "%B %Y",
    "%Y %B",
    "%m/%Y",
    "%Y/%m",
    "%YM%m",
)
# %q, as pandas writes it, is 1 to 4.
QUARTERS = (
    "%YQ%q",
    "%Y Q%q",
    "%Y-Q%q",
    "Q%q %Y",
    "Q%q-%Y",
)
MONTHS_OF_QUARTER = 3


def numbers_of(cells: pd.Series) -> Array:
    """Cells as numbers, NaN where one is none; True and False are 1 and 0.

    A date or a duration is none: its number would depend on its unit.
    """
    if cells.dtype.kind in "mM":
        return np.full(len(cells), np.nan)
    if isinstance(cells.dtype, np.dtype) and cells.dtype.kind in "fiub":
        return cells.to_numpy(np.float64)
    numbers = pd.to_numeric(cells, errors="coerce")
    if numbers.isna().any() and cells.dtype.kind not in "fiub":
        truths = cells.astype(str).str.strip().str.lower().map(TRUTHS)
        numbers = numbers.fillna(truths)
    return numbers.to_numpy(np.float64, na_value=np.nan)


def may_hold_numbers(cells: pd.Series) -> bool:
    """Whether a number stands among the first cells that hold anything."""
    first = cells.iloc[:FIRST_CELLS]
    return bool(hold_nothing(first).all() or np.isfinite(numbers_of(first)).any())


def hold_nothing(cells: pd.Series) -> NDArray[np.bool_]:
    """Which cells are empty or say in a word that nothing was measured, (n,)."""
    missing = cells.isna()
    if cells.dtype.kind in "OU" or pd.api.types.is_string_dtype(cells.dtype):
        words = cells.astype(str).str.strip().str.lower()
        missing = missing | words.isin(NOTHING)
    return missing.to_numpy(bool)


def place_of(path: Path, cells: pd.Series, row: int) -> str:
    """Where a person finds a cell."""
    return f"{path}: column {cells.name}, {cells.index.name} {cells.index[row]}"


def shown(cell: Any) -> str:
    """A cell as an error says it."""
    if isinstance(cell, str):
        return repr(cell) if cell else "nothing"
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return "nothing"
    return exact(cell) if isinstance(cell, float) else str(cell)


def exact(number: float) -> str:
    """A number in as few digits as tell it exactly."""
    return repr(float(number)).removesuffix(".0")


def times_of(cells: pd.Series, time_format: str | None) -> pd.Series:
    """Cells as dates in UTC, NaT where one is none.

    Parameters
    ----------
    time_format
        None reads dates of ISO 8601; "s", "ms", "us" and "ns" read counts since 1970; all else is a
        pattern of strptime, in which %q is a quarter.
    """
    if time_format in UNITS:
        return _since_1970(cells, time_format)
    if pd.api.types.is_datetime64_any_dtype(cells):
        return pd.to_datetime(cells, utc=True)
    texts = cells.astype(str).str.strip()
    if time_format is not None and "%q" in time_format:
        return _first_days_of_quarters(texts, time_format)
    return pd.to_datetime(
        texts,
        format=time_format or "ISO8601",
        utc=True,
        errors="coerce",
    )


def clock_times(times: pd.Series) -> NDArray[Any]:
    """Dates in UTC as microseconds, or as nanoseconds where they need them."""
    plain = times.dt.tz_localize(None)
    exact = plain.to_numpy("datetime64[ns]")
    rounded = plain.to_numpy("datetime64[us]")
    return exact if (exact != rounded).any() else rounded


def unit_since_1970(numbers: Array) -> str | None:
    """The unit of counts since 1970, by their size; None where they are none."""
    if not len(numbers) or not np.isfinite(numbers).all():
        return None
    smallest = numbers.min()
    largest = numbers.max()
    for unit, a_second in UNITS.items():
        first = FIRST_SECOND * a_second
        last = LAST_SECOND * a_second
        if first <= smallest and largest < last:
            return unit
    return None


def formats_of(cells: pd.Series) -> list[str]:
    """The patterns of strptime by which every cell is a date, other than ISO 8601."""
    texts = cells.astype(str).str.strip()
    if texts.empty:
        return []
    return [pattern for pattern in _patterns(texts.iloc[0]) if _fits(texts, pattern)]


def _since_1970(cells: pd.Series, unit: Any) -> pd.Series:
    numbers = pd.to_numeric(cells, errors="coerce")
    return pd.to_datetime(
        numbers,
        unit=unit,
        utc=True,
        errors="coerce",
    )


def _first_days_of_quarters(texts: pd.Series, time_format: str) -> pd.Series:
    """Texts like 2014Q1 as dates, NaT where one is none."""
    parts = texts.str.extract(f"^{_expression(time_format)}$")
    months = MONTHS_OF_QUARTER * (pd.to_numeric(parts["quarter"]) - 1) + 1
    years_and_months = 100 * pd.to_numeric(parts["year"]) + months
    return pd.to_datetime(
        years_and_months,
        format="%Y%m",
        utc=True,
        errors="coerce",
    )


def _expression(time_format: str) -> str:
    """A pattern of years and quarters as a regular expression."""
    with_years = time_format.replace("%Y", r"(?P<year>\d{4})")
    return with_years.replace("%q", "(?P<quarter>[1-4])")


def _patterns(text: str) -> Iterator[str]:
    """Patterns that fit a first cell."""
    candidates = [*COMPACT, *MONTHS, *QUARTERS]
    days = [*NAMED_MONTHS]
    for mark in "./-":
        days += [day.format(mark) for day in DAYS]
    candidates += days
    for day, clock in product(days, CLOCKS):
        candidates.append(f"{day} {clock}")
        candidates.append(f"{day}T{clock}")
    for pattern in dict.fromkeys(candidates):
        if _parses(text, pattern):
            yield pattern


def _parses(text: str, pattern: str) -> bool:
    if "%q" in pattern:
        return re.fullmatch(_expression(pattern), text) is not None
    try:
        datetime.datetime.strptime(text, pattern)
    except ValueError:
        return False
    return True


def _fits(texts: pd.Series, pattern: str) -> bool:
    dates = times_of(texts, pattern)
    years = dates.dt.year
    return bool(dates.notna().all() and years.between(1900, 2100).all())
