"""Optuna's search over the ranges of a section, scored on validation: docs/scaling.md."""

import hashlib
import json
import logging
import math
import statistics
import time
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
from optuna.exceptions import ExperimentalWarning, StorageInternalError, UpdateFinishedTrialError
from optuna.trial import BaseTrial, FrozenTrial, Trial, TrialState
from sqlalchemy.exc import IntegrityError, ProgrammingError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from tqdm import tqdm

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import read_json, write_json
from lstm_ae.params import TUNABLE, Space
from lstm_ae.search.trial import Outcome, Task, train_trial, worker_pool
from lstm_ae.training.hyperparameters import Hyperparameters
from lstm_ae.training.scratch import digest

log = logging.getLogger(__name__)

STARTUP_TRIALS = (
    4  # told before TPE takes over from chance, and complete before a trial may be pruned
)
HEARTBEAT_SECONDS = (
    30  # of a trial in a shared study; twice as long without one, and its process counts as dead
)
MOST_RETRIES = 2  # of a trial in a shared study whose process died
TRIAL_COLUMNS = ["trial", "state", "loss", "best_epoch", *TUNABLE]

optuna.logging.set_verbosity(optuna.logging.ERROR)  # what is worth a line is logged here


def search(task: Task, folder: Path, workers: int) -> optuna.Study:
    """Run the trials: TPE (Bergstra et al. 2011) with median pruning, the lowest validation loss wins.

    As many trials are in hand at once as `concurrency` says, whatever the number of workers. They are told to Optuna in their order, and
    the next is drawn when the oldest is told: what is known when a trial is drawn, and what it is compared with, does not depend on which
    worker is faster, and so the result does not.

    Parameters
    ----------
    folder
        Keeps the outcome of every finished trial, which is not run again, and the checkpoints of those that were killed.
    workers
        Processes of one thread each.

    Raises
    ------
    InputError
        The data cannot be read, or a worker was killed.
    """
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(
            seed=task.seed, n_startup_trials=STARTUP_TRIALS, constant_liar=True
        )
    )
    if finished := len(list(folder.glob("*.json"))):
        log.info("%d of %d trials were finished before", finished, task.trials)
    in_hand: deque[tuple[Trial, Future[Outcome]]] = deque()
    try:
        with (
            worker_pool(workers) as pool,
            tqdm(total=task.trials, desc=f"search {task.name}", disable=None, unit="trial") as bar,
        ):
            while len(study.trials) < task.trials or in_hand:
                if (
                    len(study.trials) < task.trials
                    and len(in_hand) < task.section.search.concurrency
                ):
                    trial = study.ask()
                    suggest(trial, task.section.search.space)
                    in_hand.append(
                        (
                            trial,
                            _outcome(
                                pool,
                                task,
                                trial,
                                _medians(study.trials),
                                folder / f"{trial.number:04d}.json",
                            ),
                        )
                    )
                    continue
                trial, outcome = in_hand.popleft()
                _tell(study, trial, outcome.result())
                bar.update()
    except BrokenProcessPool as error:
        fewer = f"LSTM_AE_WORKERS below {workers} makes fewer"
        raise InputError(
            f"search {task.name}: a worker was killed, perhaps for its memory; {fewer}"
        ) from error
    return study


@contextmanager
def _reached() -> Iterator[None]:
    """What a storage says that is not there, or no longer, as one line."""
    try:
        yield
    except Exception as error:
        lost = next(
            (
                one
                for one in _contexts(error)
                if isinstance(one, ImportError | SQLAlchemyError | StorageInternalError)
            ),
            None,
        )
        if not lost:
            raise
        raise InputError(
            f"search.storage: {' '.join(str(lost.__cause__ or lost).split())}"
        ) from error


