from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lstm_ae.evaluation.table_forecasting import all_steps, compared, multi_step, one_step

from lstm_ae.core.splits import Prepared
from lstm_ae.data import table
from lstm_ae.evaluation.forecasting import fit_lines
from lstm_ae.model.autoencoder import Architecture, LSTMAutoencoder
from lstm_ae.params import Fractions, TableData

CPU = torch.device("cpu")
WINDOW, AHEAD = 16, 8
FED = WINDOW + 1 - AHEAD


@pytest.fixture(params=["zscore", "log_return"])
def prepared(request, tmp_path) -> Prepared:
    """Two variables of one series, each step told by the one before."""
    random, values = np.random.default_rng(0), [np.ones(2)]
    for _ in range(399):
        values.append(np.exp(0.5 * np.log(values[-1]) + random.normal(0, 0.3, 2)))
    path: Path = tmp_path / "a.csv"
    path.write_text(
        "x,y\n" + "\n".join(",".join(map(repr, map(float, row))) for row in values) + "\n"
    )
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
        scaling=request.param,
        predict=True,
        group_by_time=False,
    )
    return table.prepare(path, data, 0, "a")


@pytest.fixture
def model() -> LSTMAutoencoder:
    return LSTMAutoencoder(
        Architecture(2, WINDOW, 8, 4, 1, 1, "state", "backward", "linear", None, 8, True)
    )


def test_a_perfect_prediction_gives_the_true_values(prepared, model, monkeypatch) -> None:
    split, layout = prepared.splits["test"], table.Layout.stored(prepared.description)
    truth = np.concatenate([split.sequences[:, 1:], split.following[:, None]], axis=1)
    monkeypatch.setattr(
        "lstm_ae.evaluation.table_forecasting.answers",
        lambda *_: type("Answers", (), {"predictions": truth}),
    )
    found = one_step(model, {}, split, layout, CPU)
    assert np.array_equal(found.truth, all_steps(split, layout)[:, 1:])
    assert found.errors()["model"] < 1e-10 < found.errors()["persistence"]


def test_a_perfect_rollout_gives_the_true_values(prepared, model, monkeypatch) -> None:
    split, layout = prepared.splits["rollouts"], table.Layout.stored(prepared.description)
    truth = np.concatenate([split.sequences[:, FED:], split.following[:, None]], axis=1)
    monkeypatch.setattr(model, "roll_forward", lambda *_: torch.from_numpy(truth))
    found = multi_step(model, {}, split, layout, CPU)
    assert found.errors()["model"] < 1e-10 < found.errors()["persistence"]


def test_every_step_of_test_is_scored_once_one_step_ahead(prepared, model) -> None:
    found = one_step(
        model, {}, prepared.splits["test"], table.Layout.stored(prepared.description), CPU
    )
    assert len(found.truth[found.scored]) == len(np.unique(found.days[found.scored])) == 80


def test_every_horizon_is_forecast_from_everywhere_in_test(prepared, model) -> None:
    rollouts = prepared.splits["rollouts"]
    found = multi_step(model, {}, rollouts, table.Layout.stored(prepared.description), CPU)
    assert found.scored.all() and found.truth.shape == (80 - AHEAD + 1, AHEAD, 2)
    targets = rollouts.extras["times"][:, FED:]
    assert (targets[:, 0] == np.arange(320, 320 + len(targets))).all() and targets[-1, -1] == 399


def test_persistence_is_the_last_known_value(prepared, model) -> None:
    split, layout = prepared.splits["test"], table.Layout.stored(prepared.description)
    values = all_steps(split, layout)
    assert np.array_equal(
        one_step(model, {}, split, layout, CPU).said["persistence"], values[:, :-1]
    )
    assert (
        multi_step(model, {}, split, layout, CPU).said["persistence"] == values[:, FED - 1, None]
    ).all()


def test_least_squares_beats_persistence_where_steps_follow_from_those_before(
    prepared, model
) -> None:
    split, layout = prepared.splits["test"], table.Layout.stored(prepared.description)
    lines = fit_lines(prepared.splits["train"], 4)
    assert list(lines) == ["least squares"]
    for forecast in (one_step, multi_step):
        assert (
            compared(forecast(model, lines, split, layout, CPU), layout).skills()[
                "skill_least_squares"
            ]
            > 0
        )


def test_the_future_moves_no_earlier_forecast(prepared, model) -> None:
    layout, lines = (
        table.Layout.stored(prepared.description),
        fit_lines(prepared.splits["train"], 4),
    )
    split = prepared.splits["test"]
    sequences = split.sequences.copy()
    sequences[:, FED:] += 1
    later = replace(split, sequences=sequences)
    before, after = (multi_step(model, lines, windows, layout, CPU) for windows in (split, later))
    for name, said in before.said.items():
        assert np.array_equal(said, after.said[name])
    before, after = (one_step(model, lines, windows, layout, CPU) for windows in (split, later))
    for name, said in before.said.items():
        np.testing.assert_allclose(
            said[:, 3 : FED - 1], after.said[name][:, 3 : FED - 1], rtol=1e-6
        )


def test_variables_of_other_units_count_alike(prepared, model) -> None:
    split, layout = prepared.splits["test"], table.Layout.stored(prepared.description)
    found = compared(one_step(model, {}, split, layout, CPU), layout)
    spread = found.truth[found.scored].std(axis=0)
    assert (spread < 3).all() and (spread > 0.05).all()
