"""What the study of tomorrow's prices says: from the right splits, in logs and dollars."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import root_mean_squared_error

from lstm_ae.data import stock_forecast
from lstm_ae.data.prepared import Prepared
from lstm_ae.data.raw import RawData
from lstm_ae.evaluation import forecasting
from lstm_ae.evaluation.forecasting import Forecast
from lstm_ae.evaluation.studies import STUDIES
from lstm_ae.evaluation.studies.stock_forecast import (
    ORDER,
    coverage_by_horizon,
    daily_high,
    interval_scores,
    logs,
    scores,
    scores_by_horizon,
)
from lstm_ae.model.regression import LAGS, Autoregression, last_steps
from tests.evaluation.cases import case_of, package_of

STUDY = STUDIES["stock_forecast"].study


@pytest.fixture
def prepared(prices_csv, params) -> Prepared:
    data = params.section("snp_forecast").data
    return stock_forecast.prepare(data, RawData("snp_forecast", prices_csv.parent, 0, "test"))


def high_of(
    truth: np.ndarray, forecasts: dict[str, np.ndarray], scored: np.ndarray | None = None
) -> Forecast:
    """A forecast of the high in dollars, with an expected error of 1."""
    return Forecast(
        truth=truth,
        forecasts=forecasts,
        scored=np.ones(truth.shape, bool) if scored is None else scored,
        times=np.zeros(truth.shape, np.int64),
        expected_error=np.ones(truth.shape),
    )


def with_other_truth(prepared: Prepared, name: str) -> Prepared:
    """What one split is scored by is another: the day after the last of each window."""
    split, random = prepared.splits[name], np.random.default_rng(0)
    changes = random.normal(0, 1, split.following.shape).astype(np.float32)
    changed = replace(split, following=split.following + changes)
    return replace(prepared, splits={**prepared.splits, name: changed})


def test_skill_is_of_logs_and_errors_are_also_in_dollars(prepared) -> None:
    random = np.random.default_rng(0)
    log_truth, scored = random.normal(size=(30, 8)), random.random((30, 8)) < 0.5
    log_forecasts = {name: log_truth + random.normal(size=(30, 8)) for name in ORDER}
    forecasts = {name: np.exp(values) for name, values in log_forecasts.items()}
    high = high_of(np.exp(log_truth), forecasts, scored)
    errors = {}
    for name, values in log_forecasts.items():
        errors[name] = np.square(values - log_truth)[scored].mean()
    measured = scores(high, prepared.layout)
    persistence = errors["persistence"]
    assert measured["skill"] == pytest.approx(1 - errors["model"] / persistence)
    assert measured["skill_mean_return"] == pytest.approx(1 - errors["mean return"] / persistence)
    for key, name in (
        ("rmse_dollars", "model"),
        ("rmse_dollars_persistence", "persistence"),
    ):
        rmse = root_mean_squared_error(high.truth[scored], forecasts[name][scored])
        assert measured[key] == pytest.approx(rmse)
    third = scored[:, 2]
    rmse = root_mean_squared_error(log_truth[third, 2], log_forecasts["drift"][third, 2])
    assert logs(high, prepared.layout).rmse_by_horizon()["drift"][2] == pytest.approx(rmse)
    by_horizon = scores_by_horizon(high, prepared.layout)
    assert by_horizon[2] == {"horizon": 3, **scores(high, prepared.layout, slice(2, 3))}


def test_intervals_count_the_scored_truth_below_within_and_above(prepared) -> None:
    truth = np.exp([[-0.1, 0.1, 0.3, 0.9], [0.0, -0.2, 0.1, 0.9]])
    scored = np.array([[True, True, True, False]] * 2)
    high = high_of(truth, {"model": np.ones((2, 4))}, scored)
    ends = np.array([[-0.15] * 3, [0.25] * 3])
    measured = interval_scores(high, ends, prepared.layout)
    assert measured["level"] == 0.9
    assert measured["coverage"] == pytest.approx(4 / 6)
    assert measured["below"] == measured["above"] == pytest.approx(1 / 6)
    assert measured["width_percent"] == pytest.approx(40)
    assert coverage_by_horizon(high, ends, prepared.layout) == [1.0, 0.5, 0.5]


def test_intervals_are_also_counted_by_how_large_an_error_was_expected(prepared) -> None:
    expected = np.repeat([[4.0, 1.0, 5.0, 2.0, 3.0]], 3, axis=0)
    truth = np.exp([[0.0, 0.5, 0.0, 0.0, 9.0]] * 3)
    high = replace(high_of(truth, {"model": np.ones((3, 5))}), expected_error=expected)
    measured = interval_scores(high, np.array([[-1.0] * 5, [0.1] * 5]), prepared.layout)
    assert measured["by_expected_error"] == [0.0, 1.0, 0.0, 1.0, 1.0]


@pytest.fixture
def log_prices(prices_csv, prepared) -> dict[str, np.ndarray]:
    """The logs of the highs and closes of the file at the times of each split's windows."""
    table = pd.read_csv(prices_csv, parse_dates=["date"])
    prices = {}
    for column in ("high", "close"):
        by_symbol = np.log(table.pivot(index="date", columns="Name", values=column))
        for name in ("test", "rollouts"):
            split = prepared.splits[name]
            days = prepared.description.read_times(split.times)
            symbols = [prepared.description.series[place] for place in split.series]
            rows = [by_symbol[symbol][row] for symbol, row in zip(symbols, days, strict=True)]
            prices[f"{name} {column}"] = np.stack(rows)
    return prices


