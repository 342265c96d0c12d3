"""This project beside its peers, on the same data, machine and run: docs/benchmarks.jsonl, which bench_report.py turns into a page.

python benchmarks/bench.py [part ...]

Works on the prepared data of `dvc repro`, in the environments of `make bench`, with nothing beside it. Every one is a fresh process;
the peers take turns, so that a machine that slows down does so for all. What the file has already is not measured again.
"""

import argparse
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import psutil
from numpy.typing import NDArray
from tqdm import tqdm

from lstm_ae.core import paths
from lstm_ae.core.errors import InputError
from lstm_ae.core.files import write_json, write_text
from lstm_ae.core.splits import load_split

MEASURED = Path("docs/benchmarks.jsonl")
PEERS = Path("benchmarks/peers")
BENCH_PYTHON = Path("venv-bench/bin/python")
RUNS, THREADS = 3, 2
LR, GRADIENT_CLIP = 1e-3, 1.0
LRS = (1e-3, 3e-3, 1e-2)  # the plain form's best of these is what it and Keras race with
SPEED_SECONDS, PRODUCT_SIZE, REPRO_RUNS = 1.5, 2048, 5

SCRIPTS = {
    "this project": "project.py",
    "PyTorch": "pytorch.py",
    "Keras": "keras_jax.py",
    "sequitur": "sequitur_lstm.py",
    "bare loop": "bare_loop.py",
    "bare nn.LSTM": "bare_lstm.py",
    "matrix product": "matrix_product.py",
}
OURS = (
    "this project",
    "bare loop",
    "bare nn.LSTM",
    "matrix product",
)  # in the project's environment; the others have their own
RIVALS = ("this project", "PyTorch", "Keras", "sequitur")


class Size(NamedTuple):
    """A task of the study: where its sequences lie, the model's size, and how much of it is measured."""

    section: str
    hidden_size: int
    batch_size: int
    race_seconds: float | None
    speed_sequences: int  # an epoch of the speed measurement


SIZES = {
    "toy": Size("toy", 48, 64, 15.0, 2048),
    "rows": Size("mnist_rows", 128, 128, 20.0, 2048),
    "pixels": Size("mnist_pixels_class", 128, 128, None, 256),
    "stocks": Size("snp", 64, 128, None, 2048),
}
RACE_SEQUENCES, SCORED_SEQUENCES = 6000, 500
# What grows, each alone, from random sequences of 28 features of this size.
SCALED = {
    "steps": (14, 56, 224, 784),
    "hidden size": (32, 64, 128, 256),
    "sequences": (512, 2048, 8192),
}
SCALED_FROM = {"steps": 28, "hidden size": 128, "sequences": 512}


class Measurement(NamedTuple):
    """One process: which part and task it belongs to, what runs, on what."""

    part: str
    task: str
    peer: str
    run: int
    lr: float
    size: tuple[int, int]  # hidden size, batch size
    seconds: float
    train: NDArray[np.float32]
    validation: NDArray[np.float32] | None = None
    facts: Mapping[str, Any] = MappingProxyType({})  # what the report needs to know beside

    def key(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "task": self.task,
            "peer": self.peer,
            "run": self.run,
            "lr": self.lr,
        }


def measure(measurement: Measurement) -> dict[str, Any]:
    """Run the peer's script on the task and give what it measured.

    Raises
    ------
    InputError
        The process failed.
    """
    m, script = measurement, PEERS / SCRIPTS[measurement.peer]
    python = sys.executable if m.peer in OURS else str(BENCH_PYTHON)
    threads = {
        name: str(THREADS)
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC")
    }
    with tempfile.TemporaryDirectory() as folder:
        arrays = {"train": m.train, "validation": m.validation}
        files = {
            name: None if array is None else f"{folder}/{name}.npy"
            for name, array in arrays.items()
        }
        for name, file in files.items():
            if file:
                np.save(file, arrays[name])
        task = Path(folder) / "task.json"
        write_json(
            task,
            {
                **files,
                "hidden_size": m.size[0],
                "batch_size": m.size[1],
                "lr": m.lr,
                "gradient_clip": GRADIENT_CLIP,
                "seconds": m.seconds,
                "threads": THREADS,
                "seed": m.run,
            },
        )
        environment = {
            **os.environ,
            **threads,
            "PYTHONPATH": "src",
            "CUDA_VISIBLE_DEVICES": "",
            "JAX_PLATFORMS": "cpu",
        }
        done = subprocess.run(
            [python, str(script), str(task)], env=environment, capture_output=True, text=True
        )
    if done.returncode:
        raise InputError(
            f"{script}: {(done.stderr.strip().splitlines() or [f'exit status {done.returncode}'])[-1]}"
        )
    count, steps, features = m.train.shape if m.train.ndim == 3 else (len(m.train), 1, len(m.train))
    return {
        **m.key(),
        **m.facts,
        "steps": steps,
        "features": features,
        "sequences": count,
        "hidden_size": m.size[0],
        "batch_size": m.size[1],
        "scored": 0 if m.validation is None else len(m.validation),
        "seconds": m.seconds,
        **json.loads(done.stdout.splitlines()[-1]),
    }


def sequences(section: str, split: str, most: int) -> NDArray[np.float32]:
    """At most so many prepared sequences (N, T, m), evenly spaced, as float32."""
    return load_split(paths.prepared(section), split).thinned(most).values().astype(np.float32)


def rates() -> Iterator[Measurement]:
    """The learning rate of the plain form, half as long as the race."""
    for name, size, train, validation in raced():
        for lr in LRS:
            yield Measurement(
                "rates",
                name,
                "PyTorch",
                0,
                lr,
                size[1:3],
                (size.race_seconds or 0) / 2,
                train,
                validation,
            )


