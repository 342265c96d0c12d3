"""A train stage that dies by SIGKILL within an epoch, and starts again."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from lstm_ae.checkpoint import load_state
from lstm_ae.datasets.base import Prepared, Split, save_prepared
from lstm_ae.files import write_yaml

ROOT = Path(__file__).resolve().parents[2]
SECTION = "mnist_rows_class"  # it keeps the weights of every epoch too
# The stage as it is, but for a checkpoint after every batch: the epochs of a test are short.
STAGE = f"""
import runpy, sys
sys.path.insert(0, "{ROOT / "src"}")
from lstm_ae import training
training.CHECKPOINT_SECONDS = -1.0
sys.argv = ["train.py", "{SECTION}"]
runpy.run_path("{ROOT / "stages" / "train.py"}", run_name="__main__")
"""


def workspace(directory: Path) -> Path:
    """What the stage reads: params of a small model, 640 images of noise, the search's values."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    section = params[SECTION] | {"lr": 1e-3, "hidden_size": 16, "layers": 2, "gradient_clip": 1.0, "epochs": 3}
    section["model"]["code_size"] = 16
    section["training"]["batch_size"] = 32
    write_yaml(directory / "params.yaml", params | {"sections": [SECTION], SECTION: section, "device": "cpu", "threads": 1})
    random = np.random.default_rng(0)
    splits = {
        name: Split(random.integers(0, 256, (count, 28, 28), np.uint8), random.integers(0, 10, count))
        for name, count in (("train", 640), ("validation", 64))
    }
    save_prepared(Prepared(splits, {"classes": 10}), directory / "data" / "prepared" / SECTION)
    write_yaml(directory / "metrics" / SECTION / "search" / "best.yaml", {})
    return directory


def started(directory: Path, cache: Path) -> subprocess.Popen:
    environment = {**os.environ, "LSTM_AE_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", STAGE], cwd=directory, env=environment, stderr=subprocess.PIPE, text=True)


def written(directory: Path) -> dict[str, bytes]:
    folders = (directory / "models", directory / "metrics" / SECTION / "training")
    return {str(path.relative_to(directory)): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def position(cache: Path) -> tuple[int, int]:
    """Epoch and batch of the checkpoint in the cache."""
    found = list(cache.glob("scratch/train-*/checkpoint.safetensors"))
    state = load_state(found[0]) if found else None
    return (state["progress"]["epoch"], state["progress"]["batches"]) if state else (0, 0)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> dict[str, bytes]:
    directory = workspace(tmp_path_factory.mktemp("unbroken"))
    with started(directory, directory / "cache") as process:
        said = process.stderr.read()
    assert process.returncode == 0, said
    assert "going on" not in said
    return written(directory)


def test_a_killed_training_goes_on_within_the_epoch_and_ends_with_the_same_bytes(tmp_path, unbroken) -> None:
    directory, cache = workspace(tmp_path), tmp_path / "cache"
    killed_at = []
    for reached in ((1, 5), (3, 12)):
        with started(directory, cache) as process:
            while position(cache) < reached:
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
        killed_at.append(position(cache))
    with started(directory, cache) as process:
        said = process.stderr.read()
    assert process.returncode == 0, said
    going_on = re.search(r"going on from epoch (\d+) after batch (\d+) of 20", said)
    assert (int(going_on[1]), int(going_on[2])) == killed_at[-1] >= (3, 12)
    assert {"models/mnist_rows_class/weights.safetensors", "models/mnist_rows_class/epochs/003.safetensors"} <= unbroken.keys()
    assert written(directory) == unbroken
    assert not list(cache.glob("scratch/train-*/*"))
