"""Unfinished work in the user cache: what a killed stage goes on from."""

import hashlib
import json
import logging
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lstm_ae.core import paths, processor
from lstm_ae.core.errors import InputError
from lstm_ae.core.files import write_text

log = logging.getLogger(__name__)

LIBRARIES = ("lightning-fabric", "llvmlite", "numba", "numpy", "optuna", "torch")


@contextmanager
def scratch(
    name: str,
    settings: Mapping[str, Any],
    inputs: Iterable[Path],
) -> Iterator[Path]:
    """Give a directory for unfinished work, locked.

    It goes when the block ends well and stays otherwise. There is one for each `digest`, in the
    user cache: the same work finds what a killed run of it left, in a temporary workspace too, and
    no other work does. A second process with the same work waits until the first has ended.

    Parameters
    ----------
    name
        Of the work, for people.
    settings
        Everything but the inputs that decides the result; it must be JSON.
    inputs
        Files that decide the result.
    """
    directory = paths.cache() / "scratch" / f"{name}-{digest(settings, inputs)}"
    directory.parent.mkdir(parents=True, exist_ok=True)
    holder = directory / "pid"
    lock = FileLock(f"{directory}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.warning(
            "%s: process %s does the same work; waiting for it to end (%s.lock)",
            name,
            holder.read_text() if holder.is_file() else "unknown",
            directory,
        )
        lock.acquire()
    try:
        write_text(holder, str(os.getpid()))
        yield directory
        _remove(directory)
    finally:
        lock.release()


def digest(settings: Mapping[str, Any], inputs: Iterable[Path]) -> str:
    """A short name of work: a hash of everything that decides its result.

    That is its settings, the bytes of its inputs, the script and the project's modules that this
    process runs, and the versions of the libraries that compute.

    Raises
    ------
    InputError
        An input is missing.
    """
    numbers = json.dumps([settings, versions(), processor.is_native()], sort_keys=True)
    whole = hashlib.sha256(numbers.encode())
    for path in [*inputs, *_running_code()]:
        try:
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
        except FileNotFoundError as error:
            raise InputError(f"{path}: not found; `dvc repro` makes it") from error
    return whole.hexdigest()[:16]


def versions() -> dict[str, str]:
    """The versions of the libraries that compute."""
    return {name: version(name) for name in LIBRARIES}


def _running_code() -> list[Path]:
    """The files of the script and of the project's modules that this process has loaded."""
    files = []
    for name, module in sys.modules.items():
        if name == "__main__" or name.startswith("lstm_ae."):
            file = getattr(module, "__file__", None)
            if file:
                files.append(file)
    return [Path(file) for file in sorted(files)]


def _remove(directory: Path) -> None:
    """Remove a directory at once: half of it would be taken for unfinished work."""
    done = directory.with_name(f"{directory.name}.done")
    shutil.rmtree(done, ignore_errors=True)
    directory.rename(done)
    shutil.rmtree(done)
