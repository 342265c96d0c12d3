"""The search of several machines, which share a study in a database: docs/scaling.md."""

import logging
import math
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError, UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import IntegrityError, ProgrammingError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from lstm_ae.core.errors import InputError
from lstm_ae.search.study import STARTUP_TRIALS, counted_trials, note_outcome, suggest
from lstm_ae.search.trial import Task, train_trial
from lstm_ae.training.hyperparameters import Hyperparameters
from lstm_ae.training.scratch import digest

log = logging.getLogger(__name__)

# A process that trains gives a sign of life so often; twice as long without one, and it counts as
# dead.
HEARTBEAT_SECONDS = 30
MOST_RETRIES = 2  # of a trial whose process died
POLL_SECONDS = 1


@contextmanager
def _storage_errors_in_one_line() -> Iterator[None]:
    """Turn what a storage raises that is not there, or no longer, into an InputError."""
    try:
        yield
    except Exception as error:
        for cause in _causes(error):
            if isinstance(cause, ImportError | SQLAlchemyError | StorageInternalError):
                raise InputError(
                    f"search.storage: {_one_line(cause)}; check the URL, and that the database runs"
                ) from error
        raise


@_storage_errors_in_one_line()
def run_shared_trials(task: Task, url: str) -> optuna.Study:
    """Take part in a study that processes share, until all of its trials are finished.

    What is drawn and what is pruned depends on which process is faster, and so does the result. A
    trial whose process died is run again, twice at most.

    Parameters
    ----------
    url
        Of an Optuna storage. The study in it is named after all that decides the result: other
        work has another study.

    Raises
    ------
    InputError
        The storage cannot be reached or goes away, or the data cannot be read.
    """
    storage = open_storage(url)
    study = optuna.create_study(
        storage=storage,
        study_name=f"{task.name}-{digest(task.settings(), task.inputs())}",
        sampler=optuna.samplers.TPESampler(
            n_startup_trials=STARTUP_TRIALS, multivariate=True, constant_liar=True
        ),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=1),
        load_if_exists=True,
    )
    log.info("study %s: %d trials are in it", study.study_name, len(study.trials))
    with_heartbeat: set[int] = set()
    while True:
        _fail_stale_trials(study)
        trials = counted_trials(study.trials)
        finished = sum(trial.state.is_finished() for trial in trials)
        if finished >= task.trials:
            return study
        is_one_waiting = any(trial.state == TrialState.WAITING for trial in trials)
        if len(trials) < task.trials or is_one_waiting:
            _run_one_trial(study, task)
            continue
        _give_first_heartbeats(storage, trials, with_heartbeat)
        time.sleep(POLL_SECONDS)


def _run_one_trial(study: optuna.Study, task: Task) -> None:
    def objective(trial: Trial) -> float:
        return _objective(trial, task)

    try:
        study.optimize(objective, n_trials=1)
    except (UpdateFinishedTrialError, ValueError, AssertionError) as error:
        if not _is_given_up(error):
            raise
        log.warning(
            "a trial was given up: this process gave no sign of life in time, "
            "and another one runs it again"
        )


def _objective(trial: Trial, task: Task) -> float:
    """The lowest validation loss of a trial; NaN fails it."""
    counted = counted_trials(trial.study.trials)
    before = sum(other.number < trial.number for other in counted)
    if before >= task.trials:
        # Two processes asked for the last trial at once; this one fails, and does not count.
        return math.nan

    def hopeless(losses: Sequence[float]) -> bool:
        trial.report(losses[-1], len(losses))
        return trial.should_prune()

    suggest(trial, task.section.search.space)
    hyperparameters = Hyperparameters(**trial.params, epochs=task.epochs)
    outcome = train_trial(task, hyperparameters, hopeless)
    note_outcome(trial, outcome)
    if outcome.state == "pruned":
        raise optuna.TrialPruned
    return min(outcome.losses, default=math.nan)


def _fail_stale_trials(study: optuna.Study) -> None:
    """Fail the trials whose process gives no sign of life any more, and put them back."""
    with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
        optuna.storages.fail_stale_trials(study)


def _give_first_heartbeats(
    storage: optuna.storages.RDBStorage,
    trials: list[FrozenTrial],
    with_heartbeat: set[int],
) -> None:
    """Record a sign of life for each running trial, once.

    Without one a trial would never be missed whose process died before it gave the first.
    """
    for trial in trials:
        if trial.state == TrialState.RUNNING and trial.number not in with_heartbeat:
            optuna.storages.RDBStorage.record_heartbeat(storage, trial._trial_id)
            with_heartbeat.add(trial.number)


class _Storage(optuna.storages.RDBStorage):
    """A storage that survives a sign of life which does not arrive.

    Optuna's thread would give no other.
    """

    def record_heartbeat(self, trial_id: int) -> None:
        try:
            super().record_heartbeat(trial_id)
        except (SQLAlchemyError, StorageInternalError) as error:
            log.warning("search.storage: not reached for a sign of life (%s)", _one_line(error))


def open_storage(url: str) -> optuna.storages.RDBStorage:
    """Connect to a storage, whose tables are made if they are not there."""
    with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
        for seconds in (1, 2, 4):
            try:
                return _connect(url)
            except (IntegrityError, ProgrammingError):  # another process makes the tables just now
                time.sleep(seconds)
        return _connect(url)


def _connect(url: str) -> optuna.storages.RDBStorage:
    # Times in UTC: no hour is missing where the clocks change.
    options = {"options": "-c timezone=utc"} if url.startswith("postgresql") else {}
    return _Storage(
        url,
        # Epochs lie between two calls: no connection is held for so long.
        engine_kwargs={"poolclass": NullPool, "connect_args": options},
        heartbeat_interval=HEARTBEAT_SECONDS,
        heartbeat_stale_trial_callback=_put_back,
    )


def _put_back(study: optuna.Study, trial: FrozenTrial) -> None:
    """Give a trial whose process died to another one.

    It keeps its hyperparameters and nothing else; it may be what kills the processes.
    """
    if "problem" in trial.user_attrs:  # it had ended, and counts
        return
    trial.user_attrs = {}
    with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
        optuna.storages.RetryHeartbeatStaleTrialCallback(MOST_RETRIES)(study, trial)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it came from.

    Optuna trips over itself where something fails as a trial ends.
    """
    cause: BaseException | None = error
    while cause:
        yield cause
        cause = cause.__context__


def _is_given_up(error: BaseException) -> bool:
    """Whether another process has ended the trial of this one, which gave no sign of life."""
    return any(
        isinstance(cause, UpdateFinishedTrialError) or str(cause) == "Cannot tell a FAIL trial."
        for cause in _causes(error)
    )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error.__cause__ or error).split())
