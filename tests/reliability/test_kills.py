"""A pipeline whose processes are killed at random moments ends with the bytes of an unbroken one.

LSTM_AE_KILLS=200 kills as often, in a pipeline of three sections; LSTM_AE_SEED repeats the moments of a run.
"""

import os
import random
import shutil
import signal
import subprocess
import time
from fnmatch import fnmatch
from pathlib import Path

from tests.checkouts import SECTIONS, checkout, contents

KILLS = int(os.environ.get("LSTM_AE_KILLS", "5"))
SEED = int(os.environ.get("LSTM_AE_SEED", random.SystemRandom().randrange(2**32)))
REPRO = "PYTHONPATH=src python tools/recover.py && dvc repro"  # as `make repro` does


def start(directory: Path, environment: dict[str, str]) -> subprocess.Popen:
    """The pipeline in a process group of its own."""
    environment = {**environment, "LSTM_AE_CACHE": str(directory / ".dvc" / "cache" / "user")}
    with (directory / ".dvc" / "cache" / "log").open("wb") as log:
        return subprocess.Popen(["sh", "-c", REPRO], cwd=directory, env=environment, stdout=log, stderr=log, start_new_session=True)


def log(directory: Path) -> str:
    return (directory / ".dvc" / "cache" / "log").read_text(errors="replace")[-5000:]


def outputs(directory: Path) -> dict[str, bytes]:
    """What the pipeline wrote; half a test.json that a kill left beside the whole one is hidden, and ignored by git."""
    return {name: held for name, held in contents(directory).items() if not fnmatch(name, "metrics/*/.partial-*")}


def git_status(directory: Path) -> str:
    return subprocess.run(["git", "status", "--porcelain"], cwd=directory, capture_output=True, text=True, check=True).stdout


def test_a_pipeline_killed_again_and_again_ends_with_the_bytes_of_an_unbroken_one(tmp_path, environment) -> None:
    print(f"LSTM_AE_SEED={SEED}", flush=True)
    moments = random.Random(SEED)
    sections = SECTIONS if "LSTM_AE_KILLS" in os.environ else ["toy"]

    def fresh(name: str) -> Path:
        directory = checkout(tmp_path / name, sections)
        (directory / ".dvc" / "cache").mkdir()
        return directory

    unbroken = fresh("unbroken")
    began = time.monotonic()
    assert start(unbroken, environment).wait() == 0, log(unbroken)
    seconds = time.monotonic() - began

    directory, kills = fresh("killed"), 0
    while True:
        process = start(directory, environment)
        try:
            status = process.wait(moments.uniform(0, seconds / 2) if kills < KILLS else None)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
            print(f"kill {kills}: {log(directory).strip().splitlines()[-1:]}", flush=True)
            continue
        assert status == 0, log(directory)
        assert outputs(directory) == outputs(unbroken)
        assert git_status(directory) == git_status(unbroken)
        if kills == KILLS:
            return
        shutil.rmtree(directory)  # done before its time
        fresh("killed")
