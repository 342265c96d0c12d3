"""What `make repro` puts back before DVC starts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCK = """\
schema: '2.0'
stages:
  check:
    cmd: python stages/check.py
  report:
    cmd: python stages/report.py
    deps:
    - path: metrics
      hash: md5
      md5: 0a1b
      size: 9
"""
DEAD = {"pid": 2**22 + 1, "cmd": "dvc repro"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository whose commit holds a dvc.lock."""
    (tmp_path / ".dvc" / "tmp").mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    commit(tmp_path, LOCK)
    return tmp_path


def commit(project: Path, lock: str) -> None:
    (project / "dvc.lock").write_text(lock)
    settings = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for command in (["add", "dvc.lock"], [*settings, "commit", "--quiet", "--message", "lock"]):
        subprocess.run(["git", *command], cwd=project, check=True)


def recover(project: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "recover.py")],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


def test_what_is_whole_is_left_alone(project: Path) -> None:
    (project / ".dvc" / "tmp" / "rwlock").write_text("{}")
    assert recover(project) == ""
    assert (project / "dvc.lock").read_text() == LOCK
    assert (project / ".dvc" / "tmp" / "rwlock").read_text() == "{}"


LINES = LOCK.splitlines(keepends=True)
BROKEN_OFF = [
    "",
    "sche",
    LOCK[:-1],
    LOCK[:-12],
    *("".join(LINES[:count]) for count in (1, 2, 3, 4, 5, 7)),
]
WITHOUT_A_DEPENDENCY = "".join(LINES[:6])  # which DVC reads, and then runs that stage again


@pytest.mark.parametrize("half", BROKEN_OFF)
def test_the_last_whole_lock_comes_back(project: Path, half: str) -> None:
    newer = LOCK.replace("size: 9", "size: 8")
    (project / "dvc.lock").write_text(newer)
    recover(project)
    (project / "dvc.lock").write_text(half)
    assert recover(project) == "dvc.lock was cut short; the one before this run is back\n"
    assert (project / "dvc.lock").read_text() == newer


def test_a_lock_that_lacks_a_dependency_alone_is_one_that_dvc_reads(project: Path) -> None:
    (project / "dvc.lock").write_text(WITHOUT_A_DEPENDENCY)
    assert recover(project) == ""


def test_the_lock_of_another_commit_is_whole_though_it_knows_fewer_stages(project: Path) -> None:
    (project / "dvc.lock").write_text(LOCK + "  train@toy:\n    cmd: python stages/train.py toy\n")
    recover(project)
    subprocess.run(["git", "checkout", "--quiet", "dvc.lock"], cwd=project, check=True)
    assert recover(project) == ""
    assert (project / "dvc.lock").read_text() == LOCK


def test_a_lock_that_went_on_from_another_commit_is_whole_though_it_knows_fewer_stages(
    project: Path,
) -> None:
    """The branch was changed and `dvc repro` was run by itself before this."""
    (project / "dvc.lock").write_text(LOCK + "  train@toy:\n    cmd: python stages/train.py toy\n")
    recover(project)
    fewer = "".join(LINES[:4])
    commit(project, fewer)
    longer = fewer + "  evaluate:\n    cmd: python stages/evaluate.py\n"
    (project / "dvc.lock").write_text(longer)
    assert recover(project) == ""
    (project / "dvc.lock").write_text(longer[:-5])
    assert recover(project) == "dvc.lock was cut short; the one before this run is back\n"
    assert (project / "dvc.lock").read_text() == longer
    assert len(list((project / ".dvc" / "tmp").glob("dvc.lock.*"))) == 1


def test_the_lock_of_an_older_experiment_is_whole_though_it_knows_fewer_stages(
    project: Path,
) -> None:
    older = "".join(LINES[:6])
    commit(project, older)
    commit(project, LOCK + "  train@toy:\n    cmd: python stages/train.py toy\n")
    (project / "dvc.lock").write_text(older)
    assert recover(project) == ""
    assert (project / "dvc.lock").read_text() == older


def test_without_one_kept_the_lock_of_git_comes_back(project: Path) -> None:
    (project / "dvc.lock").write_text(LOCK[:30])
    assert recover(project) == "dvc.lock was cut short; git's is back\n"
    assert (project / "dvc.lock").read_text() == LOCK


def test_without_any_the_lock_begins_anew(project: Path) -> None:
    subprocess.run(["git", "rm", "--quiet", "--cached", "dvc.lock"], cwd=project, check=True)
    settings = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run(
        ["git", *settings, "commit", "--quiet", "--message", "without"], cwd=project, check=True
    )
    (project / "dvc.lock").write_text("")
    assert "begins anew" in recover(project)
    assert not (project / "dvc.lock").exists()


def test_a_fresh_clone_needs_nothing(tmp_path: Path) -> None:
    assert recover(tmp_path) == ""


@pytest.mark.parametrize("text", ["", '{"write": {"/a": {"pid": 1, "c', '{"write": '])
def test_a_list_of_users_cut_short_goes(project: Path, text: str) -> None:
    (project / ".dvc" / "tmp" / "rwlock").write_text(text)
    assert "rwlock was cut short and is gone" in recover(project)
    assert not (project / ".dvc" / "tmp" / "rwlock").exists()


def test_a_list_of_the_dead_goes_and_of_the_living_stays(project: Path) -> None:
    users = project / ".dvc" / "tmp" / "rwlock"
    stranger = {"pid": os.getpid(), "cmd": "/somewhere/bin/dvc repro"}
    users.write_text(json.dumps({"write": {"/a": DEAD}, "read": {"/b": [stranger]}}))
    assert "processes that are no more" in recover(project)
    assert not users.exists()
    with subprocess.Popen(
        [sys.executable, "-c", "input()", "dvc", "repro"], stdin=subprocess.PIPE
    ) as living:
        text = json.dumps(
            {"write": {"/a": {"pid": living.pid, "cmd": "dvc repro"}}, "read": {"/b": [DEAD]}}
        )
        users.write_text(text)
        assert recover(project) == ""
        assert users.read_text() == text
        living.communicate(b"\n")


@pytest.mark.parametrize("name", ["lock", "rwlock.lock"])
def test_the_files_of_a_living_dvc_are_left_alone(project: Path, name: str) -> None:
    (project / "dvc.lock").write_text("half")
    program = f"from dvc.lock import Lock\nwith Lock('.dvc/tmp/{name}'): print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        holder.stdout.readline()
        assert recover(project) == "another dvc is at work here; its files are left alone\n"
        holder.communicate(b"\n")
    assert (project / "dvc.lock").read_text() == "half"


def test_it_starts_without_torch() -> None:
    program = (
        "import runpy, sys; runpy.run_path('tools/recover.py'); sys.exit('torch' in sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "src"},
        check=True,
    )
