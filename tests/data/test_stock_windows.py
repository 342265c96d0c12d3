import numpy as np
import pandas as pd
import pytest

from lstm_ae.data import stock_windows
from lstm_ae.data.prepared import Prepared
from lstm_ae.data.prices import HIGH, Prices, read_prices
from lstm_ae.data.raw import RawData
from lstm_ae.units.layout import to_units
from tests.stocks import days_of, rewrite

SYMBOLS = ["AMZN", "BBB", "CCC", "DISCA", "DISCK", "EEE", "FFF", "GOOGL"]


@pytest.fixture
def data(params):
    return params.section("snp").data


@pytest.fixture
def prepare(prices_csv, data):
    def prepare() -> Prepared:
        return stock_windows.prepare(data, RawData("snp", prices_csv.parent, 0, "test"))

    return prepare


@pytest.fixture
def prices(prices_csv, data) -> Prices:
    return read_prices(prices_csv, data.first_day, data.last_day)


def test_share_classes_stay_together_and_the_named_stocks_are_in_test(data) -> None:
    for seed in range(20):
        members = stock_windows.split_companies(SYMBOLS, data, seed)
        assert {"AMZN", "GOOGL"} <= set(members["test"])
        assert any({"DISCA", "DISCK"} <= set(symbols) for symbols in members.values())
        assert sorted(symbol for symbols in members.values() for symbol in symbols) == SYMBOLS


def test_the_windows_are_those_of_log_prices_over_their_first_day_to_the_bit(
    prepare, prices, data
) -> None:
    """Cut and scaled here with NumPy alone."""
    prepared = prepare()
    members = prepared.description.members
    logs = np.log(prices.values[:, :, HIGH])
    days, window = len(prices.days), data.window
    overlapping = range(0, days - window + 1, data.stride)
    tiling = [*range(0, days - window + 1, window)]
    if tiling[-1] + window < days:
        tiling.append(days - window)
    windows = {}
    for name in ("train", "validation", "test"):
        first_days = overlapping if name == "train" else tiling
        rows = [prices.symbols.index(symbol) for symbol in members[name]]
        cut = [logs[row, first : first + window] for row in rows for first in first_days]
        windows[name] = np.stack(cut)
        windows[name] = windows[name] - windows[name][:, :1]
    scale = windows["train"].std()
    assert prepared.layout.scale == [scale] and prepared.layout.centre == [0.0]
    for name, steps in windows.items():
        expected = (steps / scale).astype(np.float32)[:, :, None]
        assert np.array_equal(prepared.splits[name].sequences, expected)


def test_windows_come_back_in_dollars(prepare, prices, data) -> None:
    prepared = prepare()
    test = prepared.splits["test"]
    dollars = to_units(test.sequences, test.base, prepared.layout)[:, :, 0]
    days = days_of(prepared, "test")
    for row in (0, len(test) - 1):
        symbol = prepared.description.series[test.series[row]]
        start = prices.days.index(str(days[row, 0]))
        truth = prices.values[prices.symbols.index(symbol), start : start + data.window, HIGH]
        assert symbol in prepared.description.members["test"]
        assert np.allclose(dollars[row], truth, rtol=1e-5)
    assert prepared.splits["train"].sequences.std() == pytest.approx(1, abs=1e-3)
    assert (test.sequences[:, 0] == 0).all()


def test_test_windows_tile_every_day(prepare, prices) -> None:
    prepared = prepare()
    days = days_of(prepared, "test")
    for symbol in prepared.description.members["test"]:
        place = prepared.description.series.index(symbol)
        rows = prepared.splits["test"].series == place
        assert np.unique(days[rows]).astype(str).tolist() == prices.days


@pytest.mark.parametrize(
    ("split", "untouched"), [("validation", ("train", "test")), ("test", ("train", "validation"))]
)
def test_a_company_of_another_split_cannot_reach_training(
    prices_csv, prepare, split: str, untouched: tuple[str, str]
) -> None:
    before = prepare()
    symbol = before.description.members[split][0]

    def risen(table: pd.DataFrame) -> pd.DataFrame:
        rows = table["Name"] == symbol
        prices = table.loc[rows, "high"].astype(float) * np.linspace(1, 9, rows.sum())
        table.loc[rows, "high"] = prices.astype(str)
        return table

    rewrite(prices_csv, risen)
    after = prepare()
    for name in untouched:
        assert np.array_equal(before.splits[name].sequences, after.splits[name].sequences)
    assert before.description == after.description and before.layout == after.layout
    assert not np.array_equal(before.splits[split].sequences, after.splits[split].sequences)


def test_no_company_is_in_two_splits(prepare, data) -> None:
    prepared = prepare()
    members = prepared.description.members
    company = {symbol: symbol for symbol in prepared.description.series}
    company |= {symbol: classes[0] for classes in data.share_classes for symbol in classes}
    companies = [set(map(company.__getitem__, symbols)) for symbols in members.values()]
    assert sum(map(len, companies)) == len(set.union(*companies)) == 7
    for name, symbols in members.items():
        places = np.unique(prepared.splits[name].series)
        assert [prepared.description.series[place] for place in places] == symbols
