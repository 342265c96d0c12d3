"""The train stage as processes: killed within an epoch and started again, on one device or two."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
import yaml

from lstm_ae.core.splits import Split
from lstm_ae.core.yaml import write_yaml
from lstm_ae.training.checkpoint import load_state
from tests.prepared import save_splits

ROOT = Path(__file__).resolve().parents[2]
SECTION = "mnist_rows_class"  # it keeps the weights of every epoch too
FORECAST = "snp_forecast"  # its batches are of one day each, its loss is no mean over their rows
# The stage as it is, but for a checkpoint after every batch: the epochs of a test are short.
STAGE = f"""
import runpy, sys
from lstm_ae.training import loop
loop.CHECKPOINT_SECONDS = -1.0
sys.argv[0] = "train.py"
runpy.run_path("{ROOT / "stages" / "train.py"}", run_name="__main__")
"""


def workspace(directory: Path, devices: int = 1, images: int = 640) -> Path:
    """What the stage reads: params of a small model, images of noise, the search's values."""
    random = np.random.default_rng(0)
    splits = {
        name: Split(
            random.integers(0, 256, (count, 28, 28), np.uint8),
            random.integers(0, 10, count),
            image_shape=np.array([28, 28]),
        )
        for name, count in (("train", images), ("validation", 64))
    }
    save_splits(splits, directory / "data" / "prepared" / SECTION, classes=10)
    configure(
        directory,
        SECTION,
        devices,
        {"code_size": 16, "lags": 0},
        {"batch_size": 32, "part_size": 8, "shift": 2},
    )
    return directory


def forecasts(directory: Path, devices: int) -> Path:
    """The same of series of noise, those of one day moved alike."""
    random = np.random.default_rng(0)
    steps = (
        random.normal(size=(60, 11, 3)) + np.repeat(random.normal(size=(3, 11, 3)), 20, axis=0)
    ).astype(np.float32)
    split = Split(steps[:, :10], following=steps[:, 10].copy(), group=np.repeat([0, 10, 20], 20))
    splits = {"train": split, "validation": split}
    save_splits(splits, directory / "data" / "prepared" / FORECAST)
    configure(
        directory,
        FORECAST,
        devices,
        {"code_size": 8, "lags": 2, "averages": []},
        {"batch_size": 7, "part_size": 2, "error_correlation": 0.3},
    )
    return directory


def configure(
    directory: Path, name: str, devices: int, model: dict[str, object], training: dict[str, object]
) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    section = params[name] | {
        "lr": 1e-3,
        "hidden_size": 16,
        "layers": 2,
        "gradient_clip": 1.0,
        "epochs": 3,
    }
    section["model"] |= model
    section["training"] |= training
    write_yaml(
        directory / "params.yaml",
        params
        | {"sections": [name], name: section, "device": "cpu", "devices": devices, "threads": 1},
    )
    write_yaml(directory / "runs" / name / "search" / "best.yaml", {})


