"""The search of one machine, whose result does not depend on which worker is faster."""

import hashlib
import json
import logging
import math
import statistics
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState
from tqdm import tqdm

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import read_json, write_json
from lstm_ae.search.study import STARTUP_TRIALS, note_outcome, suggest
from lstm_ae.search.trial import Outcome, Task, train_trial, worker_pool
from lstm_ae.training.hyperparameters import Hyperparameters

log = logging.getLogger(__name__)


def run_trials(
    task: Task,
    directory: Path,
    workers: int,
) -> optuna.Study:
    """Run the trials of a search: TPE (Bergstra et al. 2011) with median pruning.

    As many trials are in hand at once as `concurrency` says, whatever the number of workers. They
    are told to Optuna in their order, and the next is drawn when the oldest is told: which trials
    are finished when one is drawn, and which it is compared with, does not depend on which worker
    is faster, and so the result does not.

    Parameters
    ----------
    directory
        Keeps the outcome of every finished trial, which is not run again, and the checkpoints of
        those that were killed.
    workers
        Processes of one thread each.

    Raises
    ------
    InputError
        The data cannot be read, or a worker was killed.
    """
    sampler = optuna.samplers.TPESampler(
        seed=task.seed,
        n_startup_trials=STARTUP_TRIALS,
        multivariate=True,
        constant_liar=True,
    )
    study = optuna.create_study(sampler=sampler)
    finished = len(list(directory.glob("*.json")))
    if finished:
        log.info("%d of %d trials were finished before", finished, task.trials)
    try:
        with worker_pool(workers) as pool:
            _run_in_order(study, _Runner(task, directory, pool))
    except BrokenProcessPool as error:
        raise InputError(
            f"search {task.name}: a worker was killed, perhaps for its memory; "
            f"set LSTM_AE_WORKERS below {workers} to have fewer"
        ) from error
    return study


@dataclass(frozen=True)
class _Runner:
    """Runs the trials of a task in the processes of a pool."""

    task: Task
    directory: Path
    pool: Executor

    def run(self, trial: Trial, medians: Mapping[int, float]) -> Future[Outcome]:
        """The outcome of a trial, from an earlier run if it was finished there."""
        path = self.directory / f"{trial.number:04d}.json"
        outcome = _read_outcome(path, trial.params)
        if outcome is None:
            return self.pool.submit(
                train_and_keep,
                self.task,
                trial.params,
                medians,
                path,
            )
        finished: Future[Outcome] = Future()
        finished.set_result(outcome)
        return finished


def _run_in_order(study: optuna.Study, runner: _Runner) -> None:
    task = runner.task
    search = task.section.search
    in_hand: deque[tuple[Trial, Future[Outcome]]] = deque()
    bar = tqdm(
        total=task.trials,
        desc=f"search {task.name}",
        disable=None,
        unit="trial",
    )
    with bar:
        while len(study.trials) < task.trials or in_hand:
            is_one_left = len(study.trials) < task.trials
            if is_one_left and len(in_hand) < search.concurrency:
                trial = study.ask()
                suggest(trial, search.space)
                medians = median_losses(study.trials)
                in_hand.append((trial, runner.run(trial, medians)))
            else:
                trial, outcome = in_hand.popleft()
                _tell(study, trial, outcome.result())
                bar.update()


def median_losses(trials: Iterable[FrozenTrial]) -> dict[int, float]:
    """The median loss of the complete trials at each epoch; none while they are few."""
    complete = [trial.intermediate_values for trial in trials if trial.state == TrialState.COMPLETE]
    if len(complete) < STARTUP_TRIALS:
        return {}
    by_epoch: dict[int, list[float]] = {}
    for losses in complete:
        for epoch, loss in losses.items():
            by_epoch.setdefault(epoch, []).append(loss)
    return {epoch: statistics.median(losses) for epoch, losses in by_epoch.items()}


def train_and_keep(
    task: Task,
    values: dict[str, Any],
    medians: Mapping[int, float],
    path: Path,
) -> Outcome:
    """Run a trial and write its outcome to a file.

    It is pruned where its best loss so far is above the median of that epoch.

    Parameters
    ----------
    values
        The hyperparameters that were drawn.
    medians
        The median loss at each epoch of the trials that are told.
    """

    def hopeless(losses: Sequence[float]) -> bool:
        median = medians.get(len(losses), math.inf)
        return min(losses) > median

    hyperparameters = Hyperparameters(**values, epochs=task.epochs)
    values_hash = hashlib.sha256(json.dumps(values).encode()).hexdigest()
    checkpoint = path.with_name(f"{path.stem}-{values_hash[:8]}.safetensors")
    outcome = train_trial(task, hyperparameters, hopeless, checkpoint)
    write_json(path, {"params": values, **asdict(outcome)})
    checkpoint.unlink(missing_ok=True)
    return outcome


def _read_outcome(path: Path, values: dict[str, Any]) -> Outcome | None:
    """The outcome that an earlier run wrote of a trial with these values."""
    if not path.is_file():
        return None
    try:
        content = read_json(path)
        if content.pop("params") == values:
            return Outcome(**content)
    except (InputError, LookupError, TypeError) as error:
        log.warning("%s: no outcome of a trial (%s); it is run again", path, error)
    return None


def _tell(study: optuna.Study, trial: Trial, outcome: Outcome) -> None:
    for epoch, loss in enumerate(outcome.losses, start=1):
        trial.report(loss, epoch)
    note_outcome(trial, outcome)
    best_loss = None
    if outcome.state == "complete":
        best_loss = min(outcome.losses)
    state = TrialState[outcome.state.upper()]
    study.tell(trial, best_loss, state)
