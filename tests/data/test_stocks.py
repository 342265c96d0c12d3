import logging

import numpy as np
import pandas as pd
import pytest

from lstm_ae.core.errors import InputError
from lstm_ae.data import stocks


@pytest.fixture
def windows(params):
    return params.section("snp").data


@pytest.fixture
def forecast(params):
    return params.section("snp_forecast").data


def rewritten(path, change) -> None:
    table = pd.read_csv(path, dtype=str)
    change(table).to_csv(path, index=False)


def test_symbols_with_missing_days_are_left_out_and_counted(prices_csv, windows, caplog) -> None:
    with caplog.at_level(logging.INFO):
        found = stocks.read_prices(prices_csv, stocks.COLUMNS, windows.first_day, windows.last_day)
    assert len(found.symbols) == 8 and "HHH" not in found.symbols
    assert "8 of 9 symbols" in caplog.text and "left out: HHH" in caplog.text


@pytest.mark.parametrize("symbol", ["NA", "nan", "null", "None", "N/A", "TRUE", "1"])
def test_a_symbol_is_text_whatever_it_says(prices_csv, windows, symbol: str) -> None:
    rewritten(prices_csv, lambda table: table.replace({"Name": {"BBB": symbol}}))
    assert (
        symbol
        in stocks.read_prices(
            prices_csv, stocks.COLUMNS, windows.first_day, windows.last_day
        ).symbols
    )


@pytest.mark.parametrize("number", ["", "NA", "NaN", "nan", "null"])
def test_a_symbol_with_a_number_missing_is_left_out(prices_csv, windows, number: str) -> None:
    rewritten(
        prices_csv,
        lambda table: table.assign(high=[*table["high"][:50], number, *table["high"][51:]]),
    )
    assert (
        "AMZN"
        not in stocks.read_prices(
            prices_csv, stocks.COLUMNS, windows.first_day, windows.last_day
        ).symbols
    )


def test_a_file_is_read_in_parts_as_it_is_at_once(prices_csv, windows, monkeypatch) -> None:
    whole = stocks.read_prices(prices_csv, stocks.COLUMNS, windows.first_day, windows.last_day)
    monkeypatch.setattr(stocks, "ROWS", 100)
    parts = stocks.read_prices(prices_csv, stocks.COLUMNS, windows.first_day, windows.last_day)
    assert (parts.symbols, parts.days) == (whole.symbols, whole.days)
    assert np.array_equal(parts.values, whole.values)


def test_a_line_is_the_one_an_editor_shows(prices_csv, windows, monkeypatch) -> None:
    """Over the border of two parts, and behind an empty line."""
    lines = prices_csv.read_text().splitlines()
    lines[150:152] = ["", lines[151].replace(lines[151].split(",")[2], "abc")]
    prices_csv.write_text("\n".join(lines))
    monkeypatch.setattr(stocks, "ROWS", 100)
    with pytest.raises(InputError, match="column high, line 152: found 'abc'"):
        stocks.read_prices(prices_csv, stocks.COLUMNS, windows.first_day, windows.last_day)


def test_rows_of_other_days_may_hold_anything(prices_csv, windows) -> None:
    with prices_csv.open("a") as file:
        file.write("1999-01-04,0,-1,inf,abc,,BBB\n")
    assert (
        "BBB"
        in stocks.read_prices(
            prices_csv, stocks.COLUMNS, windows.first_day, windows.last_day
        ).symbols
    )


def test_share_classes_stay_together_and_the_named_stocks_are_in_test(prices_csv, windows) -> None:
    for seed in range(20):
        groups = stocks.split_companies(
            ["AMZN", "BBB", "CCC", "DISCA", "DISCK", "EEE", "FFF", "GOOGL"], windows, seed
        )
        assert {"AMZN", "GOOGL"} <= set(groups["test"])
        assert any({"DISCA", "DISCK"} <= set(members) for members in groups.values())
        assert sorted(symbol for members in groups.values() for symbol in members) == sorted(
            ["AMZN", "BBB", "CCC", "DISCA", "DISCK", "EEE", "FFF", "GOOGL"]
        )


def test_windows_come_back_in_dollars(prices_csv, windows) -> None:
    prepared = stocks.prepare_windows(prices_csv, windows, 0, "test")
    raw = stocks.read_prices(prices_csv, stocks.COLUMNS, windows.first_day, windows.last_day)
    test, about = prepared.splits["test"], prepared.description
    dollars = stocks.to_dollars(test.values()[:, :, 0], test.extras["anchor"], about["scale"])
    for row in (0, len(test) - 1):
        symbol, start = (
            about["symbols"]["test"][test.extras["symbol"][row]],
            test.extras["start"][row],
        )
        truth = raw.values[raw.symbols.index(symbol), start : start + 80, stocks.HIGH]
        assert np.allclose(dollars[row], truth, rtol=1e-5)
    assert prepared.splits["train"].sequences.std() == pytest.approx(1, abs=1e-3)
    assert (test.sequences[:, 0] == 0).all()


def test_test_windows_tile_every_day(prices_csv, windows) -> None:
    prepared = stocks.prepare_windows(prices_csv, windows, 0, "test")
    test, days = prepared.splits["test"], len(prepared.description["days"])
    covered = {
        int(start) + step
        for start in test.extras["start"][test.extras["symbol"] == 0]
        for step in range(80)
    }
    assert covered == set(range(days))


