import numpy as np
import pytest
import torch
from sklearn.metrics import mean_squared_error, root_mean_squared_error

from lstm_ae.data import stocks
from lstm_ae.evaluation import forecasting
from lstm_ae.evaluation.forecasting import (
    FORECASTERS,
    StockForecast,
    diebold_mariano,
    fit_lines,
    multi_step,
    one_step,
)
from lstm_ae.model.autoencoder import Architecture, LSTMAutoencoder

CPU = torch.device("cpu")


@pytest.fixture
def prepared(prices_csv, params):
    return stocks.prepare_forecast(prices_csv, params.section("snp_forecast").data, "test")


@pytest.fixture
def model() -> LSTMAutoencoder:
    return LSTMAutoencoder(
        Architecture(5, 80, 8, 4, 1, 1, "state", "backward", "linear", None, 8, True)
    ).eval()


def test_skill_is_one_less_the_share_of_persistence() -> None:
    truth = np.zeros((4, 3))
    said = {
        name: np.full((4, 3), value)
        for name, value in zip(FORECASTERS, (1.0, 2.0, 2.0, 1.0, 0.0, 1.0), strict=True)
    }
    scores = StockForecast(
        truth, said, np.ones((4, 3), bool), np.zeros((4, 3), int), np.ones((4, 3))
    ).scores()
    assert [
        scores[f"skill{of}"]
        for of in ("", "_drift", "_least_squares", "_least_squares_within_days")
    ] == [0.75, 0.0, 1.0, 0.75]
    assert scores["rmse_dollars"] == pytest.approx(np.e - 1)


def test_skill_and_errors_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    truth, scored = random.normal(size=(30, 8)), random.random((30, 8)) < 0.5
    said = {name: truth + random.normal(size=(30, 8)) for name in FORECASTERS}
    found = StockForecast(truth, said, scored, np.zeros((30, 8), int), np.ones((30, 8)))
    error = {
        name: mean_squared_error(truth[scored], values[scored]) for name, values in said.items()
    }
    assert found.errors() == pytest.approx(error)
    scores = found.scores()
    assert scores["skill"] == pytest.approx(1 - error["model"] / error["persistence"])
    assert scores["skill_mean_return"] == pytest.approx(
        1 - error["mean return"] / error["persistence"]
    )
    assert scores["rmse_dollars"] == pytest.approx(
        root_mean_squared_error(np.exp(truth[scored]), np.exp(said["model"][scored]))
    )
    third = scored[:, 2]
    assert found.rmse_by_step()["drift"][2] == pytest.approx(
        root_mean_squared_error(truth[third, 2], said["drift"][third, 2])
    )


def test_unscored_days_do_not_count() -> None:
    truth = np.zeros((1, 2))
    said = {name: np.array([[99.0, 1.0]]) for name in FORECASTERS}
    assert (
        StockForecast(
            truth, said, np.array([[False, True]]), np.array([[0, 1]]), np.ones((1, 2))
        ).errors()["model"]
        == 1.0
    )


def test_diebold_mariano_finds_a_difference_where_there_is_one() -> None:
    random = np.random.default_rng(0)
    p_values = np.array([diebold_mariano(random.normal(0, 1, 125)) for _ in range(2000)])
    assert (
        0.03 < (p_values < 0.05).mean() < 0.09
    )  # Newey and West's variance is a little low in small samples
    assert diebold_mariano(random.normal(0.5, 1, 125)) < 0.01


def test_diebold_mariano_by_hand() -> None:
    stats = pytest.importorskip("scipy.stats")
    differences = np.array([0.3, -0.1, 0.4])  # floor(4 * 0.03^(2/9)) = 1 lag, at weight 1 / 2
    n, centred = 3, differences - differences.mean()
    variance = centred @ centred / n + centred[1:] @ centred[:-1] / n
    wanted = 2 * stats.t.sf(
        abs(differences.mean() / np.sqrt(variance / n) * np.sqrt((n - 1) / n)), n - 1
    )
    assert diebold_mariano(differences) == pytest.approx(wanted)


def test_stocks_of_one_day_are_one_observation() -> None:
    random = np.random.default_rng(0)
    daily = random.normal(0, 1, 60)
    one, many = (
        StockForecast(
            np.zeros((count, 60)),
            {
                name: np.tile(np.sqrt(np.abs(daily)) * (name == "model") + 0.5, (count, 1))
                for name in FORECASTERS
            },
            np.ones((count, 60), bool),
            np.tile(np.arange(60), (count, 1)),
            np.ones((count, 60)),
        ).p_values()["p_value_drift"]
        for count in (1, 50)
    )
    assert one == pytest.approx(many)


