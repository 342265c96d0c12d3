"""Models of every form with the package each becomes, small and barely trained; only for tests."""

import gzip
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from lstm_ae.core.splits import Description, Split
from lstm_ae.data import mnist, stock_forecast, stock_windows, table, toy
from lstm_ae.data.prepared import Prepared
from lstm_ae.data.prices import FILE
from lstm_ae.data.raw import RawData
from lstm_ae.package.calibration import calibrate
from lstm_ae.package.package import Package
from lstm_ae.params import Params, TableData
from lstm_ae.training.building import build
from lstm_ae.training.hyperparameters import Hyperparameters
from lstm_ae.units.layout import Layout

CPU = torch.device("cpu")
HOURLY = TableData.model_validate(
    {
        "dataset": "table",
        "columns": ["load", "heat"],
        "columns_are": "variables",
        "series": "meter",
        "time": "hour",
        "window": 24,
        "stride": 3,
        "split_by": "time",
        "split": {"train": 0.6, "validation": 0.2, "test": 0.2},
        "scaling": "zscore",
        "predict": True,
        "group_by_time": False,
    }
)


def hourly(meters: int = 4, hours: int = 24 * 60, seed: int = 0) -> pd.DataFrame:
    """Two variables with the cycle of a day and noise, of each meter."""
    random = np.random.default_rng(seed)
    times = pd.date_range("2024-01-01", periods=hours, freq="h")
    phase = 2 * np.pi * np.arange(hours) / 24
    frames = []
    for meter in range(meters):
        load = 500 + 100 * np.sin(phase + meter) + random.normal(0, 10, hours)
        heat = 20 + 5 * np.cos(phase) + random.normal(0, 0.5, hours)
        frames.append(
            pd.DataFrame({"hour": times, "meter": f"m{meter}", "load": load, "heat": heat})
        )
    return pd.concat(frames, ignore_index=True)


def packaged(
    params: Params,
    section: str,
    prepared: Prepared,
    code_size: int,
    layers: int = 1,
    period: int = 1,
) -> Package:
    """A spectral start, which is about PCA, with layers above it that add a little.

    Beside it stands what the validation split says of its errors.
    """
    train = prepared.splits["train"]
    form = params.section(section).model
    lags = 3 if train.following is not None else 0
    changes = {"code_size": code_size, "lags": lags, "averages": [], "period": period}
    model = build(
        form.model_copy(update=changes),
        Hyperparameters(code_size + lags * train.sequences.shape[2], 1e-3, 1.0, layers, 1),
        train,
        prepared.description.classes,
        seed=0,
    ).eval()
    if model.upper_readout is not None:
        torch.nn.init.normal_(model.upper_readout.weight, std=0.01)
    calibration = calibrate(model, prepared.splits["validation"], prepared.layout, CPU)
    return Package(model, prepared.layout, calibration, {"section": section})


def hourly_package(params: Params, path: Path, **changed: object) -> Package:
    """Of `hourly`, which is written to the path."""
    data = TableData.model_validate(HOURLY.model_dump() | changed)
    hourly().to_csv(path, index=False)
    prepared = table.prepare_table(path, data, 0, "hourly")
    return packaged(params, "snp_forecast", prepared, 6)


def toy_package(params: Params, directory: Path) -> tuple[Package, Prepared]:
    data = params.section("toy").data.model_copy(update={"sequences": 1000})
    raw = RawData("toy", directory, 0, "generated")
    toy.acquire(data, raw)
    prepared = toy.prepare(data, raw)
    return packaged(params, "toy", prepared, 20, layers=2), prepared


def digits_package(
    params: Params, section: str, mirror: Path, code_size: int
) -> tuple[Package, Prepared]:
    """Of the first thousand test images."""
    view = params.section(section).data.view
    steps, features = mnist.STEPS[view]
    pixels, labels = (
        np.frombuffer(gzip.decompress((mirror / f"t10k-{name}-ubyte.gz").read_bytes()), np.uint8)
        for name in ("images-idx3", "labels-idx1")
    )
    images = pixels[16:].copy().reshape(-1, steps, features)
    digits = labels[8:].astype(np.int64)
    parts = {"train": slice(700), "validation": slice(700, 800), "test": slice(800, 1000)}
    splits = {
        name: Split(
            images[rows],
            digits[rows],
            image_shape=np.array([28, 28]),
            extras={"digits": digits[rows]},
        )
        for name, rows in parts.items()
    }
    prepared = Prepared(
        splits,
        Description(data_source="MNIST", unit_interval=True, classes=mnist.CLASSES),
        Layout.of_sequences(steps, features, scale=mnist.WHITE),
    )
    period = 28 if view == "pixels" else 1
    return packaged(params, section, prepared, code_size, layers=2, period=period), prepared


def stocks_package(
    params: Params, section: str, path: Path, code_size: int = 12
) -> tuple[Package, Prepared]:
    """Of a file of prices, which may have any name; a copy beside it has that of the raw data."""
    if path.name != FILE:
        path = Path(shutil.copyfile(path, path.with_name(FILE)))
    data = params.section(section).data
    kind = stock_windows if section == "snp" else stock_forecast
    prepared = kind.prepare(data, RawData(section, path.parent, 0, "prices"))
    return packaged(params, section, prepared, code_size, layers=2), prepared
