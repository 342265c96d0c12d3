import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import optuna
import pandas as pd
import pytest
from sqlalchemy.pool import NullPool

from lstm_ae.core import paths
from lstm_ae.core.errors import InputError
from lstm_ae.search import shared
from lstm_ae.search.shared import open_storage, run_shared_trials
from lstm_ae.search.study import (
    counted_trials,
    note_outcome,
    trials_table,
)
from lstm_ae.search.trial import Outcome
from lstm_ae.training.scratch import digest
from stages.search import search
from tests.search.projects import ROOT, outputs, start_stage, text_at_end, wait_until, write_params


def test_a_shared_study_repeats_the_trial_of_a_worker_that_was_killed(postgresql, project) -> None:
    write_params(project, trials=6, epochs=40, storage=postgresql)

    def trials() -> list[optuna.trial.FrozenTrial]:
        storage = optuna.storages.RDBStorage(postgresql, engine_kwargs={"poolclass": NullPool})
        names = optuna.get_all_study_names(storage)
        return [
            trial
            for name in names
            for trial in optuna.load_study(study_name=name, storage=storage).trials
        ]

    with start_stage(project, "--worker") as killed:
        wait_until(lambda: any(trial.intermediate_values for trial in trials()), killed)
        killed.kill()
    (broken,) = (trial for trial in trials() if trial.state == optuna.trial.TrialState.RUNNING)
    other, main = start_stage(project, "--worker"), start_stage(project)
    text_at_end(other), text_at_end(main)

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
