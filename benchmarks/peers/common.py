"""What the process of every peer does alike: its task, the clock, the loss, what it prints.

Shapes: N sequences, B of them in a batch, T steps, m features.
"""

import contextlib
import json
import platform
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Reconstruct = Callable[[Array], Array]  # (B, T, m) to (B, T, m)

SCORED_BATCH = 500
FOREVER = 1_000_000  # epochs; the clock ends a training


class TimeUpError(Exception):
    """Ends a training when its seconds are over."""


@dataclass(frozen=True)
class Task:
    """One training: on what data, of what size, how long.

    Parameters
    ----------
    train
        (N, T, m), in memory before the clock starts.
    validation
        (N, T, m), whose loss is measured at each lap; None measures speed alone.
    hidden_size
        Of every LSTM layer, and the size of the code.
    layers
        Of the encoder, and of the decoder.
    """

    train: Array
    validation: Array | None
    hidden_size: int
    layers: int
    batch_size: int
    lr: float
    gradient_clip: float
    seconds: float
    threads: int
    seed: int

    @classmethod
    def read(cls, path: Path) -> "Task":
        """Read a task from JSON that names the arrays' files."""
        content = json.loads(path.read_text())
        for name in ("train", "validation"):
            if content[name] is not None:
                content[name] = np.load(content[name])
        return cls(**content)


class Watch:
    """The clock of a training.

    It runs from the building of the model on, and stands still while a loss is measured.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.laps: list[dict[str, Any]] = []
        self.begun = time.perf_counter()

    def seconds(self) -> float:
        return time.perf_counter() - self.begun

    def lap(self, sequences: int, reconstruct: Reconstruct | None = None) -> None:
        """Note how many sequences were trained on since the last lap.

        The first lap, of none, is the model at its start.

        Raises
        ------
        TimeUpError
            The task's seconds are over. Those of a speed begin after the first epoch, which
            compiles and warms up.
        """
        now = self.seconds()
        before = self.laps[-1]["sequences"] if self.laps else 0
        loss = None
        if self.task.validation is not None and reconstruct is not None:
            exact_loss = mean_squared_error(reconstruct, self.task.validation)
            loss = float(f"{exact_loss:.6g}")
        self.laps.append(
            {"seconds": round(now, 4), "sequences": before + sequences, "loss": loss},
        )
        if len(self.laps) > 1:
            begin = self.laps[1]["seconds"] if loss is None else 0.0
            if now - begin >= self.task.seconds:
                raise TimeUpError
        self.begun += self.seconds() - now


def mean_squared_error(reconstruct: Reconstruct, sequences: Array) -> float:
    """The mean over all elements of the sequences (N, T, m)."""
    squares = 0.0
    for first in range(0, len(sequences), SCORED_BATCH):
        batch = sequences[first : first + SCORED_BATCH]
        errors = reconstruct(batch).astype(np.float64) - batch
        squares += float(np.square(errors).sum())
    return squares / sequences.size


def peak_mib() -> float:
    """The most memory this process ever held, libraries and data included, in MiB."""
    status = Path("/proc/self/status")
    # getrusage would count what the parent held before this program replaced it.
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main(train: Callable[[Task, Watch], None], *packages: str) -> None:
    """Run the task of the command line.

    Prints as JSON the laps, the peak of memory and the versions of the packages.
    """
    task = Task.read(Path(sys.argv[1]))
    watch = Watch(task)
    with contextlib.suppress(TimeUpError):
        train(task, watch)
    versions = {"Python": platform.python_version()}
    for package in packages:
        versions[package] = version(package)
    print(json.dumps({"laps": watch.laps, "peak_mib": peak_mib(), "versions": versions}))
