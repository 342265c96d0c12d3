from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from lstm_ae.core.errors import InputError
from lstm_ae.data import toy
from lstm_ae.data.raw import RawData


def test_the_sequences_are_those_of_the_study(params) -> None:
    sequences, centres = toy.generate(params.section("toy").data, 0)
    assert sequences.shape == (10_000, 50)
    assert sequences.dtype == np.float32
    assert (sequences >= 0).all() and (sequences < 1).all()
    assert set(centres) == set(range(20, 31))
    inside = np.abs(np.arange(50) - centres[:, None]) <= 5
    assert inside.sum(axis=1).tolist() == [11] * 10_000
    assert sequences[inside].max() < 0.1
    assert sequences[~inside].mean() == pytest.approx(0.5, abs=0.01)


def test_the_seed_draws_them(params) -> None:
    data = params.section("toy").data
    first, again, other = (toy.generate(data, seed)[0] for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def write(directory: Path, sequences: np.ndarray, centres: np.ndarray) -> RawData:
    save_file({"sequences": sequences, "centres": centres}, directory / toy.FILE)
    return RawData("toy", directory, 0, "generated")


def test_what_is_acquired_is_what_was_drawn(params, tmp_path) -> None:
    data, raw = params.section("toy").data, RawData("toy", tmp_path, 7)
    assert toy.acquire(data, raw) == "generated"
    sequences, centres = toy.generate(data, 7)
    splits = toy.prepare(data, raw).splits.values()
    assert np.array_equal(np.concatenate([split.sequences for split in splits])[:, :, 0], sequences)
    assert np.array_equal(np.concatenate([split.extras["centres"] for split in splits]), centres)


def test_no_sequence_is_in_two_splits(params, tmp_path) -> None:
    data = params.section("toy").data
    sequences, centres = toy.generate(data, 0)
    splits = toy.prepare(data, write(tmp_path, sequences, centres)).splits
    assert [len(splits[name]) for name in ("train", "validation", "test")] == [6000, 2000, 2000]
    rows = np.concatenate([split.sequences[:, :, 0] for split in splits.values()])
    assert np.array_equal(rows, sequences)


def test_a_test_sequence_cannot_reach_training(params, tmp_path) -> None:
    data = params.section("toy").data
    sequences, centres = toy.generate(data, 0)
    before = toy.prepare(data, write(tmp_path, sequences, centres))
    sequences[8000:] *= 100
    after = toy.prepare(data, write(tmp_path, sequences, centres))
    for name in ("train", "validation"):
        assert np.array_equal(before.splits[name].sequences, after.splits[name].sequences)
    assert (before.description, before.layout) == (after.description, after.layout)
    assert after.splits["test"].sequences.max() > 1


def test_a_truncated_file_is_an_error(params, tmp_path) -> None:
    (tmp_path / toy.FILE).write_bytes(b"\x08\x00")
    with pytest.raises(InputError, match=r"toy\.safetensors: not the generated sequences"):
        toy.prepare(params.section("toy").data, RawData("toy", tmp_path, 0, "generated"))