def test_the_forecasters_are_what_they_are_called(prepared, log_prices) -> None:
    layout = prepared.layout
    high, close = layout.columns.index("high"), layout.columns.index("close")
    package = package_of(layout)
    rollouts = prepared.splits["rollouts"]
    lines = {"mean return": forecasting.mean_step(layout.features)}
    multiple = forecasting.multi_step(package, lines, rollouts)
    forecast = logs(daily_high(multiple, layout, fed_back=True), layout)
    fed = int(rollouts.first_scored[0]) + 1
    assert np.allclose(forecast.truth, log_prices["rollouts high"][:, fed:], atol=1e-5)
    values = forecast.forecasts
    last_high = log_prices["rollouts high"][:, fed - 1]
    assert (values["persistence"] == values["persistence"][:, :1]).all()
    assert np.allclose(values["persistence"], last_high[:, None], atol=1e-5)
    assert np.allclose(np.diff(values["drift"], axis=1), layout.centre[close])
    assert np.allclose(values["drift"][:, 0], last_high + layout.centre[close], atol=1e-5)
    last_close = log_prices["rollouts close"][:, fed - 1]
    assert np.allclose(values["mean return"][:, 0], last_close + layout.centre[high], atol=1e-5)
    assert np.allclose(np.diff(values["mean return"], axis=1), layout.centre[close])

    single = forecasting.one_step(package, lines, prepared.splits["test"])
    values = logs(daily_high(single, layout), layout).forecasts
    highs, closes = log_prices["test high"][:, :-1], log_prices["test close"][:, :-1]
    assert np.allclose(values["persistence"], highs, atol=1e-5)
    assert np.allclose(values["drift"], values["persistence"] + layout.centre[close])
    assert np.allclose(values["mean return"], closes + layout.centre[high], atol=1e-5)


def test_intervals_are_calibrated_on_validation_alone(prepared) -> None:
    intervals = []
    for splits in (
        prepared,
        with_other_truth(prepared, "test"),
        with_other_truth(prepared, "validation"),
    ):
        intervals.append(STUDY(case_of(splits)).metrics["one_step"]["interval"])
    before, test, validation = intervals
    assert test["width_percent"] == before["width_percent"]
    assert test["coverage"] != before["coverage"]
    assert validation["width_percent"] != before["width_percent"]


def test_least_squares_is_fitted_on_training_alone(prepared, monkeypatch) -> None:
    line = Autoregression(np.zeros(5), np.zeros((LAGS, 5, 5)), last_steps(LAGS))
    fits = []

    def least_squares(*arguments) -> Autoregression:
        fits.append(arguments)
        return line

    monkeypatch.setattr(forecasting, "least_squares", least_squares)
    findings = STUDY(case_of(prepared))
    train = prepared.splits["train"]
    assert len(fits) > 1
    for sequences, following, *_ in fits:
        assert np.array_equal(sequences, train.values())
        assert np.array_equal(following, train.following)
    assert set(findings.figures) == {"loss", "forecasts", "error_by_horizon"}
    assert len(findings.metrics["multi_step"]["by_horizon"]) == len(
        prepared.splits["rollouts"].times[0]
    ) - int(prepared.splits["rollouts"].first_scored[0] + 1)
