"""Fresh checkouts of the project, their runs and what these write."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from dvc.utils.serialize import load_yaml, modify_yaml

ROOT = Path(__file__).resolve().parents[1]
SECTIONS = ("toy", "mnist_rows_class", "snp_forecast")
COMMITTED = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in (
        ("NAME", "test"),
        ("EMAIL", "test@example.org"),
        ("DATE", "2020-01-01T00:00:00+00:00"),
    )
}
OUTPUTS = ("data", "runs", "models", "metrics", "plots", "report")


def checkout(directory: Path, sections: Sequence[str] = SECTIONS) -> Path:
    """A new repository with the files of this one, small budget, few sections.

    Its commit is the same whenever and by whomever it is made: a model keeps the commit's hash.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, directory / name)
    edit_params(directory / "params.yaml", {"sections": list(sections), "budget": "smoke"})
    environment = {**os.environ, **COMMITTED}
    for command in (
        ["git", "init", "--quiet"],
        ["git", "config", "user.name", "test"],
        ["git", "config", "user.email", "test@example.org"],
        ["git", "config", "commit.gpgsign", "false"],
        ["git", "add", "--all"],
        ["git", "commit", "--quiet", "--message", "start"],
    ):
        subprocess.run(command, cwd=directory, env=environment, check=True)
    return directory


def edit_params(path: Path, changes: dict[str, object]) -> None:
    """Set values of params.yaml by dotted key, as `dvc exp run -S` does."""
    with modify_yaml(path) as content:
        for dotted, value in changes.items():
            *above, last = dotted.split(".")
            values = content
            for key in above:
                values = values[key]
            values[last] = value


def run(directory: Path, environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        command,
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=1100,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def stages_run(output: str) -> set[str]:
    return set(re.findall(r"Running stage '([^']+)'", output))


def contents(directory: Path) -> dict[str, bytes]:
    """The bytes of every output; dvc.lock has its stages in the order in which they ended."""
    lock = json.dumps(load_yaml(directory / "dvc.lock"), sort_keys=True)
    files = (
        path for name in OUTPUTS for path in sorted((directory / name).rglob("*")) if path.is_file()
    )
    return {str(path.relative_to(directory)): path.read_bytes() for path in files} | {
        "dvc.lock": lock.encode()
    }
