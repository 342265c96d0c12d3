"""One trial of a search: a short training in whatever process it runs."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from lstm_ae.core import paths
from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Split, load_description, load_split
from lstm_ae.model.runtime import start, usable_cores
from lstm_ae.params import Params, Section
from lstm_ae.training.building import build
from lstm_ae.training.hyperparameters import Hyperparameters
from lstm_ae.training.loop import fit
from lstm_ae.training.processes import accelerate, end_with
from lstm_ae.training.records import Epoch, Recipe, Tracking
from lstm_ae.training.section import prepared_files

# Given the validation losses of the epochs so far: whether to prune the trial.
Hopeless = Callable[[Sequence[float]], bool]


@dataclass(frozen=True)
class Task:
    """What the trials of a search share.

    It is small, so that it can be sent to another process, which reads the data itself.

    Parameters
    ----------
    name
        Of the section.
    prepared
        The directory of its splits.
    trials, epochs
        How many, under the budget.
    seed
        Of the hyperparameters that are drawn.
    training_seed
        Of every trial's start and order of batches.
    device
        "cpu", "cuda" or "mps".
    """

    name: str
    section: Section
    prepared: Path
    trials: int
    epochs: int
    seed: int
    training_seed: int
    device: str
    precision: str

    @classmethod
    def of(cls, params: Params, name: str, device: str) -> "Task":
        """The search of a section under the budget."""
        section = params.section(name)
        caps = params.caps
        trials = section.search.trials
        if caps.trials is not None:
            trials = min(trials, caps.trials)
        epochs = section.search.epochs
        if caps.epochs is not None:
            epochs = min(epochs, caps.epochs)
        return cls(
            name=name,
            section=section,
            prepared=paths.prepared(name),
            trials=trials,
            epochs=epochs,
            seed=params.seed,
            training_seed=params.training_seed,
            device=device,
            precision=params.precision,
        )

    def settings(self) -> dict[str, Any]:
        """What decides the result, beside `inputs`, the device and the versions of libraries."""
        blocks = self.section.model_dump(
            include={"model", "training", "search"}, exclude={"search": {"storage"}}
        )
        return {
            "section": self.name,
            **blocks,
            "trials": self.trials,
            "epochs": self.epochs,
            "seed": self.seed,
            "training_seed": self.training_seed,
            "precision": self.precision,
        }

    def inputs(self) -> list[Path]:
        """The files that decide the result."""
        return prepared_files(self.prepared)


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Parameters
    ----------
    losses
        The validation loss of each epoch.
    problem
        Why a trial failed.
    """

    state: Literal["complete", "pruned", "fail"]
    losses: list[float]
    problem: str = ""

    @property
    def best_epoch(self) -> int:
        """The epoch with the lowest loss, from 1."""
        return self.losses.index(min(self.losses)) + 1


class _PrunedError(Exception):
    """Ends a training between two epochs."""


def train_trial(
    task: Task,
    hyperparameters: Hyperparameters,
    hopeless: Hopeless,
    checkpoint: Path | None = None,
) -> Outcome:
    """Train on one thread; the result depends on nothing that ran before in the process.

    A training that diverges in its first epoch, or whose model cannot be built at the drawn size,
    has failed.

    Parameters
    ----------
    hopeless
        Called after each epoch; where it is true before the last epoch, the trial is pruned.
    checkpoint
        Of this trial: a killed one goes on from there.
    """
    train, validation, classes = _read(task.prepared, task.section.search.sequences)
    device = start(task.device, threads=1)
    fabric = accelerate(device, task.precision)
    recipe = Recipe(task.section.training, hyperparameters, task.training_seed)
    losses: list[float] = []

    def epoch_end(epoch: Epoch) -> None:
        if epoch.number == 0:
            return
        losses.append(epoch.validation["loss"])
        if hopeless(losses) and epoch.number < hyperparameters.epochs:
            raise _PrunedError

    try:
        model = build(
            task.section.model,
            hyperparameters,
            train,
            classes,
            task.training_seed,
        )
        tracking = Tracking(epoch_end, checkpoint=checkpoint)
        fit(fabric, model, train, validation, recipe, tracking)
    except _PrunedError:
        return Outcome("pruned", losses)
    except InputError as error:
        return Outcome("fail", losses, str(error))
    return Outcome("complete", losses)


@cache
def _read(prepared: Path, sequences: int) -> tuple[Split, Split, int | None]:
    """What every trial of a process reads: training and validation split, how many classes."""
    train = load_split(prepared, "train").thinned(sequences)
    validation = load_split(prepared, "validation")
    classes = load_description(prepared).classes
    return train, validation, classes


def worker_count(device: str) -> int:
    """How many processes train trials at once.

    On the CPU it is one for each core that this process may use; an accelerator has one process
    to itself. The environment variable LSTM_AE_WORKERS lowers it.

    Raises
    ------
    InputError
        LSTM_AE_WORKERS is not a number above 0.
    """
    most = usable_cores() if device == "cpu" else 1
    wanted = os.environ.get("LSTM_AE_WORKERS")
    if not wanted:
        return most
    if not wanted.isdecimal() or int(wanted) < 1:
        raise InputError(
            f"LSTM_AE_WORKERS: found {wanted!r}; set it to a whole number above 0, or unset it"
        )
    return min(int(wanted), most)


@contextmanager
def worker_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes for trials, started when they are needed.

    They end with this one, even where it is killed.
    """
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=end_with,
        initargs=(os.getpid(),),
    ) as pool:
        try:
            yield pool
        except BaseException:
            for process in multiprocessing.active_children():
                process.kill()  # a trial takes minutes; nobody waits for it any more
            raise