@pytest.mark.parametrize(
    ("split", "untouched"), [("validation", ("train", "test")), ("test", ("train", "validation"))]
)
def test_a_company_of_another_split_cannot_reach_training(
    prices_csv, windows, split: str, untouched: tuple[str, str]
) -> None:
    before = stocks.prepare_windows(prices_csv, windows, 0, "test")
    symbol = before.description["symbols"][split][0]

    def doubled(table):
        rows = table["Name"] == symbol
        table.loc[rows, "high"] = (
            table.loc[rows, "high"].astype(float) * np.linspace(1, 9, rows.sum())
        ).astype(str)
        return table

    rewritten(prices_csv, doubled)
    after = stocks.prepare_windows(prices_csv, windows, 0, "test")
    for name in untouched:
        assert np.array_equal(before.splits[name].sequences, after.splits[name].sequences)
    assert before.description == after.description
    assert not np.array_equal(before.splits[split].sequences, after.splits[split].sequences)


def test_no_company_is_in_two_splits(prices_csv, windows) -> None:
    groups = stocks.prepare_windows(prices_csv, windows, 0, "test").description["symbols"]
    company = {symbol: group[0] for group in windows.share_classes for symbol in group}
    members = [{company.get(symbol, symbol) for symbol in symbols} for symbols in groups.values()]
    assert sum(map(len, members)) == len(set.union(*members)) == 7


def shocked(path, first_day: str):
    """Every number from that day on is another one."""
    random = np.random.default_rng(1)

    def change(table):
        rows = table["date"] >= first_day
        for name in stocks.COLUMNS:
            table.loc[rows, name] = (
                table.loc[rows, name].astype(float) * random.uniform(2, 3, rows.sum())
            ).astype(str)
        return table

    rewritten(path, change)


def test_the_future_cannot_reach_training(prices_csv, forecast) -> None:
    before = stocks.prepare_forecast(prices_csv, forecast, "test")
    shocked(prices_csv, "2017-01-02")
    after = stocks.prepare_forecast(prices_csv, forecast, "test")
    assert np.array_equal(before.splits["train"].sequences, after.splits["train"].sequences)
    assert np.array_equal(before.splits["train"].following, after.splits["train"].following)
    assert (before.description["means"], before.description["scales"]) == (
        after.description["means"],
        after.description["scales"],
    )
    assert not np.array_equal(
        before.splits["validation"].sequences, after.splits["validation"].sequences
    )


def test_the_test_half_year_cannot_reach_validation(prices_csv, forecast) -> None:
    before = stocks.prepare_forecast(prices_csv, forecast, "test")
    shocked(prices_csv, "2017-07-03")
    after = stocks.prepare_forecast(prices_csv, forecast, "test")
    assert np.array_equal(
        before.splits["validation"].sequences, after.splits["validation"].sequences
    )
    assert np.array_equal(
        before.splits["validation"].following, after.splits["validation"].following
    )
    assert not np.array_equal(before.splits["test"].sequences, after.splits["test"].sequences)


def test_each_day_of_a_split_is_scored_once_as_the_next_day(prices_csv, forecast) -> None:
    prepared = stocks.prepare_forecast(prices_csv, forecast, "test")
    days = prepared.description["days"]
    for name, first, last in (
        ("validation", "2017-01-01", "2017-06-30"),
        ("test", "2017-07-01", "2017-12-29"),
    ):
        split = prepared.splits[name]
        scored = []
        for row in np.flatnonzero(split.extras["symbol"] == 0):
            targets = split.extras["start"][row] + 1 + np.arange(80)
            scored += [days[day] for day in targets[split.first_scored[row] :]]
        assert sorted(scored) == [day for day in days if first <= day <= last]


def test_every_horizon_day_of_a_rollout_lies_in_test(prices_csv, forecast) -> None:
    prepared = stocks.prepare_forecast(prices_csv, forecast, "test")
    days, starts = prepared.description["days"], prepared.splits["rollouts"].extras["start"]
    assert days[starts.min() + forecast.fed] == min(day for day in days if day >= "2017-07-01")
    assert days[starts.max() + forecast.window - 1] <= "2017-12-29"


def test_returns_add_up_to_the_log_price(prices_csv, forecast) -> None:
    prices = stocks.read_prices(prices_csv, stocks.COLUMNS, forecast.first_day, forecast.last_day)
    found = stocks.returns(prices)
    closes = np.log(prices.values[:, :, stocks.CLOSE])
    assert np.allclose(closes[:, :1] + np.cumsum(found[:, :, stocks.CLOSE], axis=1), closes[:, 1:])
    assert np.allclose(
        closes[:, :-1] + found[:, :, stocks.HIGH], np.log(prices.values[:, 1:, stocks.HIGH])
    )


def test_a_day_of_no_volume_counts_as_the_last_one(prices_csv, forecast) -> None:
    def silent(table):
        table.loc[50, "volume"] = "0"
        return table

    rewritten(prices_csv, silent)
    prices = stocks.read_prices(prices_csv, stocks.COLUMNS, forecast.first_day, forecast.last_day)
    assert stocks.returns(prices)[0, 49, stocks.VOLUME] == 0


def test_the_real_file_has_477_complete_symbols(mirror, forecast) -> None:
    prices = stocks.read_prices(
        mirror / "all_stocks_5yr.csv", stocks.COLUMNS, forecast.first_day, forecast.last_day
    )
    assert len(prices.symbols) == 477
    assert len(prices.days) == 1007
    assert prices.values[prices.symbols.index("AMZN"), :, stocks.HIGH].max() == 1213.41
