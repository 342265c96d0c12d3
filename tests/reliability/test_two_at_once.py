"""Two runs of the pipeline at the same time."""

import re
import subprocess
import time
from pathlib import Path

from tests.checkouts import checkout, contents


def test_two_clones_share_their_caches_and_a_second_run_in_one_says_who_is_at_work(
    tmp_path, environment
) -> None:
    environment = {**environment, "LSTM_AE_CACHE": str(tmp_path / "user-cache")}

    def repro(directory: Path, log: str) -> subprocess.Popen:
        with (tmp_path / log).open("w") as file:
            return subprocess.Popen(
                ["dvc", "repro"], cwd=directory, env=environment, stdout=file, stderr=file
            )

    clones = [checkout(tmp_path / name, ["toy"]) for name in ("first", "second")]
    for clone in clones:
        (clone / ".dvc" / "config.local").write_text(
            f"[cache]\n    dir = {tmp_path / 'dvc-cache'}\n"
        )
    runs = [repro(clone, clone.name + ".log") for clone in clones]
    while "Running stage 'search@toy'" not in (tmp_path / "first.log").read_text():
        assert runs[0].poll() is None, (tmp_path / "first.log").read_text()
        time.sleep(0.05)
    assert repro(clones[0], "third.log").wait() != 0
    said = (tmp_path / "third.log").read_text()
    assert re.search(
        rf"is being blocked by:\s+\(PID {runs[0].pid}\): \S*dvc repro|Unable to acquire lock", said
    ), said

    for clone, run in zip(clones, runs, strict=True):
        assert run.wait() == 0, (tmp_path / f"{clone.name}.log").read_text()
    assert contents(clones[0]) == contents(clones[1])
