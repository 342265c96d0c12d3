"""What `make verify` says of two runs, and whether emulated processors come to the same bytes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.conftest import ROOT
from tools.verify import QEMU, STAGES, Run, compare, distance, locked_outputs

LOCK = """
stages:
  train@toy:
    cmd: python stages/train.py toy
    outs:
    - path: runs/toy/weights
      md5: {digest}
"""


def run_of(folder: Path, number: float, digest: str) -> Run:
    """A run whose training wrote one number; the other stages wrote nothing."""
    weights = folder / "runs" / "toy" / "weights"
    weights.mkdir(parents=True)
    save_file({"weight": np.array([1.0, number])}, weights / "weights.safetensors")
    outputs: dict[str, dict[str, str]] = {f"{stage}@toy": {} for stage in STAGES}
    return Run(folder, outputs | locked_outputs(LOCK.format(digest=digest)))


def test_equal_hashes_are_equal(tmp_path, capsys) -> None:
    wanted = run_of(tmp_path / "one", 1.0, "a.dir")
    found = run_of(tmp_path / "other", 1.0, "a.dir")
    assert compare(wanted, found, ["toy"])
    assert "train equal" in capsys.readouterr().out


def test_what_differs_is_named_with_how_far_it_is_apart(tmp_path, capsys) -> None:
    wanted = run_of(tmp_path / "one", 1.0, "a.dir")
    found = run_of(tmp_path / "other", 1.5, "b.dir")
    assert not compare(wanted, found, ["toy"])
    said = capsys.readouterr().out
    assert "train weights.safetensors differs by 5.0e-01" in said
    assert "prepare equal" in said


@pytest.mark.parametrize(
    ("name", "one", "other", "said"),
    [
        ("a.csv", "x,y\n1,a\n3,b\n", "x,y\n1,a\n3.3,b\n", "a.csv differs by 1.3e-01"),
        ("a.tsv", "x\ty\n1\t2\n", "x\ty\n1\t2\n3\t4\n", "a.tsv differs"),
        ("a.json", '{"x": {"y": 2}}', '{"x": {"y": 3}}', "a.json differs by 5.0e-01"),
        ("a.png", "one", "other", "a.png differs"),
    ],
)
def test_tables_and_json_are_told_in_numbers(tmp_path, name, one, other, said) -> None:
    for folder, text in (("one", one), ("other", other)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text)
    assert distance(tmp_path / "one", tmp_path / "other") == said


@pytest.mark.long
@pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"{QEMU} is not installed")
@pytest.mark.parametrize("processor", ["Haswell", "EPYC", "Skylake-Client"])
def test_emulated_processors_come_to_the_same_bytes(processor) -> None:
    subprocess.run(
        [sys.executable, "-m", "tools.verify", "toy", "snp", "--emulate", processor],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "src"},
        check=True,
    )