def _contexts(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it came from: Optuna trips over itself where something fails as a trial ends."""
    found: BaseException | None = error
    while found:
        yield found
        found = found.__context__


def _given_up(error: BaseException) -> bool:
    """Whether another process has ended the trial of this one, which gave no sign of life."""
    return any(
        isinstance(one, UpdateFinishedTrialError) or str(one) == "Cannot tell a FAIL trial."
        for one in _contexts(error)
    )


@_reached()
def search_together(task: Task, url: str) -> optuna.Study:
    """Take part in a study that any number of processes share, until all of its trials are finished.

    What is drawn and what is pruned depends on which process is faster, and so does the result. A trial whose process died is run again,
    twice at most.

    Parameters
    ----------
    url
        Of an Optuna storage. The study in it is named after all that decides the result: other work has another study.

    Raises
    ------
    InputError
        The storage cannot be reached or goes away, or the data cannot be read.
    """
    storage = _storage(url)
    study = optuna.create_study(
        storage=storage,
        study_name=f"{task.name}-{digest(task.settings(), task.inputs())}",
        sampler=optuna.samplers.TPESampler(n_startup_trials=STARTUP_TRIALS, constant_liar=True),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=1),
        load_if_exists=True,
    )
    log.info("study %s: %d trials are in it", study.study_name, len(study.trials))
    known: set[int] = set()

    def objective(trial: Trial) -> float:
        if sum(other.number < trial.number for other in _counted(study.trials)) >= task.trials:
            return (
                math.nan
            )  # two processes asked for the last trial at once; this one fails, and does not count

        def hopeless(losses: Sequence[float]) -> bool:
            trial.report(losses[-1], len(losses))
            return trial.should_prune()

        suggest(trial, task.section.search.space)
        outcome = train_trial(task, Hyperparameters(**trial.params, epochs=task.epochs), hopeless)
        _note(trial, outcome)
        if outcome.state == "pruned":
            raise optuna.TrialPruned
        return min(outcome.losses, default=math.nan)

    while True:
        with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
            optuna.storages.fail_stale_trials(study)
        trials = _counted(study.trials)
        if sum(trial.state.is_finished() for trial in trials) >= task.trials:
            return study
        if len(trials) < task.trials or any(trial.state == TrialState.WAITING for trial in trials):
            try:
                study.optimize(objective, n_trials=1)
            except (UpdateFinishedTrialError, ValueError, AssertionError) as error:
                if not _given_up(error):
                    raise
                log.warning(
                    "a trial was given up: this process gave no sign of life in time, and another one runs it again"
                )
            continue
        for running in (
            trial
            for trial in trials
            if trial.state == TrialState.RUNNING and trial.number not in known
        ):
            # Without one it would never be missed, had its process died before the first.
            optuna.storages.RDBStorage.record_heartbeat(storage, running._trial_id)
            known.add(running.number)
        time.sleep(1)


def suggest(trial: BaseTrial, space: Space) -> None:
    """Draw a value from each range."""
    trial.suggest_int("hidden_size", space.hidden_size.low, space.hidden_size.high)
    trial.suggest_float("lr", space.lr.low, space.lr.high, log=True)
    trial.suggest_float(
        "gradient_clip", space.gradient_clip.low, space.gradient_clip.high, log=True
    )
    trial.suggest_int("layers", space.layers.low, space.layers.high)


def trials_table(study: optuna.Study) -> pd.DataFrame:
    """Every finished trial: number, state, validation loss (a pruned one's last), best epoch, and what was tried."""
    rows: list[dict[str, Any]] = []
    for trial in (trial for trial in _counted(study.trials) if trial.state.is_finished()):
        rows.append(
            {
                "trial": trial.number,
                "state": trial.state.name.lower(),
                "loss": trial.value,
                "best_epoch": trial.user_attrs.get("best_epoch"),
                **{name: trial.params[name] for name in TUNABLE},
            }
        )
    return pd.DataFrame(rows, columns=TRIAL_COLUMNS).astype({"best_epoch": "Int64"})


def importances_table(study: optuna.Study, seed: int) -> pd.DataFrame:
    """Share of each parameter in the variance of the loss (fANOVA, Hutter et al. 2014); empty with fewer than two complete trials."""
    complete = study.get_trials(states=(TrialState.COMPLETE,))
    shares: dict[str, float] = {}
    if len({trial.value for trial in complete}) > 1:
        shares = optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=seed)
        )
    table = pd.DataFrame({"parameter": list(shares), "importance": list(shares.values())})
    return table.sort_values(["importance", "parameter"], ascending=[False, True])


def best_values(study: optuna.Study) -> dict[str, float]:
    """The values of the best complete trial; none where there were no trials.

    Raises
    ------
    InputError
        There were trials and none is complete.
    """
    trials = _counted(study.trials)
    if not trials:
        return {}
    if not any(trial.state == TrialState.COMPLETE for trial in trials):
        raise InputError(
            f"search: all {len(trials)} trials failed, the last of them: {trials[-1].user_attrs['problem']}"
        )
    return dict(study.best_trial.params)


