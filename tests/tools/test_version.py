"""The version stands once, and what repeats it agrees."""

import re
import tomllib

import yaml

import lstm_ae
from tests.conftest import ROOT


def test_the_project_takes_the_version_of_the_library() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "lstm_ae.__version__"}


def test_the_citation_and_the_changelog_have_it() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == lstm_ae.__version__
    newest = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest and newest[1] == lstm_ae.__version__
