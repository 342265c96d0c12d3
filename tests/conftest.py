"""What several tests share: the project's params, small data, one trained model."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from lstm_ae.core import paths
from lstm_ae.data.prices import FILE
from lstm_ae.params import Params, load_params
from tests.checkouts import edit_params
from tests.tables import shops

ROOT = Path(__file__).resolve().parent.parent
# Projects of tests have caches of their own, but compile nothing twice.
os.environ.setdefault("NUMBA_CACHE_DIR", str(paths.cache() / "kernels"))


@pytest.fixture(scope="session")
def params() -> Params:
    return load_params(ROOT / "params.yaml")


@pytest.fixture(autouse=True)
def seeded() -> None:
    """The same start of every test, whatever ran before it in this process."""
    torch.manual_seed(0)
    torch.set_flush_denormal(False)  # which `runtime.start` sets


@pytest.fixture
def changed_params(tmp_path: Path):
    """A copy of params.yaml with other values, by dotted key."""

    def change(changes: dict[str, object]) -> Path:
        path = tmp_path / "params.yaml"
        shutil.copy(ROOT / "params.yaml", path)
        edit_params(path, changes)
        return path

    return change


@pytest.fixture
def prices_csv(tmp_path: Path) -> Path:
    """Random walks of nine symbols over the days of the study, one with a day missing.

    The file has the name of the raw data, so that its folder is that of a section.
    """
    days = pd.bdate_range("2014-01-02", "2017-12-29").strftime("%Y-%m-%d")
    random = np.random.default_rng(0)
    frames = []
    for symbol in ("AMZN", "BBB", "CCC", "DISCA", "DISCK", "EEE", "FFF", "GOOGL", "HHH"):
        close = 50 * np.exp(np.cumsum(random.normal(0, 0.01, len(days))))
        spread = np.abs(random.normal(0, 0.005, (2, len(days))))
        open_ = close * np.exp(random.normal(0, 0.003, len(days)))
        frame = pd.DataFrame(
            {
                "date": days,
                "open": open_,
                "high": np.maximum(open_, close) * (1 + spread[0]),
                "low": np.minimum(open_, close) * (1 - spread[1]),
                "close": close,
                "volume": random.integers(1_000, 9_000, len(days)),
                "Name": symbol,
            }
        )
        frames.append(frame.drop(index=100) if symbol == "HHH" else frame)
    path = tmp_path / FILE
    pd.concat(frames).to_csv(path, index=False)
    return path


@pytest.fixture
def shops_csv(tmp_path: Path) -> Path:
    path = tmp_path / "shops.csv"
    shops().to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def mirror() -> Path:
    """A folder with the original files, from LSTM_AE_MIRROR."""
    for directory in filter(None, os.environ.get("LSTM_AE_MIRROR", "").split(os.pathsep)):
        if (Path(directory) / "all_stocks_5yr.csv").is_file():
            return Path(directory)
    pytest.skip("LSTM_AE_MIRROR names no folder with the original files")


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """The environment of a stage: the project's interpreter first, the checkout's own library."""
    return {
        **os.environ,
        "PATH": f"{Path(shutil.which('python') or '').parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": "src",
    }