def started(directory: Path, cache: Path, section: str = SECTION) -> subprocess.Popen:
    environment = {**os.environ, "LSTM_AE_CACHE": str(cache), "PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen(
        [sys.executable, "-c", STAGE, section],
        cwd=directory,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def written(directory: Path, section: str = SECTION) -> dict[str, bytes]:
    folder = directory / "runs" / section
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def position(directory: Path) -> tuple[int, int]:
    """Epoch and batch of the checkpoint in the cache.

    It is read from a copy: the stage may write the next one meanwhile.
    """
    for found in (directory / "cache").glob("scratch/train-*/checkpoint.safetensors"):
        state = load_state(Path(shutil.copyfile(found, directory / "seen.safetensors")))
        return state["progress"]["epoch"], state["progress"]["batches"]
    return 0, 0


def finished(directory: Path, section: str = SECTION) -> str:
    """Run the stage to its end; what it said."""
    return ended(started(directory, directory / "cache", section))


def ended(process: subprocess.Popen, status: int = 0) -> str:
    """Wait for all processes of the stage; what they said."""
    try:
        said = process.communicate(timeout=300)[1]  # the pipe is all of theirs
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == status, said
    return said


def killed_at(directory: Path, epoch: int, batch: int) -> tuple[int, int]:
    """Run the stage and kill its processes once it has come so far; where it was."""
    with started(directory, directory / "cache") as process:
        while position(directory) < (epoch, batch):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
    return position(directory)


def went_on_from(said: str) -> tuple[int, int]:
    found = re.search(r"going on from epoch (\d+) after batch (\d+) of", said)
    return int(found[1]), int(found[2])


def test_a_killed_training_goes_on_within_the_epoch_and_ends_with_the_same_bytes(tmp_path) -> None:
    unbroken, directory = workspace(tmp_path / "unbroken"), workspace(tmp_path / "killed")
    assert "going on" not in finished(unbroken)
    killed_at(directory, 1, 5)
    last = killed_at(directory, 3, 12)
    assert went_on_from(finished(directory)) == last >= (3, 12)
    wanted = written(unbroken)
    assert {"weights/weights.safetensors", "weights/epochs/003.safetensors"} <= wanted.keys()
    assert written(directory) == wanted
    assert not list((directory / "cache").glob("scratch/train-*/*"))


@pytest.mark.parametrize("images", [97, 99])
def test_two_processes_train_as_one_does_and_write_once(tmp_path, images: int) -> None:
    """The last batch has one image or three.

    Of one the second process has no part, of three the smaller.
    """
    one, two = (workspace(tmp_path / str(devices), devices, images) for devices in (1, 2))
    finished(one)
    assert "Starting with 2 processes" in finished(two)
    assert written(one).keys() == written(two).keys()
    wanted = written(one)
    assert len(wanted) > 10 and written(two) == wanted


def test_two_processes_train_on_the_surprises_of_whole_days_as_one_does(tmp_path) -> None:
    one, two = (forecasts(tmp_path / str(devices), devices) for devices in (1, 2))
    finished(one, FORECAST)
    assert "Starting with 2 processes" in finished(two, FORECAST)
    assert written(two, FORECAST) == written(one, FORECAST)
    surprises = np.loadtxt(next((one / "runs").rglob("train/surprise.tsv")), skiprows=1)
    assert len(surprises) == 3 and (surprises[:, 1] > 0).all()


def test_two_killed_processes_go_on_to_the_same_bytes(tmp_path) -> None:
    unbroken, directory = (
        workspace(tmp_path / name, devices=2, images=320) for name in ("unbroken", "killed")
    )
    finished(unbroken)
    last = killed_at(directory, 2, 3)
    said = finished(directory)
    assert went_on_from(said) == last and said.count("going on from") == 1
    assert written(directory) == written(unbroken)


def followers(process: subprocess.Popen) -> list[psutil.Process]:
    """The processes that the first one of a training has started."""
    found = []
    for child in psutil.Process(process.pid).children():
        with suppress(
            psutil.NoSuchProcess, psutil.ZombieProcess
        ):  # a library asked the system something, and has its answer
            if "LSTM_AE_FIRST_PROCESS" in child.environ():
                found.append(child)
    return found


@pytest.fixture
def launch() -> Iterator[Callable[[Path], subprocess.Popen]]:
    """Starts the stage; its processes do not outlive the test."""
    processes = []

    def run(directory: Path) -> subprocess.Popen:
        processes.append(started(directory, directory / "cache"))
        return processes[-1]

    yield run
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def until(condition: Callable[[], object], process: subprocess.Popen) -> None:
    while not condition():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)


def test_what_ends_two_processes_is_said_once(tmp_path, launch) -> None:
    directory = workspace(tmp_path, devices=2, images=64)
    params = yaml.safe_load((directory / "params.yaml").read_text())
    write_yaml(directory / "params.yaml", params | {"lr": 1e30})
    said = ended(launch(directory), status=2)
    assert (
        said.count("error: training diverged in its first epoch") == 1 and "Traceback" not in said
    )


@pytest.mark.parametrize("training", [False, True])
def test_a_killed_second_process_ends_the_first_with_a_line(
    tmp_path, launch, training: bool
) -> None:
    directory = workspace(tmp_path, devices=2, images=6400)
    process = launch(directory)
    until(lambda: position(directory) >= (1, 3) if training else followers(process), process)
    followers(process)[0].kill()
    said = ended(process, status=2)
    assert (
        "error: devices 2: a process was killed, perhaps for its memory" in said
        and "Traceback" not in said
    )


def test_the_second_process_ends_with_the_first_that_is_killed_as_they_start(
    tmp_path, launch
) -> None:
    process = launch(workspace(tmp_path, devices=2))
    until(lambda: followers(process), process)
    others = followers(process)
    process.kill()
    assert not psutil.wait_procs(others, timeout=60)[1]


def test_a_training_of_two_waits_for_the_same_one_before_it_starts_the_second(
    tmp_path, launch
) -> None:
    directory = workspace(tmp_path, devices=2, images=64)
    first = launch(directory)
    until(lambda: followers(first), first)
    os.killpg(first.pid, signal.SIGSTOP)
    second = launch(directory)
    while "does the same work" not in (line := second.stderr.readline()):
        assert line
    assert not followers(second)
    os.killpg(first.pid, signal.SIGCONT)
    ended(first), ended(second)


def test_processes_that_something_else_started_are_refused(tmp_path, launch, monkeypatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "0")
    said = ended(launch(workspace(tmp_path, devices=2, images=64)), status=2)
    assert said.splitlines()[-1].startswith(
        "error: devices 2: started by a launcher, or with LOCAL_RANK set"
    )
