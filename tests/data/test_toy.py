import numpy as np
import pytest

from lstm_ae.core.errors import InputError
from lstm_ae.data import toy


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


def test_no_sequence_is_in_two_splits(params, tmp_path) -> None:
    data = params.section("toy").data
    sequences, centres = toy.generate(data, 0)
    np.savez(tmp_path / "toy.npz", sequences=sequences, centres=centres)
    splits = toy.prepare(tmp_path, data).splits
    assert [len(splits[name]) for name in ("train", "validation", "test")] == [6000, 2000, 2000]
    rows = np.concatenate([split.sequences[:, :, 0] for split in splits.values()])
    assert np.array_equal(rows, sequences)


def test_a_test_sequence_cannot_reach_training(params, tmp_path) -> None:
    data = params.section("toy").data
    sequences, centres = toy.generate(data, 0)
    found = []
    for scale in (1, 100):
        sequences[8000:] *= scale
        np.savez(tmp_path / "toy.npz", sequences=sequences, centres=centres)
        found.append(toy.prepare(tmp_path, data))
    for name in ("train", "validation"):
        assert np.array_equal(*(prepared.splits[name].sequences for prepared in found))
    assert found[0].description == found[1].description
    assert found[1].splits["test"].sequences.max() > 1


def test_a_truncated_file_is_an_error(params, tmp_path) -> None:
    (tmp_path / "toy.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(InputError, match=r"toy\.npz: not the generated sequences"):
        toy.prepare(tmp_path, params.section("toy").data)
