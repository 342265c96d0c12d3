"""A kind of data set that a person adds: a typed block, a module and a study, one file each."""

import copy
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lstm_ae.core.yaml import load_yaml, write_yaml

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("acquire", "prepare", "search", "train", "rivals", "package", "evaluate")

BLOCK = """
class SineData(DataBlock):
    dataset: Literal["sine"]
    sequences: Count
    length: Count
    cycles: float
    split: Fractions


Data = """
MODULE = '''"""The kind `sine`: sine waves of random phase."""

import numpy as np

from lstm_ae.core.splits import Description, Split
from lstm_ae.data.prepared import PARTS, Prepared, part_sizes
from lstm_ae.data.raw import RawData
from lstm_ae.params.data import SineData
from lstm_ae.units.layout import Layout


def acquire(data: SineData, raw: RawData) -> str:
    """Draw the phases."""
    raw.directory.mkdir(parents=True, exist_ok=True)
    np.save(raw.directory / "phases.npy", np.random.default_rng(raw.seed).random(data.sequences))
    return "computed"


def prepare(data: SineData, raw: RawData) -> Prepared:
    """Waves in the order of their phases' draw."""
    phases = np.load(raw.directory / "phases.npy")
    angles = 2 * np.pi * (data.cycles * np.arange(data.length) / data.length + phases[:, None])
    waves = np.sin(angles).astype(np.float32)[:, :, None]
    train, validation, _ = part_sizes(data.split, len(waves))
    parts = np.split(waves, [train, train + validation])
    splits = {name: Split(part) for name, part in zip(PARTS, parts, strict=True)}
    description = Description(data_source=raw.data_source, unit_interval=False)
    return Prepared(splits, description, Layout.of_sequences(data.length, features=1))
'''
STUDY = '''"""The study of sine waves."""

import numpy as np

from lstm_ae.evaluation.explorer import View
from lstm_ae.evaluation.studies.case import Case, Findings


def study(case: Case) -> Findings:
    """The amplitude of the reconstructions."""
    amplitude = float(np.abs(case.answers.reconstruction).max())
    return Findings({"amplitude": amplitude}, {"loss": case.loss_figure()})


def view(case: Case) -> View:
    """How a person reads a wave."""
    return View(case.package.layout.variables, "volts", lambda row: f"wave {row}")
'''
DATA = {
    "dataset": "sine",
    "sequences": 200,
    "length": 16,
    "cycles": 2.0,
    "split": {"train": 0.6, "validation": 0.2, "test": 0.2},
}


@pytest.fixture
def project(tmp_path) -> Path:
    """A copy of the project whose params declare the kind and a section of it."""
    for name in ("src", "stages"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    edit(
        tmp_path / "src/lstm_ae/params/data.py",
        {"\nData = ": BLOCK, "| TableData,": "| TableData | SineData,"},
    )
    params = load_yaml(ROOT / "params.yaml")
    section = copy.deepcopy(params["toy"])
    section["data"] = DATA
    section["model"]["code_size"] = 4
    section["search"]["space"]["hidden_size"] = {"low": 4, "high": 6}
    changes = {"sections": ["sine"], "budget": "smoke", "device": "cpu", "threads": 1}
    write_yaml(tmp_path / "params.yaml", params | changes | {"sine": section})
    return tmp_path


def edit(path: Path, changes: dict[str, str]) -> None:
    """Replace each text, which stands once in the file."""
    text = path.read_text()
    for old, new in changes.items():
        assert text.count(old) == 1, (path, old)
        text = text.replace(old, new)
    path.write_text(text)


def register(directory: Path) -> None:
    """Write the kind's module and its study, and register both."""
    data, studies = directory / "src/lstm_ae/data", directory / "src/lstm_ae/evaluation/studies"
    (data / "sine.py").write_text(MODULE)
    edit(
        data / "registry.py",
        {
            "from lstm_ae.data import mnist,": "from lstm_ae.data import mnist, sine,",
            "KINDS = {\n": 'KINDS = {\n    "sine": Kind(sine.acquire, sine.prepare),\n',
        },
    )
    (studies / "sine.py").write_text(STUDY)
    edit(
        studies / "__init__.py",
        {
            "studies import mnist,": "studies import mnist, sine,",
            "STUDIES = {\n": 'STUDIES = {\n    "sine": Study(sine.study, sine.view),\n',
        },
    )


def run_stage(
    directory: Path, environment: dict[str, str], stage: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, f"stages/{stage}.py", "sine"],
        cwd=directory,
        env={**environment, "LSTM_AE_CACHE": str(directory / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_kind_of_one_block_one_module_and_one_study_runs_from_acquire_to_evaluate(
    project, environment
) -> None:
    register(project)
    for stage in STAGES:
        done = run_stage(project, environment, stage)
        assert done.returncode == 0, (stage, done.stderr)
    metrics = json.loads((project / "metrics/sine/test.json").read_text())
    assert {"mse", "pca_mse", "mean_mse", "code_size", "amplitude"} <= metrics.keys()
    about = json.loads((project / "models/sine/about.json").read_text())
    assert about["data_source"] == "computed" and about["data"] == DATA
    explorer = json.loads((project / "runs/sine/explorer.json").read_text())
    assert "volts" in json.dumps(explorer) and "wave 0" in json.dumps(explorer)
    assert sorted(path.name for path in (project / "plots/sine").iterdir()) == [
        "error_by_bits.png",
        "loss.png",
        "search.png",
    ]


def test_a_kind_that_is_declared_and_not_registered_ends_acquire_with_one_line(
    project, environment
) -> None:
    done = run_stage(project, environment, "acquire")
    assert done.returncode == 2
    assert done.stderr.startswith("error: dataset sine: no module of lstm_ae.data is registered")
    assert done.stderr.count("\n") == 1
    assert not (project / "data").exists()
