"""Files whose SHA-256 is known: in the user cache, on mirrors, at public URLs."""

import gzip
import hashlib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lstm_ae.core import paths
from lstm_ae.core.errors import InputError
from lstm_ae.core.files import write_bytes
from lstm_ae.data.download import download

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RawFile:
    """One file of a public data set.

    Parameters
    ----------
    size
        In bytes.
    sha256
        Of these bytes.
    urls
        The addresses that serve the file, in the order they are tried.
    unpacked_sha256
        Of the content, where the file is a gzip.
    """

    name: str
    size: int
    sha256: str
    urls: tuple[str, ...]
    unpacked_sha256: str | None = None


def sha256(content: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def cached(name: str, checksum: str, *makers: Callable[[], bytes]) -> Path:
    """The file of that checksum in the user cache, made by the first maker that can.

    Raises
    ------
    InputError
        No maker gives these bytes; what is wrong with each.
    """
    path = paths.cache() / "downloads" / checksum[:16] / name
    if path.is_file():
        if sha256(path.read_bytes()) == checksum:
            return path
        log.warning("%s: wrong SHA-256 in the cache, fetching it again", path)
    problems = []
    for maker in makers:
        try:
            content = maker()
        except InputError as error:
            problems.append(str(error))
            continue
        if sha256(content) == checksum:
            write_bytes(path, content)
            return path
        problems.append(f"found SHA-256 {sha256(content)} in place of {checksum}")
    raise InputError(
        f"{name}: no source has it: {'; '.join(problems)}; LSTM_AE_MIRROR may name a folder that "
        "holds the file"
    )


def original(file: RawFile) -> bytes:
    """The checked bytes of a public file: from the mirrors, then from the URLs.

    The environment variable LSTM_AE_MIRROR names the folders of mirrors.

    Raises
    ------
    InputError
        None of them has the file; what is wrong with each.
    """
    readers: dict[str, Callable[[], bytes]] = {}
    for directory in os.environ.get("LSTM_AE_MIRROR", "").split(os.pathsep):
        if directory:
            path = Path(directory) / file.name
            readers[str(path)] = path.read_bytes
    for url in file.urls:
        readers[url] = partial(download, url, file.size)
    problems = []
    for place, read in readers.items():
        try:
            content = read()
        except (InputError, OSError) as error:
            problems.append(str(error))
            continue
        if sha256(content) == file.sha256:
            log.info("%s: from %s", file.name, place)
            return content
        problems.append(f"{place}: wrong SHA-256")
    raise InputError(f"{file.name}: {'; '.join(problems)}")


def unpacked(file: RawFile) -> bytes:
    """The content of a public file that is a gzip."""
    return gzip.decompress(original(file))
