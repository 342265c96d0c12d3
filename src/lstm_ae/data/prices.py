"""Daily prices of many symbols: a CSV read and checked."""

import datetime
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstm_ae.core.errors import InputError
from lstm_ae.data.public import bring_stocks
from lstm_ae.data.raw import RawData
from lstm_ae.units.windows import Series

log = logging.getLogger(__name__)

FILE = "all_stocks_5yr.csv"
COLUMNS = ("open", "high", "low", "close", "volume")
HIGH, CLOSE, VOLUME = (COLUMNS.index(name) for name in ("high", "close", "volume"))
MISSING = ["", "NA", "NaN", "nan", "null"]  # what stands for a number that is not there
CHUNK_ROWS = 2**16  # of a CSV that are read at once


def acquire_prices(raw: RawData) -> str:
    """Bring the file of daily prices."""
    return bring_stocks(raw.directory / FILE)


@dataclass(frozen=True)
class Prices:
    """Complete series of daily prices.

    Parameters
    ----------
    symbols
        Their names, sorted.
    days
        ISO dates, in order.
    values
        (symbols, days, `COLUMNS`) in dollars and shares.
    """

    symbols: list[str]
    days: list[str]
    values: NDArray[np.float64]

    def series(self, columns: Sequence[str]) -> list[Series]:
        """These columns of each symbol."""
        times = np.array(self.days, "datetime64[us]")
        places = [COLUMNS.index(name) for name in columns]
        return [
            Series(symbol, times, np.ascontiguousarray(values[:, places]))
            for symbol, values in zip(self.symbols, self.values, strict=True)
        ]


def read_prices(
    path: Path,
    first_day: datetime.date,
    last_day: datetime.date,
) -> Prices:
    """Read the symbols that have every day and every number; the others are counted in the log.

    Rows may come in any order. An empty field, NA, NaN, nan and null are missing numbers; a symbol
    of that name is a symbol.

    Raises
    ------
    InputError
        A column is missing or stands twice, a day or a symbol is missing, a symbol has a day twice,
        no symbol is complete; or in the period a value is not a number, a price is not above 0, a
        volume is below 0.
    """
    first, last = first_day.isoformat(), last_day.isoformat()
    table = pd.concat([_checked(path, rows, first, last) for rows in _chunks(path)])
    repeated = table.duplicated(["Name", "date"])
    if repeated.any():
        row = table.index[repeated][0]
        raise InputError(
            f"{path}: line {row + 2}: {table['Name'][row]!r} has {table['date'][row]} twice; "
            "remove one of the two lines"
        )
    if table.empty:
        raise InputError(f"{path}: no rows from {first} to {last}; other days are needed")

    symbol_of_row, symbols = pd.factorize(table["Name"], sort=True)
    day_of_row, days = pd.factorize(table["date"], sort=True)
    values = np.full((len(symbols), len(days), len(COLUMNS)), np.nan)
    for place, name in enumerate(COLUMNS):
        values[symbol_of_row, day_of_row, place] = table[name]
    complete = np.isfinite(values).all(axis=(1, 2))
    left_out = " ".join(symbols[~complete]) or "none"
    log.info(
        "%d of %d symbols have all %d days and numbers; left out: %s",
        complete.sum(),
        len(symbols),
        len(days),
        left_out,
    )
    if not complete.any():
        raise InputError(
            f"{path}: no symbol has all {len(days)} days from {first} to {last}; a shorter period "
            "may have some"
        )
    return Prices(list(symbols[complete]), list(days), values[complete])


def _chunks(path: Path) -> Iterator[pd.DataFrame]:
    """The rows of a CSV, `CHUNK_ROWS` at a time, so that text is never held whole.

    Their index is the line less 2.
    """
    missing = {"date": [""], "Name": [""], **dict.fromkeys(COLUMNS, MISSING)}
    try:
        with pd.read_csv(
            path,
            dtype={"date": str, "Name": str},
            keep_default_na=False,
            na_values=missing,
            skip_blank_lines=False,
            chunksize=CHUNK_ROWS,
            low_memory=False,
            encoding="utf-8-sig",
        ) as chunks:
            yield from chunks
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a CSV ({' '.join(str(error).split())})") from error


def _checked(
    path: Path,
    rows: pd.DataFrame,
    first: str,
    last: str,
) -> pd.DataFrame:
    """The rows of the period, their columns numbers."""
    _check_header(path, rows)
    rows = rows.dropna(how="all")
    days = pd.to_datetime(rows["date"], format="%Y-%m-%d", errors="coerce")
    wrong_day = days.isna() | (rows["date"].str.len() != len("2014-01-02"))
    _refuse(path, rows["date"], wrong_day, "a date like 2014-01-02")
    _refuse(path, rows["Name"], rows["Name"].isna(), "a symbol")
    rows = rows[rows["date"].between(first, last)]
    numbers = {}
    for name in COLUMNS:
        column = rows[name]
        numbers[name] = pd.to_numeric(column, errors="coerce").astype(np.float64)
        is_text = column.notna() & (numbers[name].isna() | (column.dtype == bool))
        if name == "volume":
            too_low, bound = numbers[name] < 0, "of at least 0"
        else:
            too_low, bound = numbers[name] <= 0, "above 0"
        wrong = is_text | too_low | np.isinf(numbers[name])
        _refuse(path, column, wrong, f"a finite number {bound}")
    return pd.DataFrame({"date": rows["date"], "Name": rows["Name"], **numbers})


def _check_header(path: Path, rows: pd.DataFrame) -> None:
    if not isinstance(rows.index, pd.RangeIndex):
        raise InputError(f"{path}: the first lines have more fields than the header")
    for name in ("date", *COLUMNS, "Name"):
        if name not in rows.columns:
            raise InputError(f"{path}: column {name} is missing; found {', '.join(rows.columns)!r}")
        if f"{name}.1" in rows.columns:  # as pandas reads a second one
            raise InputError(f"{path}: column {name} stands twice; remove one")


def _refuse(
    path: Path,
    column: pd.Series,
    wrong: pd.Series,
    needed: str,
) -> None:
    """Raise an error that names the first wrong cell of a column, if there is one."""
    if not wrong.any():
        return
    row = int(np.argmax(wrong))
    cell = column.iloc[row]
    shown = "nothing" if pd.isna(cell) else repr(str(cell))
    line = column.index[row] + 2
    raise InputError(
        f"{path}: column {column.name}, line {line}: found {shown}; {needed} is needed"
    )
