"""What the tests of both searches share, and which of them are slow."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lstm_ae.core import paths
from lstm_ae.search.trial import Task
from tests.search.projects import prepare, write_params

# A whole search, or a database server.
SLOW_FIXTURES = {"study", "project", "postgresql"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        is_here = Path(__file__).parent in item.path.parents
        if is_here and SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def task(params, tmp_path_factory) -> Task:
    prepared = prepare(tmp_path_factory.mktemp("prepared"))
    return Task(
        "toy",
        params.section("toy"),
        prepared,
        trials=10,
        epochs=3,
        seed=0,
        training_seed=0,
        device="cpu",
        precision="32-true",
    )


@pytest.fixture
def project(tmp_path) -> Path:
    """A folder in which stages/search.py finds params.yaml and prepared data."""
    prepare(tmp_path / paths.prepared("toy"))
    write_params(tmp_path, trials=6, epochs=20)
    return tmp_path


@pytest.fixture
def postgresql(tmp_path_factory) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of this test's own."""
    folders = [Path(found).parent for found in [shutil.which("pg_ctl")] if found] + sorted(
        Path("/usr/lib/postgresql").glob("*/bin")
    )
    tools = next((folder for folder in folders if (folder / "pg_ctl").is_file()), None)
    if tools is None:
        pytest.skip("no PostgreSQL server is installed")
    user: dict[str, Any] = {}
    folder = Path(tempfile.mkdtemp(prefix="lstm-ae-postgresql-"))
    if os.geteuid() == 0:  # the server refuses to run as root
        user = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
        shutil.chown(folder, "nobody")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def call(tool: str, *arguments: str) -> None:
        with (folder / "log").open("a") as output:
            done = subprocess.run(
                [tools / tool, "-D", folder / "data", *arguments],
                cwd=folder,
                stdout=output,
                stderr=output,
                check=False,
                **user,
            )
        assert done.returncode == 0, (folder / "log").read_text()

    call("initdb", "-U", "search", "--auth", "trust", "--no-sync")
    call("pg_ctl", "start", "--wait", "-o", f"-h 127.0.0.1 -p {port} -k {folder} -F")
    yield f"postgresql+psycopg://search@127.0.0.1:{port}/postgres"
    call("pg_ctl", "stop", "--mode", "immediate")
    shutil.rmtree(folder)
