from pathlib import Path

import numpy as np
import pytest

from lstm_ae.core.errors import InputError
from lstm_ae.data import mnist
from lstm_ae.data.prepared import Prepared
from lstm_ae.data.raw import RawData
from lstm_ae.params import MnistData


def write_idx(directory, train: int = 200, test: int = 50, digits: int = 10) -> None:
    """Small files of the format of MNIST, each image the constant of its number."""
    raw = directory / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for stem, count in (("train", train), ("t10k", test)):
        images = np.repeat(np.arange(count, dtype=np.uint8), 784)
        labels = (np.arange(count) % digits).astype(np.uint8)
        (raw / f"{stem}-images-idx3-ubyte").write_bytes(
            np.array([0x803, count, 28, 28], ">i4").tobytes() + images.tobytes()
        )
        (raw / f"{stem}-labels-idx1-ubyte").write_bytes(
            np.array([0x801, count], ">i4").tobytes() + labels.tobytes()
        )


def prepare(directory: Path, data: MnistData, seed: int = 0) -> Prepared:
    return mnist.prepare(data, RawData("mnist_rows", directory, seed, "MNIST"))


@pytest.fixture
def data(params):
    return params.section("mnist_rows_class").data.model_copy(update={"validation": 50})


def test_validation_is_stratified_and_apart_from_training(data, tmp_path) -> None:
    write_idx(tmp_path)
    splits = prepare(tmp_path, data).splits
    assert np.bincount(splits["validation"].labels).tolist() == [5] * 10
    numbers = [set(splits[name].sequences[:, 0, 0].tolist()) for name in ("train", "validation")]
    assert len(numbers[0]) == 150 and numbers[0].isdisjoint(numbers[1])


def test_the_seed_draws_validation_and_test_is_the_official_one(data, tmp_path) -> None:
    write_idx(tmp_path)
    first, again, other = (prepare(tmp_path, data, seed).splits for seed in (0, 0, 1))
    assert np.array_equal(first["validation"].sequences, again["validation"].sequences)
    assert not np.array_equal(first["validation"].sequences, other["validation"].sequences)
    assert np.array_equal(first["test"].sequences[:, 0, 0], np.arange(50))


def test_a_test_image_cannot_reach_training(data, tmp_path) -> None:
    write_idx(tmp_path)
    before = prepare(tmp_path, data)
    raw = tmp_path / "MNIST" / "raw"
    for name, header in (("t10k-images-idx3-ubyte", 16), ("t10k-labels-idx1-ubyte", 8)):
        whole = (raw / name).read_bytes()
        (raw / name).write_bytes(whole[:header] + bytes(9 - byte % 10 for byte in whole[header:]))
    after = prepare(tmp_path, data)
    for name in ("train", "validation"):
        assert np.array_equal(before.splits[name].sequences, after.splits[name].sequences)
        assert np.array_equal(before.splits[name].labels, after.splits[name].labels)
    assert (before.description, before.layout) == (after.description, after.layout)
    assert not (before.splits["test"].sequences == after.splits["test"].sequences).any()


@pytest.mark.parametrize(
    ("view", "shape"),
    [("rows", (28, 28)), ("pixels", (784, 1)), ("permuted", (784, 1))],
)
def test_views(data, tmp_path, view: str, shape: tuple[int, int]) -> None:
    write_idx(tmp_path)
    test = prepare(tmp_path, data.model_copy(update={"view": view})).splits["test"]
    assert test.sequences.shape[1:] == shape
    assert test.sequences.dtype == np.uint8


def test_permuted_pixels_are_those_of_the_images_in_one_order_for_all(data, tmp_path) -> None:
    write_idx(tmp_path)
    images, permuted = (
        prepare(tmp_path, data.model_copy(update={"view": view})).splits
        for view in ("pixels", "permuted")
    )
    order = permuted["train"].order
    assert sorted(order) == list(range(784)) and not np.array_equal(order, range(784))
    for name, split in permuted.items():
        assert np.array_equal(split.order, order)
        assert np.array_equal(split.sequences, images[name].sequences[:, order])


def test_without_labels_the_model_gets_none(data, tmp_path) -> None:
    write_idx(tmp_path)
    prepared = prepare(tmp_path, data.model_copy(update={"labels": False}))
    assert all(split.labels is None for split in prepared.splits.values())
    assert prepared.description.classes is None


def test_missing_files_are_an_error(data, tmp_path) -> None:
    with pytest.raises(InputError, match="train files are not the IDX files of MNIST"):
        prepare(tmp_path, data)
