import logging

import numpy as np
import pandas as pd
import pytest

from lstm_ae.core.errors import InputError
from lstm_ae.data import prices
from lstm_ae.data.prices import COLUMNS, FILE, HIGH, Prices
from tests.stocks import rewrite


@pytest.fixture
def read(prices_csv, params):
    """Reads the file of the tests over the period of the study."""
    data = params.section("snp").data
    return lambda: prices.read_prices(prices_csv, data.first_day, data.last_day)


def test_symbols_with_missing_days_are_left_out_and_counted(read, caplog) -> None:
    with caplog.at_level(logging.INFO):
        complete = read()
    assert len(complete.symbols) == 8 and "HHH" not in complete.symbols
    assert "8 of 9 symbols" in caplog.text and "left out: HHH" in caplog.text


@pytest.mark.parametrize("symbol", ["NA", "nan", "null", "None", "N/A", "TRUE", "1"])
def test_a_symbol_is_text_whatever_it_says(prices_csv, read, symbol: str) -> None:
    rewrite(prices_csv, lambda table: table.replace({"Name": {"BBB": symbol}}))
    assert symbol in read().symbols


@pytest.mark.parametrize("number", ["", "NA", "NaN", "nan", "null"])
def test_a_symbol_with_a_number_missing_is_left_out(prices_csv, read, number: str) -> None:
    def without_one(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(high=[*table["high"][:50], number, *table["high"][51:]])

    rewrite(prices_csv, without_one)
    assert "AMZN" not in read().symbols


def test_a_file_is_read_in_parts_as_it_is_at_once(read, monkeypatch) -> None:
    whole = read()
    monkeypatch.setattr(prices, "CHUNK_ROWS", 100)
    parts = read()
    assert (parts.symbols, parts.days) == (whole.symbols, whole.days)
    assert np.array_equal(parts.values, whole.values)


def test_a_line_is_the_one_an_editor_shows(prices_csv, read, monkeypatch) -> None:
    """Over the border of two parts, and behind an empty line."""
    lines = prices_csv.read_text().splitlines()
    lines[150:152] = ["", lines[151].replace(lines[151].split(",")[2], "abc")]
    prices_csv.write_text("\n".join(lines))
    monkeypatch.setattr(prices, "CHUNK_ROWS", 100)
    with pytest.raises(InputError, match="column high, line 152: found 'abc'"):
        read()


def test_rows_of_other_days_may_hold_anything(prices_csv, read) -> None:
    with prices_csv.open("a") as file:
        file.write("1999-01-04,0,-1,inf,abc,,BBB\n")
    assert "BBB" in read().symbols


def test_the_series_of_prices_have_the_columns_in_the_order_asked_for(read) -> None:
    complete: Prices = read()
    series = complete.series(["volume", "high"])
    assert [one_series.name for one_series in series] == complete.symbols
    for one_series, values in zip(series, complete.values, strict=True):
        assert np.array_equal(one_series.values, values[:, [COLUMNS.index("volume"), HIGH]])
        assert one_series.times.astype("datetime64[D]").astype(str).tolist() == complete.days


def test_the_real_file_has_477_complete_symbols(mirror, params) -> None:
    data = params.section("snp_forecast").data
    complete = prices.read_prices(mirror / FILE, data.first_day, data.last_day)
    assert len(complete.symbols) == 477
    assert len(complete.days) == 1007
    assert complete.values[complete.symbols.index("AMZN"), :, HIGH].max() == 1213.41
