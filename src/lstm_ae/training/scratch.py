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

from lstm_ae.core import paths
from lstm_ae.core.errors import InputError
from lstm_ae.core.files import write_text

log = logging.getLogger(__name__)

LIBRARIES = ("lightning-fabric", "numpy", "optuna", "torch")


@contextmanager
def scratch(name: str, settings: Mapping[str, Any], inputs: Iterable[Path]) -> Iterator[Path]:
    """Give a folder for unfinished work, locked; it goes when the block ends well and stays otherwise.

    There is one folder for each `digest`, in the user cache: the same work finds what a killed run of it left, in a temporary workspace
    too, and no other work does. A second process with the same work waits until the first has ended.

    Parameters
    ----------
    name
        Of the work, for people.
    settings
        Everything but the inputs that decides the result; it must be JSON.
    inputs
        Files that decide the result.
    """
    folder = paths.cache() / "scratch" / f"{name}-{digest(settings, inputs)}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock, holder = FileLock(f"{folder}.lock"), folder / "pid"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        holding = holder.read_text() if holder.is_file() else "unknown"
        log.warning(
            "%s: process %s does the same work; waiting for it to end (%s.lock)",
            name,
            holding,
            folder,
        )
        lock.acquire()
    try:
        write_text(holder, str(os.getpid()))
        yield folder
        done = folder.with_name(f"{folder.name}.done")
        shutil.rmtree(done, ignore_errors=True)
        folder.rename(done)  # at once: half a folder would be taken for unfinished work
        shutil.rmtree(done)
    finally:
        lock.release()


def digest(settings: Mapping[str, Any], inputs: Iterable[Path]) -> str:
    """A short name of work: of its settings, the bytes of its inputs, the script and the project's modules that this process runs, and
    the versions of the libraries that compute.

    Raises
    ------
    InputError
        An input is missing.
    """
    whole = hashlib.sha256(json.dumps([settings, versions()], sort_keys=True).encode())
    running = [
        module
        for name, module in sys.modules.items()
        if name == "__main__" or name.startswith("lstm_ae.")
    ]
    code = sorted(file for module in running if (file := getattr(module, "__file__", None)))
    for path in [*inputs, *map(Path, code)]:
        try:
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
        except FileNotFoundError as error:
            raise InputError(f"{path}: not found; `dvc repro` makes it") from error
    return whole.hexdigest()[:16]


def versions() -> dict[str, str]:
    """Of the libraries that compute."""
    return {name: version(name) for name in LIBRARIES}
