"""Folders in which stages/search.py runs in a process of its own; only for tests."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lstm_ae.core import paths
from lstm_ae.core.splits import Split
from tests.checkouts import edit_params
from tests.prepared import save_splits

ROOT = Path(__file__).resolve().parents[2]


def prepare(folder: Path) -> Path:
    random = np.random.default_rng(0)
    splits = {
        name: Split(random.random((count, 50, 1), dtype=np.float32))
        for name, count in (("train", 150), ("validation", 50))
    }
    save_splits(splits, folder)
    return folder


def write_params(project: Path, storage: str | None = None, **search: object) -> None:
    shutil.copy(ROOT / "params.yaml", project)
    changes = {f"toy.search.{key}": value for key, value in search.items()}
    edit_params(project / "params.yaml", changes | {"defaults.search.storage": storage})


def start_stage(project: Path, *arguments: str) -> subprocess.Popen[str]:
    """stages/search.py, with a heartbeat of a second."""
    program = f"""
import runpy, sys
from lstm_ae.search import shared
shared.HEARTBEAT_SECONDS = 1
sys.argv = {["search.py", "toy", *arguments]}
runpy.run_path({str(ROOT / "stages" / "search.py")!r}, run_name="__main__")
"""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "LSTM_AE_CACHE": str(project / "cache"),
    }
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=project,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def text_at_end(process: subprocess.Popen[str]) -> str:
    """What a process text, when it and all that it started have ended well."""
    text = process.communicate(timeout=300)[1]
    assert process.returncode == 0, text
    return text


def wait_until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait for something that a process does."""
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)


def outputs(project: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project / paths.search("toy")).iterdir()}
