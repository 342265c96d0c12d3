"""A pipeline whose processes are killed at random moments ends with the bytes of an unbroken one.

LSTM_AE_KILLS=200 kills as often, in two pipelines of three sections side by side; LSTM_AE_SEED
repeats the moments of a run.
"""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

from tests.checkouts import SECTIONS, checkout, contents

KILLS = int(os.environ.get("LSTM_AE_KILLS", "5"))
CHAINS = 2 if "LSTM_AE_KILLS" in os.environ else 1  # pipelines at work at the same time
SEED = int(os.environ.get("LSTM_AE_SEED", random.SystemRandom().randrange(2**32)))
REPRO = "PYTHONPATH=src python tools/recover.py && dvc repro"  # as `make repro` does


def start(directory: Path, environment: dict[str, str]) -> subprocess.Popen:
    """The pipeline in a process group of its own."""
    environment = {**environment, "LSTM_AE_CACHE": str(directory / ".dvc" / "cache" / "user")}
    with (directory / ".dvc" / "cache" / "log").open("wb") as log:
        return subprocess.Popen(
            ["sh", "-c", REPRO],
            cwd=directory,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def log(directory: Path) -> str:
    return (directory / ".dvc" / "cache" / "log").read_text(errors="replace")[-5000:]


def outputs(directory: Path) -> dict[str, bytes]:
    """What the pipeline wrote.

    Half a test.json that a kill left beside the whole one is hidden, and ignored by git.
    """
    return {
        name: held
        for name, held in contents(directory).items()
        if not fnmatch(name, "metrics/*/.partial-*")
    }


def git_status(directory: Path) -> str:
    return subprocess.run(
        ["git", "status", "--porcelain"], cwd=directory, capture_output=True, text=True, check=True
    ).stdout


def fresh(directory: Path) -> Path:
    """A checkout whose stages have one thread, as there may be two at work."""
    checkout(directory, SECTIONS if "LSTM_AE_KILLS" in os.environ else ["toy"])
    params = directory / "params.yaml"
    params.write_text(params.read_text().replace("threads: auto ", "threads: 1 "))
    (directory / ".dvc" / "cache").mkdir()
    return directory


def kill(
    directory: Path, environment: dict[str, str], kills: int, longest: float, seed: str
) -> Iterator[Path]:
    """Kill pipelines so often, each until it ends; the checkout of each that ended."""
    moments = random.Random(seed)
    fresh(directory)
    while True:
        process = start(directory, environment)
        try:
            status = process.wait(moments.uniform(0, longest) if kills else None)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills -= 1
            print(
                f"{seed}: {kills} kills left: {log(directory).strip().splitlines()[-1:]}",
                flush=True,
            )
            continue
        assert status == 0, log(directory)
        yield directory
        if not kills:
            return
        shutil.rmtree(directory)  # done before its time
        fresh(directory)


def test_a_pipeline_killed_again_and_again_ends_with_the_bytes_of_an_unbroken_one(
    tmp_path, environment
) -> None:
    print(f"LSTM_AE_SEED={SEED}", flush=True)
    environment = {**environment, "OMP_NUM_THREADS": "1"}
    unbroken = fresh(tmp_path / "unbroken")
    began = time.monotonic()
    assert start(unbroken, environment).wait() == 0, log(unbroken)
    longest = (time.monotonic() - began) / 2
    wanted, status = outputs(unbroken), git_status(unbroken)

    def chain(place: int) -> None:
        kills = len(range(place, KILLS, CHAINS))
        for ended in kill(
            tmp_path / f"killed-{place}", environment, kills, longest, f"{SEED}-{place}"
        ):
            assert outputs(ended) == wanted
            assert git_status(ended) == status

    with ThreadPoolExecutor(CHAINS) as chains:
        list(chains.map(chain, range(CHAINS)))
