import numpy as np
import pytest

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import (
    Prepared,
    Split,
    group_sizes,
    load_description,
    load_split,
    save_prepared,
)


def split() -> Split:
    random = np.random.default_rng(0)
    return Split(
        random.random((10, 4, 2), dtype=np.float32),
        labels=np.arange(10),
        following=random.random((10, 2), dtype=np.float32),
        first_scored=np.full(10, 2),
        extras={"anchor": random.random(10)},
    )


def test_a_split_comes_back_whole(tmp_path) -> None:
    save_prepared(Prepared({"train": split()}, {"scale": 2.0}), tmp_path)
    found = load_split(tmp_path, "train")
    for name in ("sequences", "labels", "following", "first_scored"):
        assert np.array_equal(getattr(found, name), getattr(split(), name))
    assert np.array_equal(found.extras["anchor"], split().extras["anchor"])
    assert load_description(tmp_path) == {"scale": 2.0}


def test_the_same_split_is_written_in_the_same_bytes(tmp_path) -> None:
    for name in ("a", "b"):
        save_prepared(Prepared({"train": split()}, {}), tmp_path / name)
    assert (tmp_path / "a/train.safetensors").read_bytes() == (
        tmp_path / "b/train.safetensors"
    ).read_bytes()


def test_nothing_but_the_files_is_left_behind(tmp_path) -> None:
    save_prepared(Prepared({"train": split()}, {}), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "description.json",
        "train.safetensors",
    ]


def test_thinning_keeps_rows_together_and_evenly_spaced() -> None:
    thin = split().thinned(4)
    assert list(thin.labels) == [0, 3, 6, 9]
    assert np.array_equal(thin.extras["anchor"], split().extras["anchor"][[0, 3, 6, 9]])
    assert len(split().thinned(None)) == len(split().thinned(99)) == 10


def test_bytes_are_the_unit_interval() -> None:
    assert Split(np.array([[[0], [255]]], np.uint8)).values().tolist() == [[[0.0], [1.0]]]


def test_a_missing_or_foreign_split_is_an_error(tmp_path) -> None:
    with pytest.raises(InputError, match="not found"):
        load_split(tmp_path, "train")
    (tmp_path / "train.safetensors").write_bytes(b"junk")
    with pytest.raises(InputError, match="not a split"):
        load_split(tmp_path, "train")


@pytest.mark.parametrize(
    ("total", "sizes"), [(10_000, (6000, 2000, 2000)), (477, (286, 95, 96)), (5, (3, 1, 1))]
)
def test_groups_add_up(total: int, sizes: tuple[int, int, int]) -> None:
    assert group_sizes([0.6, 0.2, 0.2], total) == sizes
