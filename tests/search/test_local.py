import math
import os
import shutil
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import psutil
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from lstm_ae.core import paths
from lstm_ae.core.errors import InputError
from lstm_ae.core.files import read_json
from lstm_ae.params import CountRange, PositiveRange
from lstm_ae.search import local
from lstm_ae.search.local import median_losses, run_trials, train_and_keep
from lstm_ae.search.study import (
    best_values,
    importances_table,
    trials_table,
)
from lstm_ae.search.trial import Outcome, worker_count
from lstm_ae.training.checkpoint import save_state
from tests.search.projects import (
    outputs,
    start_stage,
    text_at_end,
    wait_until,
)
from tools.dashboard import rebuild_storage

TUNABLE = ["hidden_size", "lr", "gradient_clip", "layers"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def study(task, kept) -> optuna.Study:
    return run_trials(task, kept, 1)


def test_two_workers_find_what_one_finds(study, task, tmp_path) -> None:
    assert trials_table(run_trials(task, tmp_path, 2)).to_csv() == trials_table(study).to_csv()


def test_a_trial_is_pruned_where_its_best_loss_is_above_the_median_of_those_told_before(
    study, task, tmp_path
) -> None:
    told = study.trials[:5]
    assert [trial.state.name for trial in told[:4]] == ["COMPLETE"] * 4
    assert median_losses(told[:3]) == {}
    medians = median_losses(told[:4])
    assert medians == {
        epoch: statistics.median(trial.intermediate_values[epoch] for trial in told[:4])
        for epoch in (1, 2, 3)
    }
    values = told[0].params
    hopeless = train_and_keep(task, values, {1: -math.inf}, tmp_path / "a.json")
    late = train_and_keep(task, values, {3: -math.inf}, tmp_path / "b.json")
    assert (hopeless.state, len(hopeless.losses)) == ("pruned", 1)
    assert (late.state, len(late.losses)) == ("complete", 3)


@pytest.mark.parametrize(
    ("losses", "pruned"),
    [([0.5], False), ([0.6], True), ([0.6, 0.4], True), ([0.2, 0.9], False), ([9, 9, 9], False)],
)
def test_the_best_loss_so_far_is_compared_with_the_median_of_its_epoch(
    task, tmp_path, monkeypatch, losses, pruned: bool
) -> None:
    asked, outcome = [], Outcome("complete", [1.0])
    monkeypatch.setattr(
        local,
        "train_trial",
        lambda _, __, hopeless, ___: asked.append(hopeless(losses)) or outcome,
    )
    values = {"hidden_size": 32, "lr": 1e-3, "gradient_clip": 1.0, "layers": 1}
    train_and_keep(task, values, {1: 0.5, 2: 0.3}, tmp_path / "a.json")
    assert asked == [pruned]


def test_a_trial_is_told_as_it_ended(study, kept) -> None:
    ended = {int(path.stem): read_json(path)["state"] for path in kept.glob("*.json")}
    table = trials_table(study)
    assert dict(zip(table["trial"], table["state"], strict=True)) == ended
    assert {"complete", "pruned"} <= set(ended.values())
    assert table["best_epoch"].isna().tolist() == (table["state"] != "complete").tolist()


def test_a_trial_has_one_thread(study, task, tmp_path) -> None:
    torch.set_num_threads(2)
    with threadpool_limits(2):
        train_and_keep(task, study.trials[0].params, {}, tmp_path / "a.json")
        assert torch.get_num_threads() == 1
        assert {
            pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"
        } <= {1}


def test_a_killed_trial_goes_on_from_its_checkpoint_and_no_other_does(
    study, task, tmp_path, monkeypatch, caplog
) -> None:
    caplog.set_level("INFO")
    values, outcome = study.trials[0].params, tmp_path / "0000.json"

    def killed(state: dict[str, Any], path: Path) -> None:
        save_state(state, path)
        if state["progress"]["epoch"] == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("lstm_ae.training.loop.save_state", killed)
        train_and_keep(task, values, {}, outcome)
    assert len(list(tmp_path.glob("0000-*.safetensors"))) == 1
    train_and_keep(task, values | {"lr": values["lr"] / 2}, {}, outcome)
    assert "going on" not in caplog.text
    losses = train_and_keep(task, values, {}, outcome).losses
    assert "going on from epoch 3" in caplog.text and not list(tmp_path.glob("*.safetensors"))
    assert losses == list(study.trials[0].intermediate_values.values())


@pytest.mark.slow
def test_a_trial_knows_all_but_those_in_hand(task, tmp_path, monkeypatch) -> None:
    known = []
    monkeypatch.setattr(
        local,
        "median_losses",
        lambda trials: known.append([t.number for t in trials if t.state.is_finished()]) or {},
    )
    run_trials(replace(task, trials=7, epochs=1), tmp_path, 2)
    assert known == [[], [], [], [], [0], [0, 1], [0, 1, 2]]


def test_an_outcome_that_is_not_whole_is_run_again(study, task, kept, tmp_path, caplog) -> None:
    shutil.copytree(kept, tmp_path / "kept")
    (tmp_path / "kept" / "0002.json").write_text('{"params"')
    assert (
        trials_table(run_trials(task, tmp_path / "kept", 1)).to_csv()
        == trials_table(study).to_csv()
    )
    assert "0002.json: no outcome of a trial" in caplog.text


def test_what_is_finished_is_not_run_again(study, task, kept, tmp_path) -> None:
    nowhere = replace(task, prepared=tmp_path)
    assert trials_table(run_trials(nowhere, kept, 1)).to_csv() == trials_table(study).to_csv()


def test_the_seed_decides_what_is_tried(study, task, tmp_path) -> None:
    other = run_trials(replace(task, seed=1, trials=1), tmp_path, 1)
    assert trials_table(other)["lr"][0] != trials_table(study)["lr"][0]


def test_the_best_of_the_complete_trials_wins(study) -> None:
    table = trials_table(study)
    complete = table[table["state"] == "complete"]
    assert best_values(study)["lr"] == complete.loc[complete["loss"].idxmin(), "lr"]


def test_values_stay_in_the_ranges_of_the_section(study, params) -> None:
    for name, (low, high) in params.section("toy").search.space.bounds().items():
        assert trials_table(study)[name].between(low, high).all()


def test_the_table_has_neither_dates_nor_durations(study) -> None:
    assert list(trials_table(study)) == ["trial", "state", "loss", "best_epoch", *TUNABLE]


def test_importances_are_shares(study) -> None:
    table = importances_table(study, 0)
    assert set(table["parameter"]) == set(TUNABLE)
    assert table["importance"].sum() == pytest.approx(1)


def test_no_trials_find_no_values(task, tmp_path) -> None:
    study = run_trials(replace(task, trials=0), tmp_path, 1)
    assert best_values(study) == {}
    assert trials_table(study).empty and importances_table(study, 0).empty


@pytest.mark.slow
def test_a_search_goes_on_after_a_trial_that_diverged_and_is_an_error_where_all_did(
    task, tmp_path
) -> None:
    space = task.section.search.space.model_copy(update={"lr": PositiveRange(low=1e30, high=1e30)})
    section = task.section.model_copy(
        update={"search": task.section.search.model_copy(update={"space": space})}
    )
    study = run_trials(replace(task, section=section, trials=2), tmp_path, 1)
    assert list(trials_table(study)["state"]) == ["fail", "fail"]
    with pytest.raises(
        InputError,
        match="all 2 trials failed, the last of them: training diverged in its first epoch",
    ):
        best_values(study)


@pytest.mark.slow
def test_data_that_is_missing_ends_a_search_with_its_line(task, tmp_path) -> None:
    with pytest.raises(InputError, match=r"train\.safetensors: not found"):
        run_trials(replace(task, prepared=tmp_path / "nowhere"), tmp_path, 1)


def test_workers_are_as_many_as_the_cores_or_fewer(monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert worker_count("cpu") == 3
    assert worker_count("cuda") == 1
    monkeypatch.setenv("LSTM_AE_WORKERS", "2")
    assert worker_count("cpu") == 2
    monkeypatch.setenv("LSTM_AE_WORKERS", "8")
    assert worker_count("cpu") == 3
    monkeypatch.setenv("LSTM_AE_WORKERS", "0")
    with pytest.raises(InputError, match="LSTM_AE_WORKERS: found '0'"):
        worker_count("cpu")


def test_a_study_is_rebuilt_from_its_table(study, params) -> None:
    table = trials_table(study)
    storage = rebuild_storage("toy", table, params.section("toy").search.space)
    again = optuna.load_study(study_name="toy", storage=storage)
    columns = ["trial", "state", "loss", *TUNABLE]
    pd.testing.assert_frame_equal(trials_table(again)[columns], table[columns])
    assert [trial.user_attrs["trial"] for trial in again.trials] == list(table["trial"])
    hidden_size = CountRange(low=200, high=201)
    narrowed = params.section("toy").search.space.model_copy(update={"hidden_size": hidden_size})
    with pytest.raises(InputError, match=r"toy.search.space: trial 0 lies outside"):
        rebuild_storage("toy", table, narrowed)


def test_a_killed_search_goes_on_and_ends_with_the_same_bytes(project) -> None:
    text_at_end(start_stage(project))
    unbroken = outputs(project)
    shutil.rmtree(project / paths.search("toy"))

    def finished() -> int:
        return len(list((project / "cache").glob("scratch/search-toy-*/*.json")))

    assert finished() == 0
    with start_stage(project) as broken:
        wait_until(lambda: finished() >= 2, broken)
        broken.kill()
        broken.communicate(
            timeout=60
        )  # the workers hold the pipe too: this returns when the last of them has ended
    assert 2 <= finished() < 6
    assert f"{finished()} of 6 trials were finished before" in text_at_end(start_stage(project))
    assert outputs(project) == unbroken


def test_a_killed_worker_ends_the_search_with_its_line(project) -> None:
    process = start_stage(project)
    wait_until(lambda: list((project / "cache").glob("scratch/search-toy-*/*.json")), process)
    workers = [
        child
        for child in psutil.Process(process.pid).children()
        if "spawn_main" in " ".join(child.cmdline())
    ]
    workers[0].kill()
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 2 and "Traceback" not in said
    assert said.splitlines()[-1].startswith(
        "error: search toy: a worker was killed, perhaps for its memory"
    )
