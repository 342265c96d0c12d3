"""Daily prices as windows of one column across companies, or of five columns across time."""

import datetime
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Prepared, Split, group_sizes
from lstm_ae.params import StockForecastData, StockWindowsData

log = logging.getLogger(__name__)

COLUMNS = ("open", "high", "low", "close", "volume")
HIGH, CLOSE, VOLUME = (COLUMNS.index(name) for name in ("high", "close", "volume"))
MISSING = ["", "NA", "NaN", "nan", "null"]  # what stands for a number that is not there
ROWS = 2**16  # of a CSV that are read at once


@dataclass(frozen=True)
class Prices:
    """Complete series: `values` (symbols, days, columns) in dollars and shares, `days` as ISO dates."""

    symbols: list[str]
    days: list[str]
    columns: tuple[str, ...]
    values: NDArray[np.float64]


def read_prices(
    path: Path, columns: Sequence[str], first_day: datetime.date, last_day: datetime.date
) -> Prices:
    """Read the symbols that have every day and every number of the columns; the others are left out and counted in the log.

    Rows may come in any order. An empty field, NA, NaN, nan and null are missing numbers; a symbol of that name is a symbol.

    Raises
    ------
    InputError
        A column is missing or stands twice, a day or a symbol is none, a day stands twice, no symbol is complete; or in the period a
        value is not a number, a price is not above 0, a volume is below 0.
    """
    first, last = first_day.isoformat(), last_day.isoformat()
    table = pd.concat([_checked(path, rows, columns, first, last) for rows in _rows(path, columns)])
    if table.duplicated(["Name", "date"]).any():
        row = table.index[table.duplicated(["Name", "date"])][0]
        raise InputError(
            f"{path}: line {row + 2}: {table['Name'][row]!r} has {table['date'][row]} twice"
        )
    if table.empty:
        raise InputError(f"{path}: no rows from {first} to {last}")

    symbol, symbols = pd.factorize(table["Name"], sort=True)
    day, days = pd.factorize(table["date"], sort=True)
    values = np.full((len(symbols), len(days), len(columns)), np.nan)
    for c, name in enumerate(columns):
        values[symbol, day, c] = table[name]
    complete = np.isfinite(values).all(axis=(1, 2))
    log.info(
        "%d of %d symbols have all %d days and numbers; left out: %s",
        complete.sum(),
        len(symbols),
        len(days),
        " ".join(symbols[~complete]) or "none",
    )
    if not complete.any():
        raise InputError(f"{path}: no symbol has all {len(days)} days from {first} to {last}")
    return Prices(list(symbols[complete]), list(days), tuple(columns), values[complete])


