"""The pipeline itself, small, in fresh checkouts."""

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import lstm_ae
from lstm_ae.package.provenance import code_commit
from tests.checkouts import SECTIONS, checkout, contents, run, stages_run


def test_a_second_run_does_nothing(finished: Path, environment) -> None:
    assert not stages_run(run(finished, environment, "dvc", "repro"))


def test_what_made_a_model_is_kept_with_it(finished: Path) -> None:
    for section in SECTIONS:
        trials = finished / "runs" / section / "search" / "trials.csv"
        assert (finished / "metrics" / section / "trials.csv").read_bytes() == trials.read_bytes()
        about = json.loads((finished / "models" / section / "about.json").read_text())
        assert about["version"] == lstm_ae.__version__
        assert about["commit"] == code_commit(finished)
        assert about["versions"]["torch"] == version("torch")
        assert f"<td>{version('torch')}</td>" in (finished / "report" / "index.html").read_text()


def test_what_a_kill_left_of_a_file_is_no_change(finished: Path, environment, tmp_path) -> None:
    directory = shutil.copytree(finished, tmp_path / "copy")
    half = directory / "metrics" / "toy" / ".partial-x" / "test.json"
    half.parent.mkdir()
    half.write_text("{")
    assert not stages_run(run(directory, environment, "dvc", "repro"))


def test_the_same_inputs_give_the_same_bytes_elsewhere(
    finished: Path, environment, tmp_path
) -> None:
    """In another order too: two sections side by side."""
    other = checkout(tmp_path / "second")
    run(
        other,
        {**environment, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "LC_ALL": "C"},
        "sh",
        "-c",
        "umask 077; make --assume-old all repro JOBS=2",
    )
    first, second = contents(finished), contents(other)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_lr_at_the_top_trains_every_section_again_and_searches_none(
    finished: Path, environment, tmp_path
) -> None:
    directory = shutil.copytree(finished, tmp_path / "copy")
    sections = SECTIONS[:2]
    ran = stages_run(
        run(
            directory,
            environment,
            "dvc",
            "exp",
            "run",
            "-S",
            f"sections=[{','.join(sections)}]",
            "-S",
            "lr=1e-2",
        )
    )
    assert ran == {
        "check",
        "report",
        *(
            f"{stage}@{section}"
            for stage in ("train", "package", "evaluate")
            for section in sections
        ),
    }


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (["stages/train.py", "toys"], "error: section toys: not listed; params.yaml lists toy"),
        (
            ["stages/search.py", "toy"],
            r"error: data/prepared/toy/train\.safetensors: not found; `dvc repro` makes it",
        ),
    ],
)
def test_a_stage_ends_with_one_line_and_status_2(environment, tmp_path, command, line) -> None:
    directory = checkout(tmp_path)
    done = subprocess.run(
        [sys.executable, *command],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert re.match(line, done.stderr) and done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_made_ends_a_stage_with_one_line(environment, tmp_path) -> None:
    directory = checkout(tmp_path)
    (directory / "data" / "raw").write_text("no folder")
    done = subprocess.run(
        [sys.executable, "stages/acquire.py", "toy"],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "error: [Errno 20] Not a directory: 'data/raw/toy/toy.safetensors'\n"