def race() -> Iterator[Measurement]:
    """Loss by seconds."""
    known = [row for row in measurements() if row["part"] == "rates"]
    for name, size, train, validation in raced():
        tried = [row for row in known if row["task"] == name]
        if len(tried) < len(LRS):
            raise InputError(f"{MEASURED}: the race needs the part `rates` before it")
        best = min(tried, key=lambda row: min(lap["loss"] for lap in row["laps"]))["lr"]
        for run in range(RUNS):
            for peer in RIVALS:
                lr = best if peer in ("PyTorch", "Keras") else LR
                yield Measurement(
                    "race",
                    name,
                    peer,
                    run,
                    lr,
                    size[1:3],
                    size.race_seconds or 0,
                    train,
                    validation,
                )


def raced() -> Iterator[tuple[str, Size, NDArray[np.float32], NDArray[np.float32]]]:
    for name, size in SIZES.items():
        if size.race_seconds:
            splits = [
                sequences(size.section, split, most)
                for split, most in (("train", RACE_SEQUENCES), ("validation", SCORED_SEQUENCES))
            ]
            yield name, size, splits[0], splits[1]


def speed() -> Iterator[Measurement]:
    """Sequences a second and peak memory, at the study's sizes; beside them the bare loop and LSTM, and the machine's matrix product."""
    matrix = np.random.default_rng(0).random((PRODUCT_SIZE, PRODUCT_SIZE), np.float32)
    trains = {
        name: sequences(size.section, "train", size.speed_sequences) for name, size in SIZES.items()
    }
    for run in range(RUNS):
        for name, size in SIZES.items():
            for peer in (*RIVALS, "bare loop", "bare nn.LSTM"):
                yield Measurement(
                    "speed", name, peer, run, LR, size[1:3], SPEED_SECONDS, trains[name]
                )
        yield Measurement(
            "speed", "product", "matrix product", run, LR, (PRODUCT_SIZE, 1), SPEED_SECONDS, matrix
        )


def scaling() -> Iterator[Measurement]:
    """An epoch of this project as one of steps, hidden size and number of sequences grows."""
    for run in range(RUNS):
        for grown, values in SCALED.items():
            for value in values:
                at = {**SCALED_FROM, grown: value}
                facts = {
                    "grown": grown,
                    "to": value,
                    "others": ", ".join(f"{name} {number}" for name, number in SCALED_FROM.items()),
                }
                train = np.random.default_rng(0).random(
                    (at["sequences"], at["steps"], 28), np.float32
                )
                size = at["hidden size"], 64
                yield Measurement(
                    "scaling",
                    f"{grown} {value}",
                    "this project",
                    run,
                    LR,
                    size,
                    SPEED_SECONDS,
                    train,
                    facts=facts,
                )


PARTS = {"rates": rates, "race": race, "speed": speed, "scaling": scaling}


def repro() -> dict[str, Any]:
    """Seconds of `dvc repro` with nothing to do, after one that is not counted.

    Raises
    ------
    InputError
        The pipeline has something to do.
    """
    dvc = [sys.executable, "-m", "dvc"]
    status = subprocess.run([*dvc, "status", "--json"], capture_output=True, text=True)
    if status.stdout.strip() != "{}":
        raise InputError(
            "dvc status: found stages to run; `dvc repro` first, then the part `repro`"
        )
    seconds = []
    for _ in range(1 + REPRO_RUNS):
        begun = time.perf_counter()
        subprocess.run([*dvc, "repro"], check=True, capture_output=True)
        seconds.append(time.perf_counter() - begun)
    return {"part": "repro", "seconds": seconds[1:]}


def machine() -> dict[str, Any]:
    """What the seconds depend on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    processor = next(
        (line.split(": ")[1] for line in lines if line.startswith("model name")),
        platform.processor(),
    )
    memory = round(psutil.virtual_memory().total / 2**30)
    return {
        "processor": processor,
        "cores": len(cores()),
        "memory_gib": memory,
        "system": platform.system(),
        "threads": THREADS,
    }


def cores() -> list[int]:
    """The cores of every measurement: as many as threads, where the system lets a process choose."""
    return (
        sorted(os.sched_getaffinity(0))[:THREADS]
        if hasattr(os, "sched_getaffinity")
        else list(range(os.cpu_count() or 1))
    )


def measurements() -> list[dict[str, Any]]:
    """What was measured so far, on this machine.

    Raises
    ------
    InputError
        It was measured on another machine.
    """
    rows = (
        [json.loads(line) for line in MEASURED.read_text().splitlines()]
        if MEASURED.is_file()
        else []
    )
    for row in rows:
        if row["machine"] != machine():
            raise InputError(
                f"{MEASURED}: found {row['machine']}, here is {machine()}; remove the file to measure all anew"
            )
    return rows


def keep(row: dict[str, Any]) -> None:
    """Add a measurement to the file."""
    rows = [*measurements(), {**row, "machine": machine()}]
    write_text(MEASURED, "".join(json.dumps(row) + "\n" for row in rows))


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
        os.sched_setaffinity(
            0, cores()
        )  # of every process from here on: thread pools that count cores find as many as threads
    try:
        for part in parts:
            if part == "repro":
                if not any(row["part"] == part for row in measurements()):
                    keep(repro())
                continue
            for measurement in tqdm(list(PARTS[part]()), desc=part, unit="process", disable=None):
                if not any(measurement.key().items() <= row.items() for row in measurements()):
                    keep(measure(measurement))
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