def test_a_perfect_prediction_gives_the_true_high(prepared, model, monkeypatch) -> None:
    split, about = prepared.splits["test"], prepared.description
    truth = np.concatenate([split.values()[:, 1:], split.following[:, None].astype(float)], axis=1)
    monkeypatch.setattr(
        "lstm_ae.evaluation.forecasting.answers",
        lambda *_: type("Answers", (), {"predictions": truth}),
    )
    found = one_step(model, fit_lines(prepared.splits["train"]), split, about, CPU)
    assert found.errors()["model"] < 1e-10 < found.errors()["persistence"]


def test_a_perfect_rollout_gives_the_true_highs(prepared, model, monkeypatch) -> None:
    split, about = prepared.splits["rollouts"], prepared.description
    answers = iter(torch.from_numpy(split.sequences[:, about["fed"] :]).split(500))
    monkeypatch.setattr(model, "roll_forward", lambda *_: next(answers))
    found = multi_step(model, fit_lines(prepared.splits["train"]), split, about, CPU)
    assert found.errors()["model"] < 1e-8 < found.errors()["persistence"]


def test_the_future_moves_no_earlier_forecast(prepared, model) -> None:
    lines, about = fit_lines(prepared.splits["train"]), prepared.description
    split = prepared.splits["rollouts"].take(np.arange(3))
    changed = split.take(np.arange(3))
    fed = about["fed"]
    changed.sequences[:, fed:] += 5
    for array in changed.extras.values():
        if array.ndim == 2:
            array[:, fed:] += 5
    before, after = (multi_step(model, lines, windows, about, CPU) for windows in (split, changed))
    for name in FORECASTERS:
        assert np.array_equal(before.said[name], after.said[name])

    single = prepared.splits["test"].take(np.arange(3))
    later = prepared.splits["test"].take(np.arange(3))
    later.sequences[:, 60:] += 5
    later.extras["log_high"][:, 60:] += 5
    later.extras["log_close"][:, 60:] += 5
    before, after = (one_step(model, lines, windows, about, CPU) for windows in (single, later))
    for name in FORECASTERS:
        assert np.array_equal(before.said[name][:, 20:60], after.said[name][:, 20:60])


def test_persistence_and_drift_are_what_they_say(prepared, model) -> None:
    lines, about, split = (
        fit_lines(prepared.splits["train"]),
        prepared.description,
        prepared.splits["rollouts"],
    )
    found = multi_step(model, lines, split, about, CPU)
    last = split.extras["log_high"][:, about["fed"] - 1]
    assert (found.said["persistence"] == last[:, None]).all()
    assert np.allclose(np.diff(found.said["drift"], axis=1), about["means"][stocks.CLOSE])
    close = split.extras["log_close"][:, about["fed"] - 1]
    assert np.allclose(found.said["mean return"][:, 0], close + about["means"][stocks.HIGH])
    assert np.allclose(np.diff(found.said["mean return"], axis=1), about["means"][stocks.CLOSE])


def test_coverage_counts_the_scored_truth_within_the_widths() -> None:
    said = {"model": np.array([[0.0, 0.0, 0.0]])}
    scored = np.array([[True, True, False]])
    found = StockForecast(
        np.array([[0.1, 0.3, 0.9]]), said, scored, np.zeros((1, 3), int), np.ones((1, 3))
    )
    scores = found.interval_scores(np.full((1, 2), 0.2))
    assert scores["coverage"] == 0.5 and scores["width_percent"] == pytest.approx(40)


def test_recent_volatility_looks_back_a_month_and_never_ahead() -> None:
    returns = np.random.default_rng(0).normal(0, 0.01, (3, 60))
    found = forecasting.recent_volatility(returns)
    assert np.allclose(found[:, 50], np.sqrt(np.square(returns[:, 31:51]).mean(axis=1)))
    assert np.allclose(found[:, 5], np.sqrt(np.square(returns[:, :6]).mean(axis=1)))
    assert np.allclose(
        forecasting.recent_volatility(np.stack([returns, 2 * returns], axis=2))[..., 1], 2 * found
    )
    later = returns.copy()
    later[:, 41:] += 1
    assert np.array_equal(forecasting.recent_volatility(later)[:, :41], found[:, :41])
