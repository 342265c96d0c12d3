"""One process measured at a time, and the file that keeps what was measured."""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from lstm_ae.core import processor
from lstm_ae.core.errors import InputError
from lstm_ae.core.files import write_json, write_text

MEASURED = Path("docs/benchmarks.jsonl")
PEERS = Path("benchmarks/peers")
BENCH_PYTHON = Path("venv-bench/bin/python")
THREADS = 2
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC")
GRADIENT_CLIP = 1.0

SCRIPTS = {
    "this project": "project.py",
    "PyTorch": "pytorch.py",
    "Keras": "keras_jax.py",
    "sequitur": "sequitur_lstm.py",
    "darts": "darts_forecast.py",
    "nn.LSTM": "layers.py torch",
    "layers here": "layers.py own",
    "layers here, AVX2": "layers.py own",
    "matrix product": "matrix_product.py",
}
# A processor without AVX-512.
AVX2 = {
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,+avx,+avx2,+fma",
}
BARE = ("nn.LSTM", "layers here", "layers here, AVX2")
OURS = ("this project", "layers here", "layers here, AVX2")  # the others take what is fastest
IN_OUR_ENVIRONMENT = (*OURS, "nn.LSTM", "matrix product")
LOADED = ("this project", "PyTorch")  # measured beside other work and on one thread too
LOADED_STEPS = 100  # of longer sequences PyTorch trains an epoch in minutes beside other work
RIVALS = ("this project", "PyTorch", "Keras", "sequitur")


@dataclass(frozen=True)
class Measurement:
    """One process.

    Parameters
    ----------
    part
        The part of the benchmarks that it belongs to.
    task
        The name of the data.
    peer
        A key of `SCRIPTS`.
    run
        From 0; also the seed.
    train
        (N, T, m), or a square matrix for the matrix product.
    validation
        (N, T, m), whose loss is measured; None measures speed alone.
    busy
        Whether another process computes all the time.
    facts
        What the report needs to know beside.
    """

    part: str
    task: str
    peer: str
    run: int
    lr: float
    hidden_size: int
    batch_size: int
    seconds: float
    train: NDArray[np.float32]
    validation: NDArray[np.float32] | None = None
    layers: int = 1
    threads: int = THREADS
    busy: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    def key(self) -> dict[str, Any]:
        """What no other measurement has the same of."""
        names = ("part", "task", "peer", "run", "lr", "threads", "busy")
        return {name: getattr(self, name) for name in names}

    def shape(self) -> dict[str, int]:
        """Steps and features of a sequence, and their number; a matrix counts as rows."""
        if self.train.ndim == 2:
            rows = len(self.train)
            return {"steps": 1, "features": rows, "sequences": rows}
        sequences, steps, features = self.train.shape
        return {"steps": steps, "features": features, "sequences": sequences}


def measure(measurement: Measurement) -> dict[str, Any]:
    """Run the peer's script on the task and give what it measured.

    Raises
    ------
    InputError
        The process failed.
    """
    with tempfile.TemporaryDirectory() as directory, other_process(measurement.busy):
        task = write_task(measurement, Path(directory))
        output = run_script(measurement, task)
    validation = measurement.validation
    return {
        **measurement.key(),
        **measurement.facts,
        **measurement.shape(),
        "hidden_size": measurement.hidden_size,
        "layers": measurement.layers,
        "batch_size": measurement.batch_size,
        "scored": 0 if validation is None else len(validation),
        "seconds": measurement.seconds,
        **json.loads(output.splitlines()[-1]),
    }


def write_task(measurement: Measurement, directory: Path) -> Path:
    """Write what the peer's process reads: arrays, and JSON that names them."""
    task: dict[str, Any] = {
        "hidden_size": measurement.hidden_size,
        "layers": measurement.layers,
        "batch_size": measurement.batch_size,
        "lr": measurement.lr,
        "gradient_clip": GRADIENT_CLIP,
        "seconds": measurement.seconds,
        "threads": measurement.threads,
        "seed": measurement.run,
    }
    arrays = {"train": measurement.train, "validation": measurement.validation}
    for name, array in arrays.items():
        task[name] = None
        if array is not None:
            task[name] = str(directory / f"{name}.npy")
            np.save(task[name], array)
    path = directory / "task.json"
    write_json(path, task)
    return path


@contextmanager
def other_process(is_there: bool) -> Iterator[None]:
    """Something that keeps a core busy, if it is to be there."""
    if not is_there:
        yield
        return
    # It ends with this process, killed or not.
    work = f"import os\nwhile os.getppid() == {os.getpid()}: pass"
    with subprocess.Popen([sys.executable, "-c", work]) as process:
        try:
            yield
        finally:
            process.kill()


def run_script(measurement: Measurement, task: Path) -> str:
    """What the peer's process prints."""
    is_here = measurement.peer in IN_OUR_ENVIRONMENT
    python = sys.executable if is_here else str(BENCH_PYTHON)
    name, *kind = SCRIPTS[measurement.peer].split()
    script = PEERS / name
    command = [python, str(script), str(task), *kind]
    done = subprocess.run(
        command,
        env=environment_of(measurement),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise InputError(f"{script}: {lines[-1]}")
    return done.stdout


def environment_of(measurement: Measurement) -> dict[str, str]:
    """The environment of the peer's process: the project's caps are for the project alone."""
    environment = dict(os.environ)
    if measurement.peer not in OURS:
        environment[processor.NATIVE] = "1"
        for name in processor.CAPS:
            environment.pop(name, None)
    if measurement.peer == "layers here, AVX2":
        environment |= AVX2
    return {
        **environment,
        **dict.fromkeys(THREAD_VARIABLES, str(measurement.threads)),
        "PYTHONPATH": f"src{os.pathsep}.",
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_PLATFORMS": "cpu",
    }


def machine() -> dict[str, Any]:
    """What the seconds depend on."""
    memory = psutil.virtual_memory().total / 2**30
    return {
        "processor": processor_name(),
        "cores": len(cores()),
        "memory_gib": round(memory),
        "system": platform.system(),
        "threads": THREADS,
    }


def processor_name() -> str:
    """The processor's name."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    for line in lines:
        if line.startswith("model name"):
            return line.split(": ")[1]
    return platform.processor()


def cores() -> list[int]:
    """The cores of every measurement: as many as threads, where the system lets a process choose.

    Elsewhere all there are.
    """
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))[:THREADS]
    return list(range(os.cpu_count() or 1))


def measurements() -> list[dict[str, Any]]:
    """What was measured so far, on this machine.

    Raises
    ------
    InputError
        It was measured on another machine.
    """
    lines = MEASURED.read_text().splitlines() if MEASURED.is_file() else []
    rows = [json.loads(line) for line in lines]
    this_machine = machine()
    for row in rows:
        if row["machine"] != this_machine:
            raise InputError(
                f"{MEASURED}: measured on {row['machine']}, this machine is {this_machine}; "
                "remove the file to measure all anew"
            )
    return rows


def keep(row: dict[str, Any]) -> None:
    """Add a measurement to the file."""
    rows = [*measurements(), {**row, "machine": machine()}]
    lines = [json.dumps(row) + "\n" for row in rows]
    write_text(MEASURED, "".join(lines))
