"""What a study says of its data: from the right splits, by the usual definitions."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import mean_absolute_percentage_error

from lstm_ae import forecasting, studies
from lstm_ae.datasets import stocks
from lstm_ae.datasets.base import Prepared
from lstm_ae.evaluation import answers, reconstruction_metrics
from lstm_ae.model import Architecture, LSTMAutoencoder
from lstm_ae.studies import Case

CPU = torch.device("cpu")


def case(prepared: Prepared) -> Case:
    """A model at its start and what it says of the test split."""
    train, test = prepared.splits["train"], prepared.splits["test"]
    length, features = test.sequences.shape[1:]
    torch.manual_seed(0)
    form = Architecture(features, length, 8, 4, 1, 1, "state", "backward", "linear", None, 8, test.following is not None)
    model = LSTMAutoencoder(form).eval()
    said = answers(model, test.sequences, CPU)
    metrics = {**reconstruction_metrics(said.reconstruction, train, test, 4, unit_interval=False), "code_size": 4, "best_epoch": 1}
    return Case(
        model=model, directory=Path(), description=prepared.description, splits=prepared.splits, reconstruction=said.reconstruction,
        probabilities=None, metrics={**metrics, "validation_loss": 0.5}, curves={"reconstruction": {"validation": pd.Series([1.0, 0.5])}},
        loss="mse", device=CPU,
    )  # fmt: skip


def test_the_percentage_error_is_that_of_the_prices_in_the_file(prices_csv, params) -> None:
    data = params.section("snp").data
    shown = case(stocks.prepare_windows(prices_csv, data, 0, "test"))
    prices = stocks.read_prices(prices_csv, stocks.COLUMNS, data.first_day, data.last_day)
    test, names = shown.splits["test"], shown.description["symbols"]["test"]
    truth = np.stack([
        prices.values[prices.symbols.index(names[symbol]), start : start + data.window, stocks.HIGH]
        for symbol, start in zip(test.extras["symbol"], test.extras["start"], strict=True)
    ])  # fmt: skip
    said = truth[:, :1] * np.exp(shown.reconstruction[:, :, 0] * shown.description["scale"])
    metrics, _ = studies.stock_windows(shown)
    assert metrics["mape"] == pytest.approx(100 * mean_absolute_percentage_error(truth, said), rel=1e-5)


@pytest.fixture
def forecast(prices_csv, params) -> Prepared:
    return stocks.prepare_forecast(prices_csv, params.section("snp_forecast").data, "test")


def with_other_highs(prepared: Prepared, name: str) -> Prepared:
    """The true highs of one split are others; what a forecast reads is not."""
    split = prepared.splits[name]
    highs = split.extras["log_high"] + np.random.default_rng(0).normal(0, 0.05, split.extras["log_high"].shape)
    return replace(prepared, splits={**prepared.splits, name: replace(split, extras={**split.extras, "log_high": highs})})


def test_intervals_are_calibrated_on_validation_alone(forecast) -> None:
    before, test, validation = (
        studies.stock_forecast(case(prepared))[0]["one_step"]["interval"]
        for prepared in (forecast, with_other_highs(forecast, "test"), with_other_highs(forecast, "validation"))
    )
    assert test["width_percent"] == before["width_percent"] and test["coverage"] != before["coverage"]
    assert validation["width_percent"] != before["width_percent"]


def test_least_squares_is_fitted_on_training_alone(forecast, monkeypatch) -> None:
    fitted = []
    monkeypatch.setattr(forecasting, "least_squares", lambda *given: fitted.append(given) or line)
    line = forecasting.Autoregression(np.zeros(5), np.zeros((forecasting.LAGS, 5, 5)))
    studies.stock_forecast(case(forecast))
    train = forecast.splits["train"]
    assert len(fitted) == 2
    for sequences, following, *_ in fitted:
        assert np.array_equal(sequences, train.values()) and np.array_equal(following, train.following)
