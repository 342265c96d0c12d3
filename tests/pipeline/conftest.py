"""One finished run that the tests of the pipeline share."""

from pathlib import Path

import pytest

from tests.checkouts import SECTIONS, checkout, run, stages_run


@pytest.fixture(scope="session")
def finished(tmp_path_factory, environment) -> Path:
    """A checkout after `dvc repro`. A test that changes it works in a copy."""
    directory = checkout(tmp_path_factory.mktemp("first"))
    pipeline = (directory / "dvc.yaml").read_bytes()
    ran = stages_run(run(directory, environment, "dvc", "repro"))
    assert {f"train@{section}" for section in SECTIONS} <= ran
    assert (directory / "dvc.yaml").read_bytes() == pipeline, "a run rewrote dvc.yaml"
    return directory
