"""Whether this machine, or an emulated processor, comes to the same bytes.

Runs sections of the committed study in a copy, with nothing computed before, and says stage by
stage what is equal and how far apart the numbers are where it is not.

PYTHONPATH=src python -m tools.verify toy snp
PYTHONPATH=src python -m tools.verify toy snp --emulate Haswell --emulate EPYC
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from dvc.utils.serialize import load_json, modify_yaml, parse_yaml
from numpy.typing import NDArray
from safetensors.numpy import load_file

from lstm_ae.core.errors import InputError
from lstm_ae.core.paths import PARAMS
from lstm_ae.params import load_params

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("acquire", "prepare", "search", "train", "package", "evaluate")
QEMU = "qemu-x86_64"

# Python under an emulated processor. Workers of a search are started by this script too.
EMULATED_PYTHON = """#!/bin/sh
case "$1" in
  -*) exec {qemu} -cpu {processor} {python} "$@" ;;
  *) exec {qemu} -cpu {processor} {python} {launcher} "$@" ;;
esac
"""
LAUNCHER = """import multiprocessing, runpy, sys
multiprocessing.set_executable({python!r})
sys.argv = sys.argv[1:]
sys.path[0] = "stages"
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@dataclass(frozen=True)
class Run:
    """A copy of the project in which sections were run.

    Parameters
    ----------
    folder
        Of the copy.
    outputs
        The hash of each output of each stage, by the stage and the output's path.
    """

    folder: Path
    outputs: dict[str, dict[str, str]]


def verify_committed(sections: Sequence[str], workplace: Path) -> bool:
    """Run sections and compare them with the committed dvc.lock."""
    committed = Run(ROOT, locked_outputs(git_show("dvc.lock")))
    copy = copy_of_project(workplace / "copy")
    return compare(committed, run(copy, sections, os.environ), sections)


def verify_emulated(
    sections: Sequence[str],
    processors: Sequence[str],
    workplace: Path,
) -> bool:
    """Run sections at the smoke budget here and on emulated processors, and compare them."""
    qemu = shutil.which(QEMU)
    if qemu is None:
        raise InputError(f"{QEMU}: not found; install qemu-user, or leave --emulate out")
    native = run(smoke_copy(workplace / "native", sections), sections, os.environ)
    all_equal = True
    for processor in processors:
        programs = emulated_python(qemu, processor, workplace / f"{processor}-programs")
        environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
        copy = smoke_copy(workplace / processor, sections)
        emulated = run(copy, sections, environment)
        print(f"{processor}, emulated:")
        all_equal &= compare(native, emulated, sections)
    return all_equal


