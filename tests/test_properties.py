"""Whatever a file holds, a reader gives an answer or one line."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import read_json
from lstm_ae.core.splits import load_description, load_split
from lstm_ae.data import mnist
from lstm_ae.data.prepared import Prepared
from lstm_ae.data.prices import read_prices
from lstm_ae.data.raw import RawData
from lstm_ae.model.saving import save_autoencoder
from lstm_ae.package.calibration import Calibration
from lstm_ae.package.loading import load_autoencoder, load_package
from lstm_ae.package.package import Package, save_package
from lstm_ae.params import load_params
from lstm_ae.units.layout import Layout
from tests.test_bad_input import ROOT, digits, model, prices

EXAMPLES = int(os.environ.get("LSTM_AE_EXAMPLES", "50"))
every = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
PARAMS = load_params(ROOT / "params.yaml")
TEXT = (ROOT / "params.yaml").read_text()
TABLE = prices(("BBB", "CCC", "DDD")).to_csv(index=False).encode()


def answers_or_one_line(read: Callable[[Path], object], prepare: Callable[[Path], object]) -> bool:
    """Whether what was prepared is read, or refused with one line. Any other exception passes."""
    with tempfile.TemporaryDirectory() as directory:
        prepare(Path(directory))
        try:
            read(Path(directory))
        except InputError as error:
            return bool(str(error)) and "\n" not in str(error)
    return True


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Bytes cut, overwritten or doubled somewhere."""
    start = draw(st.integers(0, len(whole)))
    end = min(len(whole), start + draw(st.integers(0, 200)))
    return (
        whole[:start] + draw(st.binary(max_size=40) | st.just(whole[start:end] * 2)) + whole[end:]
    )


@every
@given(st.data())
def test_params(data: st.DataObject) -> None:
    lines = TEXT.splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    key = lines[at].partition(":")[0]
    value = data.draw(
        st.text(max_size=20)
        | st.integers().map(str)
        | st.floats().map(str)
        | st.sampled_from(["null", "[]", "{}", "~", "[1, 2]"])
    )
    lines[at] = data.draw(st.sampled_from([f"{key}: {value}", value, ""]))
    assert answers_or_one_line(
        lambda folder: load_params(folder / "p.yaml"),
        lambda folder: (folder / "p.yaml").write_text("\n".join(lines)),
    )


@every
@given(st.binary(max_size=300) | damaged(TEXT.encode()))
def test_params_of_any_bytes(content: bytes) -> None:
    assert answers_or_one_line(
        lambda folder: load_params(folder / "p.yaml"),
        lambda folder: (folder / "p.yaml").write_bytes(content),
    )


@every
@given(st.binary(max_size=300) | damaged(TABLE))
@pytest.mark.filterwarnings("ignore")
def test_prices(content: bytes) -> None:
    data = PARAMS.section("snp").data
    assert answers_or_one_line(
        lambda folder: read_prices(folder / "p.csv", data.first_day, data.last_day),
        lambda folder: (folder / "p.csv").write_bytes(content),
    )


@every
@given(st.data())
def test_images(data: st.DataObject) -> None:
    section = PARAMS.section("mnist_rows_class").data.model_copy(update={"validation": 10})

    def read(folder: Path) -> Prepared:
        return mnist.prepare(section, RawData("mnist_rows_class", folder, 0))

    assert answers_or_one_line(
        read,
        lambda folder: digits(
            folder, lambda whole: data.draw(damaged(whole[:2000]) | damaged(whole))
        ),
    )
    assert answers_or_one_line(
        read,
        lambda folder: digits(folder, damage_labels=lambda whole: data.draw(damaged(whole))),
    )


@every
@given(st.data(), st.sampled_from(["weights.safetensors", "model.json"]))
def test_models(data: st.DataObject, name: str) -> None:
    def prepare(folder: Path) -> None:
        save_autoencoder(model(), folder)
        (folder / name).write_bytes(data.draw(damaged((folder / name).read_bytes())))

    assert answers_or_one_line(load_autoencoder, prepare)


@every
@given(
    st.data(),
    st.sampled_from(
        [
            "about.json",
            "calibration.safetensors",
            "layout.json",
            "model.json",
            "weights.safetensors",
        ]
    ),
)
def test_packages(data: st.DataObject, name: str) -> None:
    def prepare(folder: Path) -> None:
        layout = Layout(["load"], "variables", "meter", "hour", 6, 3, False, "zscore", [2.5], [0.5])
        save_package(
            Package(model(), layout, Calibration(np.arange(9.0), None), {"section": "load"}), folder
        )
        (folder / name).write_bytes(
            data.draw(st.binary(max_size=200) | damaged((folder / name).read_bytes()))
        )

    assert answers_or_one_line(lambda folder: load_package(folder, torch.device("cpu")), prepare)


@every
@given(st.binary(max_size=200))
def test_splits_and_json(content: bytes) -> None:
    assert answers_or_one_line(
        lambda folder: load_split(folder, "train"),
        lambda folder: (folder / "train.safetensors").write_bytes(content),
    )
    assert answers_or_one_line(
        load_description,
        lambda folder: (folder / "description.json").write_bytes(content),
    )
    assert answers_or_one_line(
        lambda folder: read_json(folder / "a.json"),
        lambda folder: (folder / "a.json").write_bytes(content),
    )
