"""This project beside its peers, on the same data, machine and run: docs/benchmarks.jsonl.

python -m benchmarks.bench [part ...]

`bench_report` turns that file into a page. Works on the prepared data of `dvc repro`, in the
environments of `make bench`, with nothing beside it. Every measurement is a fresh process; the
peers take turns, so that a machine that slows down does so for all. What the file has already is
not measured again.
"""

import argparse
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.measuring import MEASURED, RIVALS, Measurement, cores, keep, measure, measurements
from lstm_ae.core import paths
from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import load_split

RUNS = 3
LR = 1e-3
LRS = (1e-3, 3e-3, 1e-2)  # the plain form's best of these is what it and Keras race with
SPEED_SECONDS = 1.5
PRODUCT_SIZE = 2048
REPRO_RUNS = 5
RACE_SEQUENCES = 6000
SCORED_SEQUENCES = 500


@dataclass(frozen=True)
class Size:
    """A task of the study.

    Parameters
    ----------
    section
        Where its sequences lie.
    race_seconds
        None where it is not raced.
    speed_sequences
        An epoch of the speed measurement.
    """

    section: str
    hidden_size: int
    batch_size: int
    race_seconds: float | None
    speed_sequences: int


SIZES = {
    "toy": Size("toy", 48, 64, 15.0, 2048),
    "rows": Size("mnist_rows", 128, 128, 20.0, 2048),
    "pixels": Size("mnist_pixels_class", 128, 128, None, 256),
    "stocks": Size("snp", 64, 128, None, 2048),
}
# What grows, each alone, from random sequences of 28 features of this size.
SCALED = {
    "steps": (14, 56, 224, 784),
    "hidden size": (32, 64, 128, 256),
    "sequences": (512, 2048, 8192),
}
SCALED_FROM = {"steps": 28, "hidden size": 128, "sequences": 512}
SCALED_FEATURES = 28
SCALED_BATCH = 64


def sequences(section: str, split: str, count: int) -> NDArray[np.float32]:
    """At most `count` prepared sequences (N, T, m), evenly spaced, as float32."""
    prepared = load_split(paths.prepared(section), split)
    return prepared.thinned(count).values().astype(np.float32)


def raced(part: str) -> Iterator[Measurement]:
    """PyTorch's first run on each task that is raced, with its whole time."""
    for name, size in SIZES.items():
        if size.race_seconds is not None:
            yield Measurement(
                part=part,
                task=name,
                peer="PyTorch",
                run=0,
                lr=LR,
                hidden_size=size.hidden_size,
                batch_size=size.batch_size,
                seconds=size.race_seconds,
                train=sequences(size.section, "train", RACE_SEQUENCES),
                validation=sequences(size.section, "validation", SCORED_SEQUENCES),
            )


def rates() -> Iterator[Measurement]:
    """The learning rate of the plain form, half as long as the race."""
    for measurement in raced("rates"):
        for lr in LRS:
            yield replace(measurement, lr=lr, seconds=measurement.seconds / 2)


def race() -> Iterator[Measurement]:
    """Loss by seconds."""
    for measurement in raced("race"):
        best_rate = best_lr(measurement.task)
        for run in range(RUNS):
            for peer in RIVALS:
                lr = best_rate if peer in ("PyTorch", "Keras") else LR
                yield replace(measurement, peer=peer, run=run, lr=lr)


def best_lr(task: str) -> float:
    """The learning rate at which the plain form came to the lowest loss.

    Raises
    ------
    InputError
        The rates were not measured.
    """
    lowest = {}
    for row in measurements():
        if row["part"] == "rates" and row["task"] == task:
            lowest[row["lr"]] = min(lap["loss"] for lap in row["laps"])
    if len(lowest) < len(LRS):
        raise InputError(f"{MEASURED}: the race needs the part `rates` before it")
    return float(min(lowest, key=lowest.__getitem__))


