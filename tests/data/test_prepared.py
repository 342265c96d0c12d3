import json
from dataclasses import asdict

import numpy as np
import pytest

from lstm_ae.core.splits import Description, Split, load_description, load_split
from lstm_ae.data.prepared import Prepared, part_sizes, save_prepared, thinned
from lstm_ae.params import Fractions
from lstm_ae.units.layout import Layout, load_layout

LAYOUT = Layout.of_sequences(4, 2, scale=2.0)
DESCRIPTION = Description(data_source="test", unit_interval=False)


def prepared() -> Prepared:
    sequences = np.random.default_rng(0).random((10, 4, 2), dtype=np.float32)
    splits = {"train": Split(sequences), "test": Split(sequences[:6])}
    return Prepared(splits, DESCRIPTION, LAYOUT, whole=("test",))


def test_what_is_prepared_comes_back_whole(tmp_path) -> None:
    save_prepared(prepared(), tmp_path)
    for name, split in prepared().splits.items():
        assert np.array_equal(load_split(tmp_path, name).sequences, split.sequences)
    assert load_description(tmp_path) == DESCRIPTION
    assert load_layout(tmp_path) == LAYOUT
    assert json.loads((tmp_path / "layout.json").read_text()) == asdict(LAYOUT)


def test_nothing_but_the_files_is_left_behind(tmp_path) -> None:
    save_prepared(prepared(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "description.json",
        "layout.json",
        "test.safetensors",
        "train.safetensors",
    ]


def test_a_budget_makes_every_split_smaller_but_those_that_stay_whole(tmp_path) -> None:
    assert {name: len(split) for name, split in thinned(prepared(), 4).items()} == {
        "train": 4,
        "test": 6,
    }
    save_prepared(prepared(), tmp_path, most=4)
    assert len(load_split(tmp_path, "train")) == 4 and len(load_split(tmp_path, "test")) == 6


@pytest.mark.parametrize(
    ("total", "sizes"), [(10_000, (6000, 2000, 2000)), (477, (286, 95, 96)), (5, (3, 1, 1))]
)
def test_the_sizes_of_parts_add_up(total: int, sizes: tuple[int, int, int]) -> None:
    fractions = Fractions(train=0.6, validation=0.2, test=0.2)
    assert part_sizes(fractions, total) == sizes
