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
from lstm_ae.model.objectives import Metrics
from lstm_ae.model.runtime import start
from lstm_ae.params import Params, Section
from lstm_ae.training.hyperparameters import Hyperparameters
from lstm_ae.training.loop import build, fit
from lstm_ae.training.processes import accelerate, serve


@dataclass(frozen=True)
class Task:
    """What the trials of a search share: small, so that it can be sent to another process, which reads the data itself.

    Parameters
    ----------
    name
        Of the section.
    prepared
        The folder of its splits.
    trials, epochs
        How many, under the budget.
    seed
        Of what is tried.
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
        section, caps = params.section(name), params.caps
        return cls(
            name=name,
            section=section,
            prepared=paths.prepared(name),
            trials=section.search.trials
            if caps.trials is None
            else min(section.search.trials, caps.trials),
            epochs=min(section.search.epochs, caps.epochs or section.search.epochs),
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
        numbers = {
            name: getattr(self, name)
            for name in ("trials", "epochs", "seed", "training_seed", "precision")
        }
        return {"section": self.name, **blocks, **numbers}

    def inputs(self) -> list[Path]:
        """The files that decide the result."""
        return [
            self.prepared / name
            for name in ("train.safetensors", "validation.safetensors", "description.json")
        ]


@dataclass(frozen=True)
class Outcome:
    """How a trial ended: the validation loss of each epoch, and the problem of a trial that failed."""

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
    chosen: Hyperparameters,
    hopeless: Callable[[Sequence[float]], bool],
    checkpoint: Path | None = None,
) -> Outcome:
    """Train on one thread; the result depends on nothing that ran before in the process.

    A training that diverges in its first epoch, or cannot be built at the chosen size, has failed.

    Parameters
    ----------
    hopeless
        Called after each epoch with the losses so far; where it is true before the last epoch, the trial is pruned.
    checkpoint
        Of this trial: a killed one goes on from there.
    """
    train, validation, classes = _read(task.prepared, task.section.search.sequences)
    fabric = accelerate(start(task.device, 1, task.training_seed), task.precision)
    losses: list[float] = []

    def epoch_end(epoch: int, _: Metrics, scores: Metrics, *__: object) -> None:
        if epoch:
            losses.append(scores["loss"])
            if hopeless(losses) and epoch < chosen.epochs:
                raise _PrunedError

    try:
        model = build(task.section.model, chosen, train, classes)
        fit(
            fabric,
            model,
            train,
            validation,
            task.section.training,
            chosen,
            task.training_seed,
            epoch_end,
            checkpoint=checkpoint,
        )
    except _PrunedError:
        return Outcome("pruned", losses)
    except InputError as error:
        return Outcome("fail", losses, str(error))
    return Outcome("complete", losses)


@cache
def _read(prepared: Path, sequences: int) -> tuple[Split, Split, int | None]:
    """What every trial of a process reads: training and validation sequences, how many classes."""
    train, validation = (
        load_split(prepared, "train").thinned(sequences),
        load_split(prepared, "validation"),
    )
    return train, validation, load_description(prepared).classes


def worker_count(device: str) -> int:
    """How many processes train trials at once: one for each core that this process may use, or one that has an accelerator to itself.

    The environment variable LSTM_AE_WORKERS lowers it.

    Raises
    ------
    InputError
        LSTM_AE_WORKERS is not a number above 0.
    """
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    most = cores if device == "cpu" else 1
    wanted = os.environ.get("LSTM_AE_WORKERS") or str(most)
    if not wanted.isdecimal() or int(wanted) < 1:
        raise InputError(f"LSTM_AE_WORKERS: found {wanted!r}; a number above 0 is allowed")
    return min(int(wanted), most)


@contextmanager
def worker_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes for trials, started when they are needed. They end with this one, even where it is killed."""
    with ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), serve, (os.getpid(),)
    ) as pool:
        try:
            yield pool
        except BaseException:
            for process in multiprocessing.active_children():
                process.kill()  # a trial takes minutes; nobody waits for it any more
            raise
