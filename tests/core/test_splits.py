import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import (
    BY_ROW,
    Description,
    Split,
    load_description,
    load_split,
    load_splits,
    save_split,
)

DESCRIPTION = Description(
    data_source="test",
    unit_interval=True,
    classes=10,
    series=["a", "b"],
    clock="datetime64[us]",
    first_times={"validation": "2020-01-01", "test": "2020-02-01"},
    members={"train": ["a"], "validation": [], "test": ["b"]},
)


def split() -> Split:
    """With every array that a split may have."""
    random = np.random.default_rng(0)
    return Split(
        random.random((10, 4, 2), dtype=np.float32),
        labels=np.arange(10),
        following=random.random((10, 2), dtype=np.float32),
        first_scored=np.full(10, 2),
        group=np.repeat(np.arange(5), 2),
        image_shape=np.array([2, 4]),
        base=random.random((10, 2)),
        series=np.arange(10) % 2,
        times=np.arange(40).reshape(10, 4),
        extras={"centres": random.integers(0, 9, 10)},
    )


def test_a_split_comes_back_whole(tmp_path) -> None:
    save_split(split(), tmp_path / "train.safetensors")
    loaded = load_split(tmp_path, "train")
    for name in (*BY_ROW, "image_shape"):
        assert np.array_equal(getattr(loaded, name), getattr(split(), name))
    assert loaded.extras.keys() == {"centres"}
    assert np.array_equal(loaded.extras["centres"], split().extras["centres"])


def test_what_a_split_has_not_is_none_when_it_comes_back(tmp_path) -> None:
    save_split(Split(split().sequences), tmp_path / "train.safetensors")
    loaded = load_split(tmp_path, "train")
    absent = [name for name in BY_ROW if name != "sequences"] + ["image_shape"]
    assert all(getattr(loaded, name) is None for name in absent) and loaded.extras == {}


def test_the_same_split_is_written_in_the_same_bytes(tmp_path) -> None:
    paths = [tmp_path / name / "train.safetensors" for name in ("a", "b")]
    for path in paths:
        save_split(split(), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_splits_of_a_folder_are_read_by_name(tmp_path) -> None:
    for name in ("test", "rollouts"):
        save_split(split(), tmp_path / f"{name}.safetensors")
    assert load_splits(tmp_path).keys() == {"test", "rollouts"}


def test_thinning_keeps_rows_together_and_evenly_spaced() -> None:
    thin = split().thinned(4)
    rows = [0, 3, 6, 9]
    for name in BY_ROW:
        assert np.array_equal(getattr(thin, name), getattr(split(), name)[rows])
    assert np.array_equal(thin.extras["centres"], split().extras["centres"][rows])
    assert np.array_equal(thin.image_shape, [2, 4])
    assert len(split().thinned(None)) == len(split().thinned(99)) == 10


def test_bytes_are_the_unit_interval() -> None:
    assert Split(np.array([[[0], [255]]], np.uint8)).values().tolist() == [[[0.0], [1.0]]]


def test_a_missing_or_foreign_split_is_an_error(tmp_path) -> None:
    with pytest.raises(InputError, match="not found"):
        load_split(tmp_path, "train")
    (tmp_path / "train.safetensors").write_bytes(b"junk")
    with pytest.raises(InputError, match="not a split"):
        load_split(tmp_path, "train")


def test_a_description_comes_back_whole(tmp_path) -> None:
    (tmp_path / "description.json").write_text(json.dumps(asdict(DESCRIPTION)))
    assert load_description(tmp_path) == DESCRIPTION


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("data_source", None, "data_source: Field required"),
        ("classes", 0, "classes: found 0; Input should be greater than 0"),
        ("classes", "10", "classes: found '10'; Input should be a valid integer"),
        ("series", [1], r"series\.0: found 1; Input should be a valid string"),
        ("anchor", 1, "anchor: found 1; Unexpected keyword argument"),
    ],
)
def test_a_wrong_or_missing_key_of_a_description_is_an_error_of_one_line(
    tmp_path, key: str, value: object, problem: str
) -> None:
    content = asdict(DESCRIPTION) | {key: value}
    if value is None:
        del content[key]
    (tmp_path / "description.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=rf"description\.json: {problem}") as error:
        load_description(tmp_path)
    assert "\n" not in str(error.value)


def test_times_are_read_as_the_clock_counts_them() -> None:
    days = np.array([["2020-01-01", "2020-01-02"]], "datetime64[us]")
    assert np.array_equal(DESCRIPTION.read_times(days.view(np.int64)), days)
    numbers = np.array([[0.5, 1.25]])
    counted = replace(DESCRIPTION, clock="float64")
    assert np.array_equal(counted.read_times(numbers.view(np.int64)), numbers)
