from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstm_ae.data import stock_forecast
from lstm_ae.data.prepared import Prepared
from lstm_ae.data.prices import CLOSE, COLUMNS, HIGH, VOLUME, Prices, read_prices
from lstm_ae.data.raw import RawData
from lstm_ae.data.stock_forecast import SCORED, traded_volume
from lstm_ae.units.windows import log_returns
from tests.stocks import days_of, rewrite


@pytest.fixture
def data(params):
    return params.section("snp_forecast").data


@pytest.fixture
def prepare(prices_csv, data):
    def prepare() -> Prepared:
        raw = RawData("snp_forecast", prices_csv.parent, 0, "test")
        return stock_forecast.prepare(data, raw)

    return prepare


@pytest.fixture
def prices(prices_csv, data) -> Prices:
    return read_prices(prices_csv, data.first_day, data.last_day)


def shock(path: Path, first_day: str) -> None:
    """Make every number from that day on another one."""
    random = np.random.default_rng(1)

    def change(table: pd.DataFrame) -> pd.DataFrame:
        rows = table["date"] >= first_day
        for name in COLUMNS:
            factors = random.uniform(2, 3, rows.sum())
            table.loc[rows, name] = (table.loc[rows, name].astype(float) * factors).astype(str)
        return table

    rewrite(path, change)


def test_the_windows_are_those_of_standardised_returns_to_the_bit(prepare, prices, data) -> None:
    """Cut and scaled here with NumPy alone: prices over the close before, volume over volume."""
    prepared = prepare()
    logs = np.log(prices.values)
    before = np.concatenate([logs[:, :-1, [CLOSE] * 4], logs[:, :-1, [VOLUME]]], axis=2)
    returns = logs[:, 1:] - before
    days = np.array(prices.days[1:], "datetime64[D]")

    def days_until(last_day: date) -> int:
        return int((days <= np.datetime64(last_day)).sum())

    train_end = days_until(data.last_train_day)
    validation_end = days_until(data.last_validation_day)
    test_end = days_until(data.last_day)
    training = returns[:, :train_end]
    means, scales = training.mean(axis=(0, 1)), training.std(axis=(0, 1))
    assert prepared.layout.centre == means.tolist() and prepared.layout.scale == scales.tolist()
    standard = ((returns - means) / scales).astype(np.float32)
    window, horizon = data.window, data.window - data.fed

    def scoring(begin: int, end: int, days: int) -> list[int]:
        return [min(day + days, end) - 1 - window for day in range(begin, end, days)]

    starts = {
        "train": [*range(0, train_end - window, data.stride)],
        "validation": scoring(train_end, validation_end, horizon),
        "test": scoring(validation_end, test_end, min(horizon, SCORED)),
        "rollouts": [*range(validation_end - data.fed, test_end - window + 1, data.origin_stride)],
    }
    for name, first_days in starts.items():
        split = prepared.splits[name]
        cut = [series[first : first + window] for series in standard for first in first_days]
        assert np.array_equal(split.sequences, np.stack(cut))
        count = len(prices.symbols)
        assert np.array_equal(split.series, np.repeat(np.arange(count), len(first_days)))
        assert np.array_equal(days_of(prepared, name)[:, 0], np.tile(days[first_days], count))
        if name == "rollouts":
            assert split.following is None
            continue
        following = [series[first + window] for series in standard for first in first_days]
        assert np.array_equal(split.following, np.stack(following))
    groups = np.tile(np.arange(len(starts["train"])), len(prices.symbols))
    assert np.array_equal(prepared.splits["train"].group, groups)


def test_the_future_cannot_reach_training(prices_csv, prepare) -> None:
    before = prepare()
    shock(prices_csv, "2017-01-02")
    after = prepare()
    assert np.array_equal(before.splits["train"].sequences, after.splits["train"].sequences)
    assert np.array_equal(before.splits["train"].following, after.splits["train"].following)
    assert before.layout == after.layout
    assert not np.array_equal(
        before.splits["validation"].sequences, after.splits["validation"].sequences
    )


def test_the_test_half_year_cannot_reach_validation(prices_csv, prepare) -> None:
    before = prepare()
    shock(prices_csv, "2017-07-03")
    after = prepare()
    earlier, later = before.splits["validation"], after.splits["validation"]
    assert np.array_equal(earlier.sequences, later.sequences)
    assert np.array_equal(earlier.following, later.following)
    assert not np.array_equal(before.splits["test"].sequences, after.splits["test"].sequences)


def test_each_day_of_a_split_is_scored_once_as_the_next_day(prepare, prices) -> None:
    prepared = prepare()
    for name, first, last in (
        ("validation", "2017-01-01", "2017-06-30"),
        ("test", "2017-07-01", "2017-12-29"),
    ):
        split, days = prepared.splits[name], days_of(prepared, name)
        expected = [day for day in prices.days if first <= day <= last]
        for place in range(len(prices.symbols)):
            scored: list[str] = []
            for row in np.flatnonzero(split.series == place):
                scored += days[row, split.first_scored[row] + 1 :].astype(str).tolist()
            assert sorted(scored) == expected


def test_every_horizon_day_of_a_rollout_lies_in_test(prepare, prices, data) -> None:
    prepared = prepare()
    days = days_of(prepared, "rollouts")
    assert days.shape[1] == data.window
    assert str(days[:, data.fed].min()) == min(day for day in prices.days if day >= "2017-07-01")
    assert str(days[:, -1].max()) <= "2017-12-29"
    assert (prepared.splits["rollouts"].first_scored == data.fed - 1).all()


def test_the_first_days_of_validation_and_test_are_told(prepare, prices) -> None:
    first_of = {"validation": "2016-12-31", "test": "2017-07-01"}
    first_times = {}
    for name, first in first_of.items():
        first_times[name] = min(day for day in prices.days if day >= first)
    assert prepare().description.first_times == first_times


def test_returns_add_up_to_the_log_price(prices, data) -> None:
    layout = stock_forecast.layout_of(data)
    for one_series in prices.series(COLUMNS):
        returns = log_returns(one_series, layout)
        logs = np.log(one_series.values)
        closes = logs[:, CLOSE]
        assert np.allclose(closes[0] + np.cumsum(returns[:, CLOSE]), closes[1:])
        assert np.allclose(closes[:-1] + returns[:, HIGH], logs[1:, HIGH])
        assert np.allclose(logs[:-1, VOLUME] + returns[:, VOLUME], logs[1:, VOLUME])


def test_a_day_of_no_volume_counts_as_the_last_one(prices_csv, prepare, data) -> None:
    def silent(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[50, "volume"] = "0"
        return table

    rewrite(prices_csv, silent)
    prices = read_prices(prices_csv, data.first_day, data.last_day)
    values = prices.values.copy()
    values[:, :, VOLUME] = traded_volume(values[:, :, VOLUME])
    series = replace(prices, values=values).series(COLUMNS)[0]
    returns = log_returns(series, stock_forecast.layout_of(data))
    assert returns[49, VOLUME] == 0 and np.isfinite(returns).all()
    assert all(np.isfinite(split.sequences).all() for split in prepare().splits.values())


def test_volumes_before_the_first_trade_count_as_one_share() -> None:
    volume = np.array([[0.0, 0.0, 7.0, 0.0, 9.0], [0.5, 0.0, 2.0, 0.0, 0.0]])
    assert traded_volume(volume).tolist() == [[1, 1, 7, 7, 9], [1, 1, 2, 2, 2]]
