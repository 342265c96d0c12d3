"""The kind `stock_windows`: one column of daily prices, split by company."""

from collections.abc import Sequence

import numpy as np

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Description
from lstm_ae.data.prepared import Prepared, part_sizes
from lstm_ae.data.prices import FILE, acquire_prices, read_prices
from lstm_ae.data.raw import RawData
from lstm_ae.data.splitting import Part, split_of
from lstm_ae.params import StockWindowsData
from lstm_ae.units.layout import Layout
from lstm_ae.units.windows import fitted, tiles, unscaled_windows


def acquire(data: StockWindowsData, raw: RawData) -> str:
    """Bring the file of daily prices."""
    return acquire_prices(raw)


def prepare(data: StockWindowsData, raw: RawData) -> Prepared:
    """Windows of log price minus the log price of their first day.

    They are scaled by the standard deviation of the training windows. Training windows overlap by
    the stride; those of validation and test tile the days, the last one ending on the last day.
    """
    path = raw.directory / FILE
    prices = read_prices(path, data.first_day, data.last_day)
    days = len(prices.days)
    if days < data.window:
        raise InputError(
            f"{path}: {days} days, fewer than a window of {data.window}; a shorter window or a "
            "longer period is needed"
        )
    members = split_companies(prices.symbols, data, raw.seed)
    overlapping = list(range(0, days - data.window + 1, data.stride))
    tiling = tiles(0, days, data.window)
    series = prices.series([data.column])
    parts = {}
    for name, symbols in members.items():
        first_rows = overlapping if name == "train" else tiling
        parts[name] = Part([first_rows if symbol in symbols else [] for symbol in prices.symbols])

    layout = layout_of(data)
    steps, _ = unscaled_windows(
        series,
        layout,
        parts["train"].first_rows,
        data.window,
    )
    layout = fitted(path, layout, steps)
    splits = {name: split_of(series, layout, part) for name, part in parts.items()}
    description = Description(
        data_source=raw.data_source,
        unit_interval=False,
        series=prices.symbols,
        clock=str(series[0].times.dtype),
        members=members,
    )
    return Prepared(splits, description, layout, whole=("test",))


def layout_of(data: StockWindowsData) -> Layout:
    """How a table of prices is read, before its scaling is known."""
    return Layout(
        columns=[data.column],
        columns_are="variables",
        series="Name",
        time="date",
        window=data.window,
        stride=data.stride,
        predict=False,
        scaling="log_return",
        centre=[0.0],
        scale=[1.0],
    )


def split_companies(
    symbols: Sequence[str],
    data: StockWindowsData,
    seed: int,
) -> dict[str, list[str]]:
    """Split symbols by company.

    Share classes of one company stay together; `test_symbols` are in test.

    Raises
    ------
    InputError
        Too few companies are left for training and validation.
    """
    company_of = {symbol: classes[0] for classes in data.share_classes for symbol in classes}
    companies: dict[str, list[str]] = {}
    for symbol in sorted(symbols):
        companies.setdefault(company_of.get(symbol, symbol), []).append(symbol)
    named = {company_of.get(symbol, symbol) for symbol in data.test_symbols}
    in_test = named & companies.keys()
    others = [company for company in companies if company not in in_test]
    train, validation, _ = part_sizes(data.split, len(companies))
    validation = max(validation, 1)
    train = min(train, len(others) - validation)
    if train < 1:
        raise InputError(
            f"{len(others)} companies beside test_symbols have complete series; at least 2 are "
            "needed"
        )
    order = [others[place] for place in np.random.default_rng(seed).permutation(len(others))]
    groups = {
        "train": order[:train],
        "validation": order[train : train + validation],
        "test": [*in_test, *order[train + validation :]],
    }
    members: dict[str, list[str]] = {}
    for name, group in groups.items():
        members[name] = sorted(symbol for company in group for symbol in companies[company])
    return members
