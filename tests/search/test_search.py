import math
import os
import pwd
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import psutil
import pytest
import torch
from sqlalchemy.pool import NullPool
from threadpoolctl import threadpool_info, threadpool_limits

from lstm_ae.core import paths
from lstm_ae.core.errors import InputError
from lstm_ae.core.files import read_json
from lstm_ae.core.splits import Split
from lstm_ae.params import CountRange, PositiveRange
from lstm_ae.search import local, shared
from lstm_ae.search.local import median_losses, run_trials, train_and_keep
from lstm_ae.search.shared import open_storage, run_shared_trials
from lstm_ae.search.study import (
    best_values,
    counted_trials,
    importances_table,
    note_outcome,
    trials_table,
)
from lstm_ae.search.trial import Outcome, Task, worker_count
from lstm_ae.training.checkpoint import save_state
from lstm_ae.training.scratch import digest
from stages.search import search
from tests.checkouts import edit_params
from tests.prepared import save_splits
from tools.dashboard import rebuild_storage

ROOT = Path(__file__).resolve().parents[2]
TUNABLE = ["hidden_size", "lr", "gradient_clip", "layers"]


def prepare(folder: Path) -> Path:
    random = np.random.default_rng(0)
    splits = {
        name: Split(random.random((count, 50, 1), dtype=np.float32))
        for name, count in (("train", 150), ("validation", 50))
    }
    save_splits(splits, folder)
    return folder


@pytest.fixture(scope="module")
def task(params, tmp_path_factory) -> Task:
    prepared = prepare(tmp_path_factory.mktemp("prepared"))
    return Task(
        "toy",
        params.section("toy"),
        prepared,
        trials=10,
        epochs=3,
        seed=0,
        training_seed=0,
        device="cpu",
        precision="32-true",
    )


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


@pytest.fixture
def project(tmp_path) -> Path:
    """A folder in which stages/search.py finds params.yaml and prepared data."""
    prepare(tmp_path / paths.prepared("toy"))
    change(tmp_path, trials=6, epochs=20)
    return tmp_path


def change(project: Path, storage: str | None = None, **search: object) -> None:
    shutil.copy(ROOT / "params.yaml", project)
    changes = {f"toy.search.{key}": value for key, value in search.items()}
    edit_params(project / "params.yaml", changes | {"defaults.search.storage": storage})


def stage(project: Path, *arguments: str) -> subprocess.Popen[str]:
    """stages/search.py, with a heartbeat of a second."""
    program = f"""
import runpy, sys
from lstm_ae.search import shared
shared.HEARTBEAT_SECONDS = 1
sys.argv = {["search.py", "toy", *arguments]}
runpy.run_path({str(ROOT / "stages" / "search.py")!r}, run_name="__main__")
"""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "LSTM_AE_CACHE": str(project / "cache"),
    }
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=project,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> str:
    """What a process said, when it and all that it started have ended well."""
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 0, said
    return said


def until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait for something that a process does."""
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)


def outputs(project: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project / paths.search("toy")).iterdir()}


def test_a_killed_search_goes_on_and_ends_with_the_same_bytes(project) -> None:
    ended(stage(project))
    unbroken = outputs(project)
    shutil.rmtree(project / paths.search("toy"))

    def finished() -> int:
        return len(list((project / "cache").glob("scratch/search-toy-*/*.json")))

    assert finished() == 0
    with stage(project) as broken:
        until(lambda: finished() >= 2, broken)
        broken.kill()
        broken.communicate(
            timeout=60
        )  # the workers hold the pipe too: this returns when the last of them has ended
    assert 2 <= finished() < 6
    assert f"{finished()} of 6 trials were finished before" in ended(stage(project))
    assert outputs(project) == unbroken


def test_a_killed_worker_ends_the_search_with_its_line(project) -> None:
    process = stage(project)
    until(lambda: list((project / "cache").glob("scratch/search-toy-*/*.json")), process)
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


@pytest.fixture
def postgresql(tmp_path_factory) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of this test's own."""
    folders = [Path(found).parent for found in [shutil.which("pg_ctl")] if found] + sorted(
        Path("/usr/lib/postgresql").glob("*/bin")
    )
    tools = next((folder for folder in folders if (folder / "pg_ctl").is_file()), None)
    if tools is None:
        pytest.skip("no PostgreSQL server is installed")
    user: dict[str, Any] = {}
    folder = Path(tempfile.mkdtemp(prefix="lstm-ae-postgresql-"))
    if os.geteuid() == 0:  # the server refuses to run as root
        user = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
        shutil.chown(folder, "nobody")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def call(tool: str, *arguments: str) -> None:
        with (folder / "log").open("a") as output:
            done = subprocess.run(
                [tools / tool, "-D", folder / "data", *arguments],
                cwd=folder,
                stdout=output,
                stderr=output,
                check=False,
                **user,
            )
        assert done.returncode == 0, (folder / "log").read_text()

    call("initdb", "-U", "search", "--auth", "trust", "--no-sync")
    call("pg_ctl", "start", "--wait", "-o", f"-h 127.0.0.1 -p {port} -k {folder} -F")
    yield f"postgresql+psycopg://search@127.0.0.1:{port}/postgres"
    call("pg_ctl", "stop", "--mode", "immediate")
    shutil.rmtree(folder)