def speed() -> Iterator[Measurement]:
    """Sequences a second and peak memory, at the study's sizes.

    Beside them the bare loop and the bare LSTM, and the machine's matrix product.
    """
    tasks = []
    for name, size in SIZES.items():
        measurement = Measurement(
            part="speed",
            task=name,
            peer="",
            run=0,
            lr=LR,
            hidden_size=size.hidden_size,
            batch_size=size.batch_size,
            seconds=SPEED_SECONDS,
            train=sequences(size.section, "train", size.speed_sequences),
        )
        tasks.append(measurement)
    matrix = np.random.default_rng(0).random((PRODUCT_SIZE, PRODUCT_SIZE), np.float32)
    product = Measurement(
        part="speed",
        task="product",
        peer="matrix product",
        run=0,
        lr=LR,
        hidden_size=PRODUCT_SIZE,
        batch_size=1,
        seconds=SPEED_SECONDS,
        train=matrix,
    )
    for run in range(RUNS):
        for measurement in tasks:
            for peer in (*RIVALS, "bare loop", "bare nn.LSTM"):
                yield replace(measurement, peer=peer, run=run)
        yield replace(product, run=run)


def scaling() -> Iterator[Measurement]:
    """An epoch of this project as one of steps, hidden size and number of sequences grows."""
    for run in range(RUNS):
        for quantity, values in SCALED.items():
            for value in values:
                yield scaled(quantity, value, run)


def scaled(quantity: str, value: int, run: int) -> Measurement:
    """One quantity at a value, the others as they are."""
    sizes = {**SCALED_FROM, quantity: value}
    shape = (sizes["sequences"], sizes["steps"], SCALED_FEATURES)
    others = [f"{name} {number}" for name, number in SCALED_FROM.items()]
    return Measurement(
        part="scaling",
        task=f"{quantity} {value}",
        peer="this project",
        run=run,
        lr=LR,
        hidden_size=sizes["hidden size"],
        batch_size=SCALED_BATCH,
        seconds=SPEED_SECONDS,
        train=np.random.default_rng(0).random(shape, np.float32),
        facts={"grown": quantity, "to": value, "others": ", ".join(others)},
    )


PARTS: dict[str, Callable[[], Iterator[Measurement]]] = {
    "rates": rates,
    "race": race,
    "speed": speed,
    "scaling": scaling,
}


def repro() -> dict[str, Any]:
    """Seconds of `dvc repro` with nothing to do, after one that is not counted.

    Raises
    ------
    InputError
        The pipeline has something to do.
    """
    dvc = [sys.executable, "-m", "dvc"]
    command = [*dvc, "status", "--json"]
    status = subprocess.run(command, capture_output=True, text=True, check=False)
    if status.stdout.strip() != "{}":
        raise InputError(
            "dvc status: there are stages to run; `dvc repro` first, then the part `repro`"
        )
    seconds = []
    for _ in range(1 + REPRO_RUNS):
        begun = time.perf_counter()
        subprocess.run([*dvc, "repro"], check=True, capture_output=True)
        seconds.append(time.perf_counter() - begun)
    return {"part": "repro", "seconds": seconds[1:]}


def run_part(part: str) -> None:
    """Measure what the file does not have of a part."""
    if part == "repro":
        if not any(row["part"] == part for row in measurements()):
            keep(repro())
        return
    for measurement in tqdm(list(PARTS[part]()), desc=part, unit="process", disable=None):
        key = measurement.key().items()
        if not any(key <= row.items() for row in measurements()):
            keep(measure(measurement))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ["repro", *PARTS]  # the first fails at once where the pipeline has something to do
    parser.add_argument(
        "part", nargs="*", choices=[[], *names], help=f"{', '.join(names)}; all where none is named"
    )
    parts = parser.parse_args().part or names
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if hasattr(os, "sched_setaffinity"):
        # For every process from here on: thread pools that count cores find as many as threads.
        os.sched_setaffinity(0, cores())
    try:
        for part in parts:
            run_part(part)
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
