"""Forecasts of every kind: the truth, the forecasters and their scores by the usual definitions."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_squared_error, root_mean_squared_error

from lstm_ae.core.errors import InputError
from lstm_ae.data import stock_forecast
from lstm_ae.data.prepared import Prepared
from lstm_ae.data.raw import RawData
from lstm_ae.data.table import prepare_table
from lstm_ae.evaluation.forecasting import (
    Forecast,
    fit_lines,
    mean_step,
    multi_step,
    one_step,
    window_values,
)
from lstm_ae.model.objectives import EVALUATION_BATCH
from lstm_ae.package.package import Package
from lstm_ae.params import Fractions, Params, TableData
from lstm_ae.units.layout import recent_volatility
from tests.evaluation.cases import package_of

WINDOW, AHEAD, LAGS = 16, 8, 4  # of the table
ROWS, TEST_ROWS = 400, 80
TABLES = pytest.mark.parametrize("prepared", ["zscore", "log_return"], indirect=True)


def prepared_table(directory: Path, scaling: str) -> Prepared:
    """Two variables of one series, each step told by the one before."""
    random, values = np.random.default_rng(0), [np.ones(2)]
    for _ in range(ROWS - 1):
        values.append(np.exp(0.5 * np.log(values[-1]) + random.normal(0, 0.3, 2)))
    path = directory / "a.csv"
    lines = [",".join(map(repr, row.tolist())) for row in values]
    path.write_text("\n".join(["x,y", *lines]) + "\n")
    data = TableData(
        dataset="table",
        columns=["x", "y"],
        columns_are="variables",
        series=None,
        time=None,
        window=WINDOW,
        stride=1,
        split_by="time",
        split=Fractions(train=0.6, validation=0.2, test=0.2),
        scaling=scaling,
        predict=True,
        group_by_time=False,
    )
    return prepare_table(path, data, 0, "a")


def prepared_stocks(prices_csv: Path, params: Params) -> Prepared:
    data = params.section("snp_forecast").data
    return stock_forecast.prepare(data, RawData("snp_forecast", prices_csv.parent, 0, "test"))


@pytest.fixture(params=["zscore", "log_return", "stocks"])
def prepared(request, tmp_path, prices_csv, params) -> Prepared:
    """A table of either scaling, and stocks, whose prices count from the close before."""
    if request.param == "stocks":
        return prepared_stocks(prices_csv, params)
    return prepared_table(tmp_path, request.param)


@pytest.fixture
def package(prepared) -> Package:
    return package_of(prepared.layout)


def forecast_of(
    truth: np.ndarray, forecasts: dict[str, np.ndarray], scored: np.ndarray | None = None
) -> Forecast:
    """A forecast whose steps have times 0, 1, .., all scored unless told."""
    return Forecast(
        truth=truth,
        forecasts=forecasts,
        scored=np.ones(truth.shape[:2], bool) if scored is None else scored,
        times=np.tile(np.arange(truth.shape[1]), (len(truth), 1)),
        expected_error=np.ones(truth.shape),
    )


def fed_steps(prepared: Prepared) -> int:
    """The steps of a rollout that are not forecast."""
    return int(prepared.splits["rollouts"].first_scored[0]) + 1


def test_skill_is_one_less_the_share_of_persistence() -> None:
    errors = {
        "model": 1.0,
        "persistence": 2.0,
        "drift": 2.0,
        "mean return": 1.0,
        "least squares": 0.0,
        "least squares within days": 1.0,
    }
    forecasts = {name: np.full((4, 3), error) for name, error in errors.items()}
    assert forecast_of(np.zeros((4, 3)), forecasts).skills() == {
        "skill": 0.75,
        "skill_drift": 0.0,
        "skill_mean_return": 0.75,
        "skill_least_squares": 1.0,
        "skill_least_squares_within_days": 0.75,
    }


def test_skills_and_errors_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    truth, scored = random.normal(size=(30, 8)), random.random((30, 8)) < 0.5
    names = ("model", "persistence", "mean return")
    forecasts = {name: truth + random.normal(size=(30, 8)) for name in names}
    forecast = forecast_of(truth, forecasts, scored)
    errors = {}
    for name, values in forecasts.items():
        errors[name] = mean_squared_error(truth[scored], values[scored])
    assert forecast.errors() == pytest.approx(errors)
    assert forecast.rmse() == pytest.approx({name: error**0.5 for name, error in errors.items()})
    skills = forecast.skills()
    assert skills["skill"] == pytest.approx(1 - errors["model"] / errors["persistence"])
    mean_return = 1 - errors["mean return"] / errors["persistence"]
    assert skills["skill_mean_return"] == pytest.approx(mean_return)

    third = scored[:, 2]
    values = forecasts["mean return"][third, 2]
    rmse = root_mean_squared_error(truth[third, 2], values)
    assert forecast.rmse_by_horizon()["mean return"][2] == pytest.approx(rmse)
    by_horizon = forecast.by_horizon()
    assert [scores["horizon"] for scores in by_horizon] == list(range(1, 9))
    assert by_horizon[2] == {"horizon": 3, **forecast.skills(slice(2, 3))}


def test_steps_that_are_not_scored_do_not_count() -> None:
    scored = np.array([[False, True]])
    forecast = forecast_of(np.zeros((1, 2)), {"model": np.array([[99.0, 1.0]])}, scored)
    assert forecast.errors()["model"] == 1.0


def test_a_part_that_stands_still_has_no_skill() -> None:
    truth = np.ones((3, 4))
    still = forecast_of(truth, {"model": truth + 1, "persistence": truth})
    with pytest.raises(InputError, match="nothing moves in the test part, so persistence is exact"):
        still.skills()


def test_one_variable_of_a_forecast_is_that_of_its_arrays() -> None:
    random = np.random.default_rng(0)
    truth, values = random.normal(size=(2, 5, 3, 2))
    forecast = replace(
        forecast_of(truth, {"model": values}), expected_error=random.random(truth.shape)
    )
    second = forecast.variable(1)
    assert np.array_equal(second.truth, truth[:, :, 1])
    assert np.array_equal(second.forecasts["model"], values[:, :, 1])
    assert np.array_equal(second.expected_error, forecast.expected_error[:, :, 1])
    assert np.array_equal(second.scored, forecast.scored)


def test_series_of_one_time_are_one_observation() -> None:
    daily = np.sqrt(np.abs(np.random.default_rng(0).normal(0, 1, 60)))
    p_values = []
    for count in (1, 50):
        model = np.tile(daily + 0.5, (count, 1))
        forecasts = {"model": model, "drift": np.full((count, 60), 0.5)}
        forecast = forecast_of(np.zeros((count, 60)), forecasts)
        p_values.append(forecast.p_values()["p_value_drift"])
    assert p_values[0] == pytest.approx(p_values[1])


def test_coverage_counts_the_scored_truth_within_the_intervals() -> None:
    truth, scored = np.array([[0.1, 0.3, 0.9, 0.1]]), np.array([[True, True, False, True]])
    forecast = forecast_of(truth, {"model": np.zeros((1, 4))}, scored)
    ends = np.array([[-0.05] * 3, [0.2] * 3])
    assert forecast.coverage(ends) == 0.5
    assert replace(forecast, expected_error=np.full((1, 4), 2.0)).coverage(ends) == 1.0
    assert forecast.coverage(ends + 0.16) == 0.5


def test_a_perfect_prediction_gives_the_true_values(prepared, package, monkeypatch) -> None:
    split, layout = prepared.splits["test"], prepared.layout
    truth = np.concatenate([split.values()[:, 1:], split.following[:, None].astype(float)], axis=1)
    monkeypatch.setattr(
        "lstm_ae.evaluation.forecasting.compute_answers",
        lambda *_: type("Answers", (), {"predictions": truth}),
    )
    forecast = one_step(package, fit_lines(prepared.splits["train"], LAGS), split)
    assert np.array_equal(forecast.truth, window_values(split, layout)[:, 1:])
    errors = forecast.comparable(layout).errors()
    assert errors["model"] < 1e-10 < errors["persistence"]


def test_a_perfect_rollout_gives_the_true_values(prepared, package, monkeypatch) -> None:
    split, layout, fed = prepared.splits["rollouts"], prepared.layout, fed_steps(prepared)
    steps = split.sequences
    if split.following is not None:
        steps = np.concatenate([steps, split.following[:, None]], axis=1)
    answers = iter(torch.from_numpy(steps[:, fed:]).split(EVALUATION_BATCH))
    monkeypatch.setattr(package.model, "roll_forward", lambda *_: next(answers))
    lines = fit_lines(prepared.splits["train"], LAGS)
    forecast = multi_step(package, lines, split)
    assert np.array_equal(forecast.truth, window_values(split, layout)[:, fed:])
    errors = forecast.comparable(layout).errors()
    assert errors["model"] < 1e-10 < errors["persistence"]


def test_every_step_of_test_is_scored_once_one_step_ahead(prepared, package) -> None:
    split = prepared.splits["test"]
    forecast = one_step(package, {}, split)
    series = np.repeat(split.series[:, None], forecast.horizon, axis=1)
    scored = zip(series[forecast.scored], forecast.times[forecast.scored], strict=True)
    pairs = list(scored)
    rollouts = prepared.splits["rollouts"]
    test_times = np.unique(rollouts.times[:, fed_steps(prepared) :])
    assert set(test_times) <= {time for _, time in pairs}
    assert len(pairs) == len(set(pairs))
    assert len(pairs) == len(prepared.description.series) * len({time for _, time in pairs})


@TABLES
def test_the_steps_of_test_are_the_last_rows_of_a_table(prepared, package) -> None:
    forecast = one_step(package, {}, prepared.splits["test"])
    scored = forecast.times[forecast.scored]
    assert np.array_equal(np.sort(scored), np.arange(ROWS - TEST_ROWS, ROWS))


@TABLES
def test_every_horizon_is_forecast_from_everywhere_in_test(prepared, package) -> None:
    forecast = multi_step(package, {}, prepared.splits["rollouts"])
    assert forecast.scored.all()
    assert forecast.truth.shape == (TEST_ROWS - AHEAD + 1, AHEAD, 2)
    first = ROWS - TEST_ROWS
    assert np.array_equal(forecast.times[:, 0], np.arange(first, first + len(forecast.times)))
    assert forecast.times[-1, -1] == ROWS - 1


def test_persistence_is_the_last_known_value(prepared, package) -> None:
    split, layout = prepared.splits["test"], prepared.layout
    persistence = one_step(package, {}, split).forecasts["persistence"]
    assert np.array_equal(persistence, window_values(split, layout)[:, :-1])

    rollouts, fed = prepared.splits["rollouts"], fed_steps(prepared)
    last = window_values(rollouts, layout)[:, fed - 1, None]
    assert (multi_step(package, {}, rollouts).forecasts["persistence"] == last).all()


@TABLES
def test_least_squares_beats_persistence_where_steps_follow_from_those_before(
    prepared, package
) -> None:
    lines = fit_lines(prepared.splits["train"], LAGS)
    assert list(lines) == ["least squares"]
    single = one_step(package, lines, prepared.splits["test"])
    multiple = multi_step(package, lines, prepared.splits["rollouts"])
    for forecast in (single, multiple):
        assert forecast.comparable(prepared.layout).skills()["skill_least_squares"] > 0


@pytest.mark.parametrize("prepared", ["stocks"], indirect=True)
def test_least_squares_is_also_fitted_within_days_where_windows_have_groups(prepared) -> None:
    lines = fit_lines(prepared.splits["train"], LAGS)
    assert list(lines) == ["least squares", "least squares within days", "within 20 days"]
    assert {line.lags for line in lines.values()} == {LAGS}


@pytest.mark.parametrize("prepared", ["stocks"], indirect=True)
def test_lines_read_as_much_as_is_known(prepared) -> None:
    lines = fit_lines(prepared.splits["train"], 61)
    assert {name: line.lags for name, line in lines.items()} == {
        "least squares": 10,
        "least squares within days": 10,
        "within 20 days": 20,
        "long averages": 60,
    }


def test_the_future_moves_no_earlier_forecast(prepared, package) -> None:
    lines = fit_lines(prepared.splits["train"], LAGS)
    lines["mean return"] = mean_step(prepared.layout.features)
    fed = fed_steps(prepared)
    for name in ("rollouts", "test"):
        split = prepared.splits[name].take(np.arange(3))
        later = split.take(np.arange(3))
        later.sequences[:, fed:] += 1
        if name == "rollouts":
            before, after = (multi_step(package, lines, windows) for windows in (split, later))
            steps = slice(None)
        else:
            before, after = (one_step(package, lines, windows) for windows in (split, later))
            steps = slice(LAGS - 1, fed)
        assert before.forecasts.keys() == after.forecasts.keys() > lines.keys()
        for forecaster, values in before.forecasts.items():
            assert np.array_equal(values[:, steps], after.forecasts[forecaster][:, steps])
        assert np.array_equal(before.expected_error[:, :fed], after.expected_error[:, :fed])


@TABLES
def test_variables_of_other_units_count_alike(prepared, package) -> None:
    forecast = one_step(package, {}, prepared.splits["test"]).comparable(prepared.layout)
    spread = forecast.truth[forecast.scored].std(axis=0)
    assert (spread < 3).all()
    assert (spread > 0.05).all()


def test_recent_volatility_looks_back_a_month_and_never_ahead() -> None:
    returns = np.random.default_rng(0).normal(0, 0.01, (3, 60))
    volatility = recent_volatility(returns)
    month = np.sqrt(np.square(returns[:, 31:51]).mean(axis=1))
    assert np.allclose(volatility[:, 50], month)
    assert np.allclose(volatility[:, 5], np.sqrt(np.square(returns[:, :6]).mean(axis=1)))
    two_variables = np.stack([returns, 2 * returns], axis=2)
    assert np.allclose(recent_volatility(two_variables)[..., 1], 2 * volatility)
    later = returns.copy()
    later[:, 41:] += 1
    assert np.array_equal(recent_volatility(later)[:, :41], volatility[:, :41])