def test_a_shared_study_repeats_the_trial_of_a_worker_that_was_killed(postgresql, project) -> None:
    change(project, trials=6, epochs=40, storage=postgresql)

    def trials() -> list[optuna.trial.FrozenTrial]:
        storage = optuna.storages.RDBStorage(postgresql, engine_kwargs={"poolclass": NullPool})
        names = optuna.get_all_study_names(storage)
        return [
            trial
            for name in names
            for trial in optuna.load_study(study_name=name, storage=storage).trials
        ]

    with stage(project, "--worker") as killed:
        until(lambda: any(trial.intermediate_values for trial in trials()), killed)
        killed.kill()
    (broken,) = (trial for trial in trials() if trial.state == optuna.trial.TrialState.RUNNING)
    other, main = stage(project, "--worker"), stage(project)
    ended(other), ended(main)

    table = pd.read_csv(project / paths.search("toy") / "trials.csv")
    assert len(table) == 6 and set(table["state"]) <= {"complete", "pruned"}
    assert broken.number not in table["trial"].to_list()
    (retried,) = (
        trial for trial in trials() if trial.system_attrs.get("failed_trial") == broken.number
    )
    assert retried.params == broken.params
    assert retried.number in table["trial"].to_list()
    assert b"search@" not in b"".join(outputs(project).values())