def _medians(trials: Iterable[FrozenTrial]) -> dict[int, float]:
    """The median loss of the complete trials at each epoch; none while they are few."""
    complete = [trial.intermediate_values for trial in trials if trial.state == TrialState.COMPLETE]
    if len(complete) < STARTUP_TRIALS:
        return {}
    epochs = {epoch for losses in complete for epoch in losses}
    return {
        epoch: statistics.median(losses[epoch] for losses in complete if epoch in losses)
        for epoch in epochs
    }


def _outcome(
    pool: Executor, task: Task, trial: Trial, medians: Mapping[int, float], path: Path
) -> Future[Outcome]:
    """The outcome of this trial, from an earlier run if it was finished there."""
    if path.is_file():
        try:
            content = read_json(path)
            if content.pop("params") == trial.params:
                kept: Future[Outcome] = Future()
                kept.set_result(Outcome(**content))
                return kept
        except (InputError, LookupError, TypeError) as error:
            log.warning("%s: no outcome of a trial (%s); it is run again", path, error)
    return pool.submit(_train_and_keep, task, trial.params, medians, path)


def _train_and_keep(
    task: Task, values: dict[str, Any], medians: Mapping[int, float], path: Path
) -> Outcome:
    """A trial that is pruned where its best loss so far is above the median of that epoch."""
    chosen = Hyperparameters(**values, epochs=task.epochs)
    tried = hashlib.sha256(json.dumps(values).encode()).hexdigest()[:8]
    checkpoint = path.with_name(f"{path.stem}-{tried}.safetensors")
    outcome = train_trial(
        task, chosen, lambda losses: min(losses) > medians.get(len(losses), math.inf), checkpoint
    )
    write_json(path, {"params": values, **asdict(outcome)})
    checkpoint.unlink(missing_ok=True)
    return outcome


def _tell(study: optuna.Study, trial: Trial, outcome: Outcome) -> None:
    for epoch, loss in enumerate(outcome.losses, start=1):
        trial.report(loss, epoch)
    _note(trial, outcome)
    study.tell(
        trial,
        min(outcome.losses) if outcome.state == "complete" else None,
        TrialState[outcome.state.upper()],
    )


def _note(trial: Trial, outcome: Outcome) -> None:
    """Log a trial and write to it what Optuna does not know."""
    if outcome.state == "complete":
        trial.set_user_attr("best_epoch", outcome.best_epoch)
    if outcome.state == "fail":
        trial.set_user_attr("problem", outcome.problem)
    said = outcome.problem or f"validation loss {outcome.losses[-1]:.6f}"
    log.info("trial %d %s, %s: %s", trial.number, outcome.state, said, trial.params)


def _counted(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """The trials but those that failed without a problem of their own: their process died, or there were enough without them."""
    return [
        trial for trial in trials if trial.state != TrialState.FAIL or "problem" in trial.user_attrs
    ]


class _Storage(optuna.storages.RDBStorage):
    """A storage that survives a sign of life which does not arrive: Optuna's thread would give no other."""

    def record_heartbeat(self, trial_id: int) -> None:
        try:
            super().record_heartbeat(trial_id)
        except (SQLAlchemyError, StorageInternalError) as error:
            log.warning(
                "search.storage: not reached for a sign of life (%s)",
                " ".join(str(error.__cause__ or error).split()),
            )


def _storage(url: str) -> optuna.storages.RDBStorage:
    # Epochs lie between two calls: no connection is held for so long. Times in UTC: no hour is missing where the clocks change.
    engine = {
        "poolclass": NullPool,
        "connect_args": {"options": "-c timezone=utc"} if url.startswith("postgresql") else {},
    }
    made = partial(
        _Storage,
        url,
        engine,
        heartbeat_interval=HEARTBEAT_SECONDS,
        heartbeat_stale_trial_callback=_put_back,
    )
    with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
        for seconds in (1, 2, 4):
            try:
                return made()
            except (IntegrityError, ProgrammingError):  # another process makes the tables just now
                time.sleep(seconds)
        return made()


def _put_back(study: optuna.Study, trial: FrozenTrial) -> None:
    """Give a trial whose process died to another one, with what it tries and nothing else; it may be what kills them."""
    if "problem" not in trial.user_attrs:  # else it had ended, and counts
        trial.user_attrs = {}
        with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
            optuna.storages.RetryHeartbeatStaleTrialCallback(MOST_RETRIES)(study, trial)
