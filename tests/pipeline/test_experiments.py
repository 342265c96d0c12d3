"""Experiments of DVC on a finished run.

One section, one more section, a queue, a comparison, a remote.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from tests.checkouts import SECTIONS, contents, edit_params, run, stages_run

STAGES = ("acquire", "prepare", "search", "train", "rivals", "package", "evaluate")


@pytest.fixture
def study(finished: Path, environment, tmp_path) -> Path:
    """A copy of the finished run, its results committed."""
    directory = shutil.copytree(finished, tmp_path / "study")
    commit(directory)
    return directory


def commit(directory: Path) -> None:
    subprocess.run(["git", "add", "--all"], cwd=directory, check=True)
    subprocess.run(["git", "commit", "--quiet", "--message", "results"], cwd=directory, check=True)


def list_sections(directory: Path, *names: str) -> None:
    edit_params(directory / "params.yaml", {"sections": list(names)})


def test_a_run_of_one_section_leaves_the_others_results_alone(study: Path, environment) -> None:
    before = contents(study)
    output = run(
        study,
        environment,
        "dvc",
        "exp",
        "run",
        "--temp",
        "--name",
        "one",
        "-S",
        "sections=[toy]",
        "-S",
        "toy.lr=1e-3",
    )
    assert stages_run(output) == {"check", "train@toy", "package@toy", "evaluate@toy", "report"}
    assert contents(study) == before
    run(study, environment, "dvc", "exp", "apply", "one")
    after = contents(study)
    assert before["metrics/toy/test.json"] != after["metrics/toy/test.json"]
    others = {
        name: content
        for name, content in before.items()
        if "/toy/" not in name and not name.startswith(("report/", "dvc.lock"))
    }
    assert any(name.startswith("runs/snp_forecast/") for name in others)
    assert others.items() <= after.items()


def test_what_a_section_left_behind_can_be_deleted(study: Path, environment) -> None:
    list_sections(study, "toy")
    for section in {path.name for path in (study / "metrics").iterdir()} - {"toy"}:
        shutil.rmtree(study / "metrics" / section)
        shutil.rmtree(study / "plots" / section)
    assert stages_run(run(study, environment, "dvc", "repro")) == {"check", "report"}
    assert set(
        re.findall(r'<section id="(\w+)" class="study"', (study / "report/index.html").read_text())
    ) == {"toy"}


def test_a_section_added_in_params_alone_runs_through_all_stages(study: Path, environment) -> None:
    path = study / "params.yaml"
    block = re.search(r"^toy:\n(?:[ #].*\n|\n)*", path.read_text(), flags=re.MULTILINE)
    assert block
    path.write_text(
        path.read_text()
        + "\n"
        + block[0].replace("toy:", "short_toy:", 1).replace("sequences: 10000", "sequences: 500", 1)
    )
    list_sections(study, *SECTIONS, "short_toy")
    assert stages_run(run(study, environment, "dvc", "repro")) == {
        "check",
        "report",
        *(f"{stage}@short_toy" for stage in STAGES),
    }
    assert '<section id="short_toy" class="study"' in (study / "report/index.html").read_text()
    assert "metrics/short_toy/test.json" in run(study, environment, "dvc", "metrics", "show")
    assert "plots/short_toy/reconstructions.png" in run(
        study, environment, "dvc", "plots", "show", "--json"
    )
    assert not stages_run(run(study, environment, "dvc", "repro"))


@pytest.fixture(scope="module")
def grid(finished: Path, environment, tmp_path_factory) -> Path:
    """The recipe of docs/experiments.md with two rates and one seed.

    The code is edited between queue and run.
    """
    directory = shutil.copytree(finished, tmp_path_factory.mktemp("grid") / "study")
    commit(directory)
    pinned = ("toy.search.trials=0", "toy.hidden_size=48", "toy.layers=1", "toy.gradient_clip=1.0")
    overrides = (
        part for value in ("toy.lr=1e-3,3e-3", "training_seed=0", *pinned) for part in ("-S", value)
    )
    queued = run(
        directory,
        environment,
        "dvc",
        "exp",
        "run",
        "--queue",
        "--name",
        "grid",
        *overrides,
        "evaluate@toy",
    )
    assert queued.count("Queued experiment") == 2
    (directory / "src/lstm_ae/training.py").write_text(
        "raise RuntimeError('edited after it was queued')\n"
    )
    run(directory, environment, "dvc", "exp", "run", "--run-all")
    return directory


def test_a_grid_runs_the_code_that_was_queued_and_makes_a_table(grid: Path, environment) -> None:
    (grid / "table.csv").write_text(
        run(grid, environment, "dvc", "exp", "show", "--csv", "--only-changed")
    )
    table = pd.read_csv(grid / "table.csv", index_col="Experiment").loc[["grid-1", "grid-2"]]
    assert sorted(table["toy.lr"].astype(float)) == [0.001, 0.003]
    assert table["metrics/toy/test.json:mse"].astype(float).nunique() == 2


def test_a_comparison_opens_without_a_network_and_shows_the_same_figures_on_both_sides(
    grid: Path, environment
) -> None:
    run(grid, environment, "python", "tools/plots_page.py", ".dvc/plots.html")
    run(grid, environment, "dvc", "config", "--local", "plots.html_template", "plots.html")
    run(grid, environment, "dvc", "plots", "diff", "grid-1", "grid-2")
    assert "https://cdn" not in (grid / "dvc_plots/index.html").read_text()
    images = [path.name.split("_", 1) for path in (grid / "dvc_plots/static").iterdir()]
    first, second = (
        {name for revision, name in images if revision == side} for side in ("grid-1", "grid-2")
    )
    assert first == second and "plots_toy_reconstructions.png" in first


def test_no_cell_of_the_curves_is_empty_which_dvc_draws_as_zero(finished: Path) -> None:
    for path in (finished / "metrics").glob("*/curves.csv"):
        if path.parent.name in SECTIONS:
            assert "" not in pd.read_csv(path, dtype=str, keep_default_na=False).to_numpy(), path


def test_results_come_back_from_a_remote(study: Path, environment, tmp_path) -> None:
    run(
        study, environment, "dvc", "remote", "add", "--default", "results", str(tmp_path / "remote")
    )
    commit(study)
    run(study, environment, "dvc", "push")
    elsewhere = tmp_path / "elsewhere"
    run(tmp_path, environment, "git", "clone", "--quiet", str(study), str(elsewhere))
    run(elsewhere, environment, "dvc", "pull")
    assert not stages_run(run(elsewhere, environment, "dvc", "repro"))
    assert contents(elsewhere) == contents(study)
