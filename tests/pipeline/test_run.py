"""The pipeline itself, small, in fresh checkouts."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = ["toy", "mnist_rows_class", "snp_forecast"]
OUTPUTS = ("data", "models", "metrics", "plots", "report")


def checkout(directory: Path) -> Path:
    """A new repository with the files of this one, small budget, three sections."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, directory / name)
    path = directory / "params.yaml"
    text = re.sub(r"^sections: .*$", f"sections: [{', '.join(SECTIONS)}]", path.read_text(), flags=re.MULTILINE)
    path.write_text(text.replace("budget: full", "budget: smoke"))
    pipeline = directory / "dvc.yaml"
    kept = [line for line in pipeline.read_text().splitlines(keepends=True) if not absent(line)]
    pipeline.write_text("".join(kept))
    for command in (
        ["git", "init", "--quiet"],
        ["git", "config", "user.name", "test"],
        ["git", "config", "user.email", "test@example.org"],
        ["git", "add", "--all"],
        ["git", "commit", "--quiet", "--message", "start"],
    ):
        subprocess.run(command, cwd=directory, check=True)
    return directory


def absent(line: str) -> bool:
    """Whether a line of dvc.yaml is a dependency of the report on a section that is left out here."""
    found = re.fullmatch(r"      - (?:metrics|plots)/(\w+)(?:/test\.json)?\n", line)
    return found is not None and found[1] not in SECTIONS


def run(directory: Path, environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False, timeout=1100)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def stages_run(output: str) -> set[str]:
    return set(re.findall(r"Running stage '([^']+)'", output))


def contents(directory: Path) -> dict[str, bytes]:
    files = (path for name in OUTPUTS for path in sorted((directory / name).rglob("*")) if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files} | {"dvc.lock": (directory / "dvc.lock").read_bytes()}


@pytest.fixture(scope="module")
def finished(tmp_path_factory, environment) -> Path:
    directory = checkout(tmp_path_factory.mktemp("first"))
    pipeline = (directory / "dvc.yaml").read_bytes()
    ran = stages_run(run(directory, environment, "dvc", "repro"))
    assert {f"train@{section}" for section in SECTIONS} <= ran
    assert (directory / "dvc.yaml").read_bytes() == pipeline, "a run rewrote dvc.yaml"
    return directory


def test_a_second_run_does_nothing(finished: Path, environment) -> None:
    assert not stages_run(run(finished, environment, "dvc", "repro"))


def test_the_same_inputs_give_the_same_bytes_elsewhere(finished: Path, environment, tmp_path) -> None:
    other = checkout(tmp_path / "second")
    run(other, {**environment, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "LC_ALL": "C"}, "dvc", "repro")
    first, second = contents(finished), contents(other)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_lr_reruns_train_evaluate_and_report_of_its_sections_alone(finished: Path, environment) -> None:
    one = stages_run(run(finished, environment, "dvc", "exp", "run", "-S", "toy.lr=1e-5"))
    assert one == {"check", "train@toy", "evaluate@toy", "report"}
    every = stages_run(run(finished, environment, "dvc", "exp", "run", "-S", "toy.lr=tuned", "-S", "lr=1e-2"))
    assert every == {"check", "report", *(f"{stage}@{section}" for stage in ("train", "evaluate") for section in SECTIONS)}


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (["stages/train.py", "toys"], "error: section toys: not listed; params.yaml lists toy"),
        (["stages/search.py", "toy"], r"error: data/prepared/toy/train\.safetensors: not found; `dvc repro` makes it"),
    ],
)
def test_a_stage_ends_with_one_line_and_status_2(environment, tmp_path, command, line) -> None:
    directory = checkout(tmp_path)
    done = subprocess.run([sys.executable, *command], cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.match(line, done.stderr) and done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
