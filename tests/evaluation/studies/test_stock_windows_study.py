"""What the study of unseen stocks says: errors of the prices in the file."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_percentage_error

from lstm_ae.data import stock_windows
from lstm_ae.data.raw import RawData
from lstm_ae.evaluation.studies import STUDIES
from lstm_ae.evaluation.studies.stock_windows import shown_symbols, stitched
from tests.evaluation.cases import case_of


def test_the_percentage_error_is_that_of_the_prices_in_the_file(prices_csv, params) -> None:
    raw = RawData("snp", prices_csv.parent, 0, "test")
    case = case_of(stock_windows.prepare(params.section("snp").data, raw))
    test, description = case.test, case.description
    table = pd.read_csv(prices_csv, parse_dates=["date"])
    highs = table.pivot(index="date", columns="Name", values="high")
    truth = np.empty(test.sequences.shape[:2])
    for row, (place, days) in enumerate(
        zip(test.series, description.read_times(test.times), strict=True)
    ):
        truth[row] = highs[description.series[place]][days]
    scale = case.package.layout.scale[0]
    reconstruction = truth[:, :1] * np.exp(case.answers.reconstruction[:, :, 0] * scale)
    findings = STUDIES["stock_windows"].study(case)
    error = 100 * mean_absolute_percentage_error(truth, reconstruction)
    assert findings.metrics["mape"] == pytest.approx(error, rel=1e-5)
    assert set(findings.figures) == {"prices", "reconstructions", "loss"}


def test_the_stocks_that_the_report_names_are_shown_where_they_are() -> None:
    assert shown_symbols(["A", "AMZN", "B", "C", "GOOGL"], 3) == ["AMZN", "GOOGL", "B"]
    assert shown_symbols(["A", "B", "C"], 2) == ["B", "C"]


def test_where_two_windows_meet_the_first_counts(prices_csv, params) -> None:
    raw = RawData("snp", prices_csv.parent, 0, "test")
    test = stock_windows.prepare(params.section("snp").data, raw).splits["test"]
    rows = np.flatnonzero(test.series == test.series[0])
    days = np.unique(test.times)
    windows = np.repeat(np.arange(len(test.times))[:, None], test.times.shape[1], axis=1)
    series = stitched(windows.astype(float), test, rows, days)
    for row in reversed(rows):
        first_of_row = np.isin(days, test.times[row])
        for earlier in rows[rows < row]:
            first_of_row &= ~np.isin(days, test.times[earlier])
        assert (series[first_of_row] == row).all()
    assert np.isfinite(series).all()
