import re
import shutil
import subprocess
from pathlib import Path

import pytest

import lstm_ae
from lstm_ae.package.provenance import code_commit, provenance

PAGE = "src/lstm_ae/report/page.py"


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    command = ["git", *identity, *arguments]
    done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with one commit of code."""
    git(tmp_path, "init", "--quiet")
    for name in ("src/lstm_ae/model/stack.py", "stages/train.py", PAGE, "README.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("first\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "start")
    return tmp_path


def test_the_commit_is_the_last_that_touched_the_code(project: Path) -> None:
    first = git(project, "rev-parse", "HEAD")
    assert code_commit(project) == first
    for name in (PAGE, "README.md"):
        (project / name).write_text("second\n")
    assert code_commit(project) == first
    git(project, "commit", "--quiet", "--all", "--message", "no code of models")
    assert code_commit(project) == first
    (project / "stages/train.py").write_text("second\n")
    git(project, "commit", "--quiet", "--all", "--message", "code")
    assert code_commit(project) == git(project, "rev-parse", "HEAD") != first


@pytest.mark.parametrize(
    "name", ["src/lstm_ae/model/stack.py", "src/lstm_ae/training/new.py", "stages/train.py"]
)
def test_code_that_no_commit_holds_is_marked(project: Path, name: str) -> None:
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text("changed\n")
    assert code_commit(project) == git(project, "rev-parse", "HEAD") + "+changes"


def test_without_a_repository_there_is_no_commit(tmp_path: Path) -> None:
    assert code_commit(tmp_path) is None


def test_a_repository_without_commits_has_none(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert code_commit(tmp_path) is None


def test_without_git_there_is_no_commit(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project))
    assert shutil.which("git") is None
    assert code_commit(project) is None


def test_the_version_stands_beside_the_commit(tmp_path: Path) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", lstm_ae.__version__)
    assert provenance(tmp_path) == {"version": lstm_ae.__version__, "commit": None}
