"""What a study says of its data: from the right splits, by the usual definitions."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import mean_absolute_percentage_error

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Prepared, Split
from lstm_ae.data import stocks, table
from lstm_ae.evaluation import figures, forecasting, studies
from lstm_ae.evaluation.metrics import reconstruction_metrics
from lstm_ae.evaluation.studies import STUDIES, Case
from lstm_ae.model.autoencoder import Architecture, LSTMAutoencoder
from lstm_ae.package.answers import compute_answers
from lstm_ae.package.package import calibrate, layout_of
from lstm_ae.params import Data, TableData

CPU = torch.device("cpu")
WINDOW = 12  # of a table


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def case(prepared: Prepared, data: Data) -> Case:
    """A model at its start and what it says of the test split."""
    train, test = prepared.splits["train"], prepared.splits["test"]
    length, features = test.sequences.shape[1:]
    torch.manual_seed(0)
    form = Architecture(
        features,
        length,
        8,
        4,
        1,
        1,
        "state",
        "backward",
        "linear",
        None,
        8,
        test.following is not None,
    )
    model = LSTMAutoencoder(form).eval()
    said = compute_answers(model, test.sequences, CPU)
    calibration = calibrate(
        model, prepared.splits["validation"], layout_of(data, prepared.description, model)[0], CPU
    )
    metrics = {
        **reconstruction_metrics(said.reconstruction, train, test, 4, unit_interval=False),
        "code_size": 4,
        "best_epoch": 1,
    }
    return Case(
        model=model,
        calibration=calibration,
        description=prepared.description,
        splits=prepared.splits,
        reconstruction=said.reconstruction,
        probabilities=None,
        metrics={**metrics, "validation_loss": 0.5},
        curves={"reconstruction": {"validation": pd.Series([1.0, 0.5])}},
        loss="mse",
        device=CPU,
    )


def test_the_percentage_error_is_that_of_the_prices_in_the_file(prices_csv, params) -> None:
    data = params.section("snp").data
    shown = case(stocks.prepare_windows(prices_csv, data, 0, "test"), data)
    prices = stocks.read_prices(prices_csv, stocks.COLUMNS, data.first_day, data.last_day)
    test, names = shown.splits["test"], shown.description["symbols"]["test"]
    truth = np.stack(
        [
            prices.values[
                prices.symbols.index(names[symbol]), start : start + data.window, stocks.HIGH
            ]
            for symbol, start in zip(test.extras["symbol"], test.extras["start"], strict=True)
        ]
    )
    said = truth[:, :1] * np.exp(shown.reconstruction[:, :, 0] * shown.description["scale"])
    metrics, _ = studies.stock_windows(shown)
    assert metrics["mape"] == pytest.approx(
        100 * mean_absolute_percentage_error(truth, said), rel=1e-5
    )


@pytest.fixture
def forecast(prices_csv, params) -> Prepared:
    return stocks.prepare_forecast(prices_csv, params.section("snp_forecast").data, "test")


def with_other_truth(prepared: Prepared, name: str) -> Prepared:
    """What one split is scored by is another: the highs, and the day after the last."""
    split, random = prepared.splits[name], np.random.default_rng(0)
    highs = split.extras["log_high"] + random.normal(0, 0.05, split.extras["log_high"].shape)
    following = split.following + random.normal(0, 1, split.following.shape).astype(np.float32)
    return replace(
        prepared,
        splits={
            **prepared.splits,
            name: replace(split, following=following, extras={**split.extras, "log_high": highs}),
        },
    )


def test_intervals_are_calibrated_on_validation_alone(forecast, params) -> None:
    before, test, validation = (
        studies.stock_forecast(case(prepared, params.section("snp_forecast").data))[0]["one_step"][
            "interval"
        ]
        for prepared in (
            forecast,
            with_other_truth(forecast, "test"),
            with_other_truth(forecast, "validation"),
        )
    )
    assert (
        test["width_percent"] == before["width_percent"] and test["coverage"] != before["coverage"]
    )
    assert validation["width_percent"] != before["width_percent"]


def test_least_squares_is_fitted_on_training_alone(forecast, params, monkeypatch) -> None:
    fitted = []
    monkeypatch.setattr(forecasting, "least_squares", lambda *given: fitted.append(given) or line)
    line = forecasting.Autoregression(np.zeros(5), np.zeros((forecasting.LAGS, 5, 5)))
    studies.stock_forecast(case(forecast, params.section("snp_forecast").data))
    train = forecast.splits["train"]
    assert len(fitted) == 2
    for sequences, following, *_ in fitted:
        assert np.array_equal(sequences, train.values()) and np.array_equal(
            following, train.following
        )


def studied(folder: Path, reconstruct, **changed: object) -> tuple[dict, dict]:
    """What a section of a table of two variables owes, whose model gives `reconstruct` of what it reads."""
    hours = pd.date_range("2021-03-01", periods=300, freq="h").strftime("%Y-%m-%d %H:%M")
    day = np.sin(2 * np.pi * np.arange(300) / 24)
    pd.DataFrame({"time": hours, "cold": day - 3, "load": 1000 + 100 * day}).to_csv(
        folder / "a.csv", index=False
    )
    values = {
        "dataset": "table",
        "columns": ["cold", "load"],
        "columns_are": "variables",
        "series": None,
        "time": "time",
        "window": WINDOW,
        "stride": 1,
        "split_by": "time",
        "split": {"train": 0.6, "validation": 0.2, "test": 0.2},
        "scaling": "zscore",
        "predict": False,
        "group_by_time": False,
    } | changed
    data = TableData.model_validate(values)
    prepared = table.prepare(folder / "a.csv", data, 0, "data/tables/a.csv")
    model = LSTMAutoencoder(
        Architecture(2, WINDOW, 8, 4, 1, 1, "state", "backward", "linear", None, 8, data.predict)
    )
    test = prepared.splits["test"]
    reconstruction = reconstruct(
        compute_answers(model, test.sequences, CPU).reconstruction, test.values()
    )
    metrics = {
        **reconstruction_metrics(reconstruction, prepared.splits["train"], test, 4, False),
        "code_size": 4,
        "validation_loss": 1.0,
        "best_epoch": 1,
    }
    curve = {"train": pd.Series([2.0, 1.0]), "validation": pd.Series([2.0, 1.0])}
    curves = {"reconstruction": curve, "loss": curve} | (
        {"prediction": curve} if data.predict else {}
    )
    calibration = calibrate(
        model, prepared.splits["validation"], layout_of(data, prepared.description, model)[0], CPU
    )
    shown = Case(
        model,
        calibration,
        prepared.description,
        prepared.splits,
        reconstruction,
        None,
        metrics,
        curves,
        "mse",
        CPU,
    )
    return STUDIES["table"](shown)


def test_errors_of_a_table_are_in_the_units_of_each_column(tmp_path) -> None:
    metrics, drawn = studied(tmp_path, lambda _, truth: truth + np.array([0.5, -0.5]))
    cold, load = metrics["columns"]["cold"], metrics["columns"]["load"]
    assert cold["rmse"] == pytest.approx(0.5 / 2**0.5, rel=0.02) and cold["mae"] == pytest.approx(
        cold["rmse"]
    )
    assert load["rmse"] == pytest.approx(100 * cold["rmse"], rel=1e-4)
    assert set(drawn) == {"reconstructions", "loss"}


def test_a_part_that_stands_still_has_no_skill() -> None:
    truth = np.ones((3, 4))
    still = forecasting.Forecast(
        truth, {"model": truth + 1, "persistence": truth}, truth > 0, np.zeros((3, 4), int)
    )
    with pytest.raises(InputError, match="nothing moves, so that persistence is exact"):
        still.skills()


def test_a_window_without_a_step_that_counts_is_not_shown() -> None:
    times = np.arange(5).view(np.int64)[:, None] + np.arange(3)
    split = Split(np.zeros((5, 3, 1)), extras={"series": np.zeros(5, int), "times": times})
    panels = studies._windows(
        {"names": [""], "clock": "int64"},
        split,
        np.array([3.0, np.nan, 1, 2, np.nan]),
        {"original": np.zeros((5, 3, 1))},
    )
    assert [panel.times[0] for panel in panels] == [2, 3, 3]


def test_a_predicted_table_stands_beside_persistence_and_least_squares(tmp_path) -> None:
    metrics, drawn = studied(tmp_path, lambda said, _: said, predict=True)
    one, many = metrics["one_step"], metrics["multi_step"]
    assert one["skill_least_squares"] > 0.99 > one["skill"]  # a sine follows from two steps
    assert [found["horizon"] for found in many["by_horizon"]] == list(range(1, WINDOW // 2 + 1))
    assert set(one["columns"]) == {"cold", "load"} and one["p_value_persistence"] <= 1
    assert set(drawn) == {"reconstructions", "loss", "forecasts", "error_by_horizon"}
    for name, figure in drawn.items():
        figures.save(figure, tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size < 100_000
