"""dvc.yaml against the code and the sections, without running anything."""

import ast
import shutil
import subprocess
from pathlib import Path

import pytest
from dvc.utils.serialize import modify_yaml

from lstm_ae.core.yaml import load_yaml

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = load_yaml(ROOT / "dvc.yaml")
SECTIONS = load_yaml(ROOT / "params.yaml")["sections"]
CURVES = [plot for named in PIPELINE["plots"] for plot in named.values()]


def imported(path: Path) -> set[Path]:
    """The project's modules that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    places = [
        ROOT / "src" / Path(*name.split(".")) for name in names if name.startswith("lstm_ae.")
    ]
    modules = {place.with_suffix(".py") for place in places}
    packages = {place / "__init__.py" for place in places}
    return {path for path in modules | packages if path.is_file()}


def transitive(path: Path) -> set[Path]:
    found, waiting = set(), [path]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting += imported(current)
    return found


def room(path: Path) -> str:
    """The folder of src/lstm_ae that a module lies in, or the module itself."""
    inside = path.relative_to(ROOT / "src/lstm_ae")
    return str(Path("src/lstm_ae", inside.parts[0]))


@pytest.mark.parametrize("stage", PIPELINE["stages"])
def test_a_stage_depends_on_exactly_the_rooms_it_imports_from(stage: str) -> None:
    declared = {dep for dep in PIPELINE["stages"][stage]["deps"] if dep.startswith("src/")}
    modules = transitive(ROOT / "stages" / f"{stage}.py") - {ROOT / "stages" / f"{stage}.py"}
    wanted = {room(path) for path in modules}
    if stage != "check":  # what params delivers to the others is tracked as params
        wanted.discard("src/lstm_ae/params")
    assert declared == wanted


@pytest.mark.parametrize("stage", ["search", "train"])
def test_search_and_train_are_given_the_splits_of_training_and_validation_alone(stage: str) -> None:
    data = {dep for dep in PIPELINE["stages"][stage]["deps"] if dep.startswith("data/")}
    folder = "data/prepared/${item.section}"
    assert data == {
        f"{folder}/{name}"
        for name in ("description.json", "train.safetensors", "validation.safetensors")
    }


@pytest.mark.parametrize("stage", ["search", "train", "package"])
def test_a_stage_tracks_the_defaults_of_the_blocks_that_it_tracks(stage: str) -> None:
    params = PIPELINE["stages"][stage]["params"]
    for block in ("model", "training"):
        assert f"${{item.section}}.{block}" in params and f"defaults.{block}" in params
    tracks_concurrency = "defaults.search.concurrency" in params
    assert tracks_concurrency == ("${item.section}.search" in params)


def test_no_stage_tracks_where_the_trials_are_kept() -> None:
    for stage in PIPELINE["stages"].values():
        assert not {"defaults", "defaults.search", "defaults.search.storage"} & {
            *stage.get("params", [])
        }


@pytest.mark.parametrize("name", ["dvc.yaml", "params.yaml"])
def test_a_file_is_laid_out_as_dvc_writes_it(tmp_path, name: str) -> None:
    shutil.copy(ROOT / name, tmp_path)
    with modify_yaml(tmp_path / name):
        pass
    assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_has_its_model_and_its_curves(section: str) -> None:
    assert {"path": f"models/{section}", "type": "model"} in PIPELINE["artifacts"].values()
    assert any(f"metrics/{section}/curves.csv" in plot["y"] for plot in CURVES)


def test_no_plot_has_more_than_four_curves_over_two_revisions_and_every_axis_has_a_name() -> None:
    assert CURVES
    for plot in CURVES:
        assert sum(len(columns) for columns in plot["y"].values()) <= 2
        assert plot["x"] and plot["y_label"] and plot["title"]


def test_check_comes_first() -> None:
    assert next(iter(PIPELINE["stages"])) == "check"


def test_git_ignores_what_dvc_caches_and_keeps_what_it_does_not() -> None:
    for section in SECTIONS:
        cached = (
            f"data/raw/{section}",
            f"data/prepared/{section}",
            f"models/{section}",
            f"runs/{section}/weights",
            f"runs/{section}/search",
            f"runs/{section}/training",
        )
        kept = (
            f"metrics/{section}/test.json",
            f"metrics/{section}/curves.csv",
            f"plots/{section}/loss.png",
        )
        for path, ignored in [
            *((path + "/x", True) for path in cached),
            *((path, False) for path in kept),
        ]:
            done = subprocess.run(
                ["git", "check-ignore", "-q", "--no-index", path], cwd=ROOT, check=False
            )
            assert (done.returncode == 0) == ignored, path
