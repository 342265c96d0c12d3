"""A trained model as a folder: what is written comes back, what is broken is named."""

import numpy as np
import pytest
import torch

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import read_json, write_json
from lstm_ae.package.loading import load_package
from lstm_ae.package.package import save_package
from tests.packages import hourly_package

CPU = torch.device("cpu")
FILES = [
    "about.json",
    "calibration.safetensors",
    "layout.json",
    "model.json",
    "weights.safetensors",
]


@pytest.fixture
def package(params, tmp_path):
    return hourly_package(params, tmp_path / "hourly.csv")


def test_a_package_comes_back_and_has_the_same_bytes_again(package, tmp_path) -> None:
    for name in ("first", "second"):
        save_package(package, tmp_path / name)
    assert sorted(path.name for path in (tmp_path / "first").iterdir()) == FILES
    for name in FILES:
        first, second = tmp_path / "first" / name, tmp_path / "second" / name
        assert first.read_bytes() == second.read_bytes()
    loaded = load_package(tmp_path / "first", CPU)
    assert loaded.layout == package.layout
    assert loaded.about == package.about
    assert np.array_equal(loaded.calibration.errors, package.calibration.errors)
    assert np.array_equal(loaded.calibration.ends, package.calibration.ends)
    assert np.array_equal(loaded.calibration.growth, package.calibration.growth)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_missing_or_broken_is_named(package, tmp_path, name: str) -> None:
    save_package(package, tmp_path / "model")
    path = tmp_path / "model" / name
    path.write_bytes(b"{")
    with pytest.raises(InputError, match="model"):
        load_package(tmp_path / "model", CPU)
    path.unlink()
    with pytest.raises(InputError, match="not found"):
        load_package(tmp_path / "model", CPU)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("window", "24"),
        ("window", 23),
        ("stride", 0),
        ("predict", 1),
        ("scaling", "z"),
        ("columns_are", "rows"),
        ("centre", [0.0]),
        ("scale", [1.0, None]),
        ("after", [0, 2]),
        ("more", 1),
    ],
)
def test_a_layout_that_is_not_the_models_is_refused(
    package, tmp_path, key: str, value: object
) -> None:
    save_package(package, tmp_path)
    path = tmp_path / "layout.json"
    write_json(path, read_json(path) | {key: value})
    with pytest.raises(InputError, match=f"{key}|not that of model.json") as caught:
        load_package(tmp_path, CPU)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_no_model_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="nowhere: not a folder; name one that `dvc repro` makes"):
        load_package(tmp_path / "nowhere", CPU)
    with pytest.raises(InputError, match=r"model.json: not found"):
        load_package(tmp_path, CPU)
