"""README.md and the pages under docs/: what they name exists, and what they set can be set."""

import re
import shlex
import shutil
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from dvc.utils.hydra import apply_overrides, get_hydra_sweeps
from typer.core import TyperGroup
from typer.main import get_command

from lstm_ae.cli import app
from lstm_ae.params import load_params

ROOT = Path(__file__).resolve().parents[1]
PLACES = ("README.md", "CONTRIBUTING.md", "docs/*.md", "data/tables/*.md")
PAGES = [page for place in PLACES for page in sorted(ROOT.glob(place))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`")
FILE = re.compile(r"\b(?:benchmarks|docs|src|stages|tests|tools)/[\w./]*\w")
PLACEHOLDER = re.compile(r"\b[A-Z]+\b")
MODULE = re.compile(r"python -m ((?:benchmarks|lstm_ae|tools)[\w.]*)")
DRAWN_NODE = re.compile(r"(\w+)\[")


def anchor(heading: str) -> str:
    """Name that GitHub gives to a heading, for links within a page."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def anchors(page: Path) -> set[str]:
    prose = FENCE.sub("", page.read_text())
    return {anchor(heading) for heading in re.findall(r"^#+ (.*)$", prose, re.MULTILINE)}


@cache
def code(page: Path) -> tuple[str, ...]:
    """Lines of the code blocks of a page, and the code within its sentences."""
    text = page.read_text()
    blocks = "\n".join(FENCE.findall(text)).replace("\\\n", " ")
    sentences = FENCE.sub("", text)
    return (*blocks.splitlines(), *SPAN.findall(sentences))


def commands(page: Path, program: str) -> list[list[str]]:
    """The words after the name of a program in each line that begins with it."""
    pattern = re.compile(rf"(?:\$ )?{program} (.*)")
    matches = filter(None, map(pattern.fullmatch, code(page)))
    return [shlex.split(match[1], comments=True) for match in matches]


def overrides(words: list[str]) -> list[str]:
    """The values that `-S` sets in a command of DVC."""
    pairs = pairwise(words)
    return [value for option, value in pairs if option == "-S"]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


SETTINGS = [
    pytest.param(values, id=" ".join(values))
    for page in PAGES
    for values in map(overrides, commands(page, "dvc"))
    if values
]
COMMANDS = [
    pytest.param(words, id=" ".join(words))
    for page in PAGES
    for words in commands(page, "lstm-ae")
    if words
]
TARGETS = sorted({words[0] for page in PAGES for words in commands(page, "make")})


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_relative_link_leads_to_a_file_and_its_heading(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if link.startswith(("http://", "https://")):
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), f"{name_of(page)} links to {link}"
        assert not heading or heading in anchors(target), f"{name_of(page)} links to {link}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_file_of_the_project_that_a_page_names_exists(page: Path) -> None:
    for line in code(page):
        for path in FILE.findall(line):
            if PLACEHOLDER.search(Path(path).stem):
                continue
            assert (ROOT / path).exists(), f"{name_of(page)} names {path}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_module_that_a_page_runs_exists(page: Path) -> None:
    for line in code(page):
        for module in MODULE.findall(line):
            path = Path(*module.split("."))
            places = [ROOT / path.with_suffix(".py"), ROOT / "src" / path.with_suffix(".py")]
            assert any(place.exists() for place in places), f"{name_of(page)} runs {module}"


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_of_make_that_a_page_names_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_of_lstm_ae_has_the_options_that_a_page_gives_it(words: list[str]) -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    names = [word for word in words if not word.startswith("-")]
    options = [word for word in words if word.startswith("-")]
    parameters = list(group.params)
    if names:
        parameters += group.commands[names[0]].params
    declared = {option for parameter in parameters for option in parameter.opts}
    assert declared.union(["--help"]).issuperset(options)


@pytest.mark.parametrize("values", SETTINGS)
def test_what_a_page_sets_changes_params(values: list[str], tmp_path: Path) -> None:
    before = load_params(ROOT / "params.yaml")
    for sweep in get_hydra_sweeps({"params.yaml": values}):
        path = tmp_path / "params.yaml"
        shutil.copyfile(ROOT / "params.yaml", path)
        apply_overrides(path, sweep["params.yaml"])
        assert load_params(path) != before


def test_the_picture_of_the_pipeline_has_the_stages_of_dvc() -> None:
    picture = next(
        block for block in FENCE.findall((ROOT / "README.md").read_text()) if "-->" in block
    )
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    assert set(DRAWN_NODE.findall(picture)) == set(stages) - {"check"}