def _rows(path: Path, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    """The rows of a CSV, `ROWS` at a time, so that text is never held whole; their index is the line less 2."""
    missing = {"date": [""], "Name": [""], **dict.fromkeys(columns, MISSING)}
    try:
        with pd.read_csv(
            path,
            dtype={"date": str, "Name": str},
            keep_default_na=False,
            na_values=missing,
            skip_blank_lines=False,
            chunksize=ROWS,
            low_memory=False,
            encoding="utf-8-sig",
        ) as chunks:
            yield from chunks
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a CSV ({' '.join(str(error).split())})") from error


def _checked(
    path: Path, rows: pd.DataFrame, columns: Sequence[str], first: str, last: str
) -> pd.DataFrame:
    """The rows of the period, their columns numbers."""
    if not isinstance(rows.index, pd.RangeIndex):
        raise InputError(f"{path}: the first lines have more fields than the header")
    for name in ("date", *columns, "Name"):
        if name not in rows.columns:
            raise InputError(f"{path}: column {name} is missing; found {', '.join(rows.columns)!r}")
        if f"{name}.1" in rows.columns:  # as pandas reads a second one
            raise InputError(f"{path}: column {name} stands twice")

    def refuse(column: pd.Series, wrong: pd.Series, allowed: str) -> None:
        if wrong.any():
            row = int(np.argmax(wrong))
            found = "nothing" if column.isna().iloc[row] else repr(str(column.iloc[row]))
            raise InputError(
                f"{path}: column {column.name}, line {rows.index[row] + 2}: found {found}, {allowed} is allowed"
            )

    rows = rows.dropna(how="all")
    days = pd.to_datetime(rows["date"], format="%Y-%m-%d", errors="coerce")
    refuse(
        rows["date"],
        days.isna() | (rows["date"].str.len() != len("2014-01-02")),
        "a date like 2014-01-02",
    )
    refuse(rows["Name"], rows["Name"].isna(), "a symbol")
    rows = rows[rows["date"].between(first, last)]
    numbers = {}
    for name in columns:
        column = rows[name]
        number = numbers[name] = pd.to_numeric(column, errors="coerce").astype(np.float64)
        text = column.notna() & (number.isna() | (column.dtype == bool))
        low = number < 0 if name == "volume" else number <= 0
        refuse(
            column,
            text | low | np.isinf(number),
            f"a finite number {'of at least' if name == 'volume' else 'above'} 0",
        )
    return pd.DataFrame({"date": rows["date"], "Name": rows["Name"], **numbers})


def split_companies(
    symbols: Sequence[str], data: StockWindowsData, seed: int
) -> dict[str, list[str]]:
    """Split symbols by company: share classes of one company stay together, `test_symbols` are in test."""
    company = {name: group[0] for group in data.share_classes for name in group}
    companies: dict[str, list[str]] = {}
    for symbol in sorted(symbols):
        companies.setdefault(company.get(symbol, symbol), []).append(symbol)
    in_test = {company.get(symbol, symbol) for symbol in data.test_symbols} & companies.keys()
    others = [name for name in companies if name not in in_test]
    train, validation, _ = group_sizes(data.split, len(companies))
    validation = max(validation, 1)
    train = min(train, len(others) - validation)
    if train < 1:
        raise InputError(
            f"{len(others)} companies beside test_symbols have complete series; at least 2 are needed"
        )
    order = [others[i] for i in np.random.default_rng(seed).permutation(len(others))]
    groups = {
        "train": order[:train],
        "validation": order[train : train + validation],
        "test": [*in_test, *order[train + validation :]],
    }
    return {
        name: sorted(symbol for member in members for symbol in companies[member])
        for name, members in groups.items()
    }


def prepare_windows(path: Path, data: StockWindowsData, seed: int, source: str) -> Prepared:
    """Windows of log price minus the log price of their first day, over the training split's standard deviation.

    Training windows overlap by the stride; those of validation and test tile the days, the last one ending on the last day.
    """
    prices = read_prices(path, COLUMNS, data.first_day, data.last_day)
    logs = np.log(prices.values[:, :, COLUMNS.index(data.column)])
    days = logs.shape[1]
    if days < data.window:
        raise InputError(f"{path}: {days} days, fewer than a window of {data.window}")
    companies = split_companies(prices.symbols, data, seed)
    tiles = sorted({*range(0, days - data.window + 1, data.window), days - data.window})
    splits: dict[str, Split] = {}
    scale = 1.0
    for name, members in companies.items():
        starts = range(0, days - data.window + 1, data.stride) if name == "train" else tiles
        rows = [prices.symbols.index(symbol) for symbol in members]
        windows = np.stack(
            [logs[rows, start : start + data.window] for start in starts], axis=1
        ).reshape(-1, data.window, 1)
        anchors = windows[:, 0, 0].copy()
        windows = windows - anchors[:, None, None]
        if name == "train":
            scale = float(windows.std())
            if scale == 0:
                raise InputError(
                    f"{path}: column {data.column} never changes in the training windows"
                )
        extras = {
            "anchor": anchors,
            "symbol": np.repeat(np.arange(len(rows)), len(starts)),
            "start": np.tile(np.array(starts, np.int64), len(rows)),
        }
        splits[name] = Split((windows / scale).astype(np.float32), extras=extras)
    description = {
        "data_source": source,
        "unit_interval": False,
        "column": data.column,
        "scale": scale,
        "days": prices.days,
        "symbols": companies,
    }
    return Prepared(splits, description)


def to_dollars(
    sequences: NDArray[np.float64], anchors: NDArray[np.float64], scale: float
) -> NDArray[np.float64]:
    """Windows (N, T) back in dollars, from the log price of their first day (N,)."""
    return np.asarray(np.exp(sequences * scale + anchors[:, None]))


def returns(prices: Prices) -> NDArray[np.float64]:
    """(symbols, days - 1, 5): log prices minus the log close of the day before, and the change of log volume.

    A day of no volume counts as the last volume above 0 of that symbol.
    """
    volume = prices.values[:, :, VOLUME]
    last_traded = np.maximum.accumulate(np.where(volume > 0, np.arange(volume.shape[1]), 0), axis=1)
    logs = np.log(
        np.concatenate(
            [
                prices.values[:, :, :VOLUME],
                np.maximum(np.take_along_axis(volume, last_traded, 1), 1)[:, :, None],
            ],
            axis=2,
        )
    )
    before = np.concatenate(
        [np.repeat(logs[:, :-1, CLOSE, None], VOLUME, axis=2), logs[:, :-1, VOLUME, None]], axis=2
    )
    return np.asarray(logs[:, 1:] - before)


def prepare_forecast(path: Path, data: StockForecastData, source: str) -> Prepared:
    """Windows of daily returns of all five columns, split by time, standardised by the training days.

    Training windows and the day after them lie in training days. Validation and test score each day of theirs once as the next day of a
    window that may begin before the border. `rollouts` are the multi-step windows of test: `fed` days, then days of test alone.
    """
    prices = read_prices(path, COLUMNS, data.first_day, data.last_day)
    features = returns(prices)
    days = prices.days[1:]
    borders = [
        int(np.searchsorted(days, day.isoformat(), side="right"))
        for day in (data.last_train_day, data.last_validation_day, data.last_day)
    ]
    train_end, validation_end, test_end = borders
    horizon = data.window - data.fed
    if (
        train_end < data.window + 1
        or validation_end - train_end < 1
        or test_end - validation_end < horizon
    ):
        found = f"{train_end}, {validation_end - train_end} and {test_end - validation_end}"
        allowed = f"{data.window + 1}, 1 and {horizon}"
        raise InputError(
            f"{path}: {found} days of train, validation and test; at least {allowed} are needed"
        )
    means, scales = (
        features[:, :train_end].mean(axis=(0, 1)),
        features[:, :train_end].std(axis=(0, 1)),
    )
    if not scales.all():
        raise InputError(
            f"{path}: column {COLUMNS[int(scales.argmin())]} never changes in the training days"
        )
    standard = ((features - means) / scales).astype(np.float32)
    logs = np.log(prices.values[:, 1:, [HIGH, CLOSE]])

    def windows(starts: Sequence[int], first_scored: Sequence[int] | None, length: int) -> Split:
        """`length` days from each start, for every symbol; day data.window of them is the following one."""
        cut = np.stack([standard[:, start : start + length] for start in starts], axis=1).reshape(
            -1, length, len(COLUMNS)
        )
        extras: dict[str, NDArray[Any]] = {
            name: np.stack(
                [logs[:, start : start + length, c] for start in starts], axis=1
            ).reshape(-1, length)
            for c, name in enumerate(("log_high", "log_close"))
        }
        count = len(prices.symbols)
        extras |= {
            "symbol": np.repeat(np.arange(count), len(starts)),
            "start": np.tile(np.array(starts, np.int64), count),
        }
        following = cut[:, data.window].copy() if length > data.window else None
        scored = None if first_scored is None else np.tile(np.array(first_scored, np.int64), count)
        return Split(
            np.ascontiguousarray(cut[:, : data.window]),
            following=following,
            first_scored=scored,
            extras=extras,
        )

    def scoring(begin: int, end: int) -> Split:
        """Windows whose scored next days tile begin..end - 1."""
        tiles = [(first, min(first + horizon, end) - 1) for first in range(begin, end, horizon)]
        starts = [last - data.window for _, last in tiles]
        return windows(
            starts,
            [first - 1 - start for (first, _), start in zip(tiles, starts, strict=True)],
            data.window + 1,
        )

    train = windows(range(0, train_end - data.window, data.stride), None, data.window + 1)
    splits = {
        "train": Split(train.sequences, following=train.following, group=train.extras["start"]),
        "validation": scoring(train_end, validation_end),
        "test": scoring(validation_end, test_end),
        "rollouts": windows(
            range(validation_end - data.fed, test_end - data.window + 1, data.origin_stride),
            None,
            data.window,
        ),
    }
    description = {
        "data_source": source,
        "unit_interval": False,
        "columns": list(COLUMNS),
        "fed": data.fed,
        "days": days,
        "symbols": prices.symbols,
        "means": means.tolist(),
        "scales": scales.tolist(),
    }
    return Prepared(splits, description)