def test_a_trial_whose_process_died_before_it_gave_a_sign_is_replaced(
    task, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(shared, "HEARTBEAT_SECONDS", 1)
    few, url = replace(task, trials=2, epochs=1), f"sqlite:///{tmp_path}/study.db"
    lost = optuna.create_study(
        storage=url, study_name=f"toy-{digest(few.settings(), few.inputs())}"
    ).ask()
    table = trials_table(run_shared_trials(few, url))
    assert len(table) == 2 and set(table["state"]) == {"complete"}
    assert lost.number not in table["trial"].to_list()


@pytest.fixture
def shared_study(task, tmp_path, monkeypatch) -> Callable[..., optuna.Study]:
    """A shared study of two trials of one epoch.

    Each is what is called with the storage and its number; without that it is complete.
    """

    def run(**ends: Callable[[optuna.storages.RDBStorage, int], Outcome]) -> optuna.Study:
        url, asked = f"sqlite:///{tmp_path}/study.db", iter(range(10))

        def train_trial(*arguments: Any) -> Outcome:
            number = next(asked)
            end = ends.get(f"trial_{number}", lambda *_: Outcome("complete", [1.0]))
            return end(open_storage(url), number)

        monkeypatch.setattr(shared, "train_trial", train_trial)
        return run_shared_trials(replace(task, trials=2, epochs=1), url)

    return run


@pytest.mark.parametrize(
    "outcome",
    [Outcome("pruned", [2.0]), Outcome("fail", [], "it does not fit"), Outcome("complete", [1.0])],
)
def test_a_trial_of_a_shared_study_counts_as_it_ended(shared_study, outcome: Outcome) -> None:
    assert list(trials_table(shared_study(trial_0=lambda *_: outcome))["state"]) == [
        outcome.state,
        "complete",
    ]


@pytest.mark.parametrize("late", [False, True])
def test_a_process_that_was_given_up_and_lives_goes_on_with_another_trial(
    shared_study, monkeypatch, caplog, late: bool
) -> None:
    def give_up(storage: optuna.storages.RDBStorage, number: int) -> Outcome:
        storage.set_trial_state_values(
            storage.get_all_trials(1)[number]._trial_id, optuna.trial.TrialState.FAIL
        )
        return Outcome("complete", [0.5])

    def note_and_give_up(trial: optuna.Trial, outcome: Outcome) -> None:
        note(trial, outcome)
        if trial.number == 0 and late:
            give_up(trial.study._storage, 0)

    note = note_outcome
    monkeypatch.setattr(shared, "note_outcome", note_and_give_up)
    table = trials_table(shared_study() if late else shared_study(trial_0=give_up))
    assert list(table["trial"]) == [1, 2] and set(table["state"]) == {"complete"}
    assert "a trial was given up" in caplog.text


def test_a_trial_that_was_interrupted_is_replaced(shared_study) -> None:
    def interrupted(*_: object) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shared_study(trial_0=interrupted)
    assert list(trials_table(shared_study())["trial"]) == [1, 2]


def test_an_error_of_a_trial_is_raised(shared_study) -> None:
    def wrong(*_: object) -> Outcome:
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        shared_study(trial_0=wrong)


def test_a_trial_that_kills_its_processes_is_put_back_twice_and_one_that_had_ended_is_not() -> None:
    study = optuna.create_study()

    def die(noted: dict[str, object]) -> None:
        trial = study.ask()
        for name, value in noted.items():
            trial.set_user_attr(name, value)
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        shared._put_back(study, study.trials[trial.number])

    die({"best_epoch": 1})
    assert study.trials[1].state.name == "WAITING" and study.trials[1].user_attrs == {}
    die({}), die({})
    assert [trial.state.name for trial in study.trials] == ["FAIL"] * 3
    assert study.trials[2].system_attrs["retry_history"] == [0, 1]
    die({"problem": "it does not fit"})
    assert len(study.trials) == 4


def test_a_sign_of_life_that_does_not_arrive_is_no_error(task, tmp_path, caplog) -> None:
    storage = open_storage(f"sqlite:///{tmp_path}/study.db")
    study = optuna.create_study(storage=storage)
    study.add_trial(optuna.create_trial(state=optuna.trial.TrialState.RUNNING))
    (tmp_path / "study.db").write_bytes(b"no database any more" * 100)
    storage.record_heartbeat(1)
    assert "search.storage: not reached for a sign of life" in caplog.text


def test_processes_that_meet_in_an_empty_database_make_its_tables_once(postgresql) -> None:
    program = (
        "import optuna; from lstm_ae.search.shared import open_storage; "
        f"print(open_storage({postgresql!r}).get_all_studies())"
    )
    command = [sys.executable, "-c", program]
    processes = [
        subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    said = [process.communicate(timeout=120) for process in processes]
    assert [output for output, _ in said] == ["[]\n"] * 4, said


def test_of_two_processes_that_ask_for_the_last_trial_one_counts(
    task, tmp_path, monkeypatch
) -> None:
    few, url = replace(task, trials=1, epochs=1), f"sqlite:///{tmp_path}/study.db"
    run_shared_trials(few, url)
    counted = counted_trials
    seen: Iterator[list[Any]] = iter([[]])  # the first look finds nothing yet
    monkeypatch.setattr(shared, "counted_trials", lambda trials: next(seen, counted(trials)))
    study = run_shared_trials(few, url)
    assert len(study.trials) == 2
    assert len(trials_table(study)) == 1


def test_a_worker_without_a_storage_is_an_error(params) -> None:
    with pytest.raises(InputError, match=r"defaults\.search\.storage: null"):
        search(params, "toy", worker=True)


def test_a_storage_that_cannot_be_reached_is_an_error(task) -> None:
    with pytest.raises(InputError, match=r"search\.storage: .*Connection refused"):
        run_shared_trials(task, "postgresql+psycopg://search:secret@127.0.0.1:1/postgres")
    with pytest.raises(InputError, match=r"search\.storage: Could not parse") as found:
        run_shared_trials(task, "secret")
    assert "secret" not in str(found.value)


def test_a_storage_that_goes_away_is_an_error(task, tmp_path, monkeypatch) -> None:
    database = tmp_path / "study.db"

    def lose(*_: object) -> Outcome:
        database.write_bytes(b"no database any more" * 100)
        return Outcome("complete", [1.0])

    monkeypatch.setattr(shared, "train_trial", lose)
    with pytest.raises(InputError, match=r"search\.storage: ") as found:
        run_shared_trials(replace(task, trials=2), f"sqlite:///{database}")
    assert "\n" not in str(found.value)