def copy_of_project(folder: Path) -> Path:
    """The committed files in a repository of their own, with an empty cache."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


def smoke_copy(folder: Path, sections: Sequence[str]) -> Path:
    """A copy with some sections, at the smoke budget."""
    copy_of_project(folder)
    with modify_yaml(folder / "params.yaml") as params:
        params["sections"] = list(sections)
        params["budget"] = "smoke"
    return folder


def emulated_python(qemu: str, processor: str, folder: Path) -> Path:
    """A folder for the PATH whose `python` runs under an emulated processor."""
    folder.mkdir()
    python = folder / "python"
    launcher = folder / "launcher.py"
    launcher.write_text(LAUNCHER.format(python=str(python)))
    python.write_text(
        EMULATED_PYTHON.format(
            qemu=qemu,
            processor=processor,
            python=sys.executable,
            launcher=launcher,
        )
    )
    python.chmod(0o755)
    return folder


def run(
    folder: Path,
    sections: Sequence[str],
    environment: Mapping[str, str],
) -> Run:
    """Run sections in a copy, up to their evaluation."""
    cache = folder.with_name(f"{folder.name}-cache")
    subprocess.run(
        ["dvc", "repro", "--quiet", *(f"evaluate@{name}" for name in sections)],
        cwd=folder,
        env={**environment, "LSTM_AE_CACHE": str(cache)},
        check=True,
    )
    return Run(folder, locked_outputs((folder / "dvc.lock").read_text(encoding="utf-8")))


def locked_outputs(lock: str) -> dict[str, dict[str, str]]:
    """The hash of each output of each stage in the text of a dvc.lock."""
    stages = parse_yaml(lock, "dvc.lock")["stages"]
    return {
        name: {out["path"]: out["md5"] for out in stage.get("outs", [])}
        for name, stage in stages.items()
    }


def compare(wanted: Run, found: Run, sections: Sequence[str]) -> bool:
    """Print stage by stage what is equal and how far the rest is apart; whether all is equal."""
    all_equal = True
    for section in sections:
        words = []
        for stage in STAGES:
            name = f"{stage}@{section}"
            different = [
                path
                for path, digest in found.outputs[name].items()
                if wanted.outputs.get(name, {}).get(path) != digest
            ]
            distances = [distance(wanted.folder / path, found.folder / path) for path in different]
            words.append(f"{stage} {', '.join(distances) or 'equal'}")
            all_equal &= not different
        print(f"  {section}: {'; '.join(words)}", flush=True)
    return all_equal


def distance(wanted: Path, found: Path) -> str:
    """What differs under two paths, and by how much where it is numbers."""
    files = [found] if found.is_file() else sorted(found.rglob("*"))
    said = []
    for path in files:
        other = wanted / path.relative_to(found)
        if path.is_dir() or (other.is_file() and path.read_bytes() == other.read_bytes()):
            continue
        if not other.is_file():
            said.append(f"{path.name} is not here to compare")
            continue
        apart = largest_difference(other, path)
        said.append(f"{path.name} differs" + (f" by {apart:.1e}" if apart is not None else ""))
    return " and ".join(said) or "differs"


def largest_difference(wanted: Path, found: Path) -> float | None:
    """The largest difference of two files of numbers, relative to the numbers of one column.

    None where they hold no numbers or not equally many.
    """
    one, other = dict(numbers_of(wanted)), dict(numbers_of(found))
    largest = None
    for name in one.keys() & other.keys():
        left, right = one[name], other[name]
        if left.shape != right.shape or not left.size:
            return None
        size = float(np.sqrt(np.mean(np.square(left)))) or 1.0
        apart = float(np.max(np.abs(left - right))) / size
        largest = max(apart, largest or 0.0)
    return largest


def numbers_of(path: Path) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """The numbers of a file by name: of a table by column, of JSON by key, of tensors by name."""
    if path.suffix == ".safetensors":
        for name, array in load_file(path).items():
            yield name, array.astype(np.float64)
    elif path.suffix in (".csv", ".tsv"):
        table = pd.read_csv(path, sep="\t" if path.suffix == ".tsv" else ",")
        for column in table.select_dtypes("number"):
            yield str(column), table[column].to_numpy(np.float64)
    elif path.suffix == ".json":
        for key, value in pd.json_normalize(load_json(str(path))).iloc[0].items():
            if isinstance(value, int | float):
                yield str(key), np.array([value], np.float64)


def git_show(name: str) -> str:
    """The text of a committed file."""
    return subprocess.run(
        ["git", "show", f"HEAD:{name}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sections", nargs="*", help="names under sections in params.yaml; else all")
    parser.add_argument(
        "--emulate",
        action="append",
        default=[],
        metavar="PROCESSOR",
        help="a processor that qemu knows: compare it with this one, at the smoke budget",
    )
    arguments = parser.parse_args()
    sections = arguments.sections or load_params(ROOT / PARAMS).sections
    with tempfile.TemporaryDirectory(prefix="lstm-ae-verify-") as folder:
        try:
            if arguments.emulate:
                all_equal = verify_emulated(sections, arguments.emulate, Path(folder))
            else:
                all_equal = verify_committed(sections, Path(folder))
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)
    sys.exit(0 if all_equal else 1)


if __name__ == "__main__":
    main()
