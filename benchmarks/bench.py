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

from benchmarks.measuring import (
    BARE,
    LOADED,
    LOADED_STEPS,
    MEASURED,
    RIVALS,
    Measurement,
    cores,
    keep,
    measure,
    measurements,
)
from lstm_ae.core import paths
from lstm_ae.core.errors import InputError
from lstm_ae.core.files import read_json
from lstm_ae.core.splits import load_split
from lstm_ae.params import load_params

RUNS = 3  # of the race, whose losses depend on the seed
LR = 1e-3
LRS = (1e-3, 3e-3, 1e-2)  # the plain form's best of these is what it and Keras race with
SPEED_SECONDS = 1.5
PRODUCT_SIZE = 2048
REPRO_RUNS = 5
RACE_SEQUENCES = 6000
SCORED_SEQUENCES = 500


@dataclass(frozen=True)
class Race:
    """A task whose losses are compared: its section, size and seconds."""

    section: str
    hidden_size: int
    batch_size: int
    seconds: float


RACES = {
    "toy": Race("toy", 48, 64, 15.0),
    "rows": Race("mnist_rows", 128, 128, 20.0),
}
SPEED_NUMBERS = 1 << 16  # steps of all sequences of an epoch of the speed measurement
DARTS_SECTION = "snp_forecast"
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
    for name, size in RACES.items():
        yield Measurement(
            part=part,
            task=name,
            peer="PyTorch",
            run=0,
            lr=LR,
            hidden_size=size.hidden_size,
            batch_size=size.batch_size,
            seconds=size.seconds,
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


def as_trained(part: str) -> Iterator[Measurement]:
    """Every section at the size that the study trained, with a few batches of its sequences."""
    params = load_params(paths.PARAMS)
    for name in params.sections:
        size = read_json(paths.test_metrics(name))
        batch_size = params.section(name).training.batch_size
        batches = max(2, SPEED_NUMBERS // (size["sequence_length"] * batch_size))
        yield Measurement(
            part=part,
            task=name,
            peer="this project",
            run=0,
            lr=LR,
            hidden_size=size["hidden_size"],
            layers=size["layers"],
            batch_size=batch_size,
            seconds=SPEED_SECONDS,
            train=sequences(name, "train", batches * batch_size),
        )


def speed() -> Iterator[Measurement]:
    """Sequences a second and peak memory, on two threads and on one, beside work and without."""
    measured = list(as_trained("speed"))
    for measurement in measured:
        peers = [*RIVALS, "darts"] if measurement.task == DARTS_SECTION else RIVALS
        for peer in peers:
            yield replace(measurement, peer=peer)
        for peer in LOADED:
            yield replace(measurement, peer=peer, threads=1)
            if measurement.train.shape[1] <= LOADED_STEPS:
                yield replace(measurement, peer=peer, threads=1, busy=True)
                yield replace(measurement, peer=peer, busy=True)
    yield product_of(measured[0])


def layers() -> Iterator[Measurement]:
    """LSTM layers alone on one thread, and the machine's matrix product on one."""
    measured = [replace(one, threads=1, layers=1) for one in as_trained("layers")]
    for measurement in measured:
        for peer in BARE:
            yield replace(measurement, peer=peer)
    yield product_of(measured[0])


def product_of(measurement: Measurement) -> Measurement:
    """The product of two matrices, on the threads of a measurement."""
    size = (PRODUCT_SIZE, PRODUCT_SIZE)
    return replace(
        measurement,
        task="product",
        peer="matrix product",
        hidden_size=PRODUCT_SIZE,
        batch_size=1,
        train=np.random.default_rng(0).random(size, np.float32),
    )


def scaling() -> Iterator[Measurement]:
    """An epoch of this project as one of steps, hidden size and number of sequences grows."""
    for quantity, values in SCALED.items():
        for value in values:
            yield scaled(quantity, value)


def scaled(quantity: str, value: int) -> Measurement:
    """One quantity at a value, the others as they are."""
    sizes = {**SCALED_FROM, quantity: value}
    shape = (sizes["sequences"], sizes["steps"], SCALED_FEATURES)
    others = [f"{name} {number}" for name, number in SCALED_FROM.items()]
    return Measurement(
        part="scaling",
        task=f"{quantity} {value}",
        peer="this project",
        run=0,
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
    "layers": layers,
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
