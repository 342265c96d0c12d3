"""What preparing a data set gives: its splits, their description and the layout of its tables."""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from lstm_ae.core.files import write_json
from lstm_ae.core.splits import Description, Split, save_split
from lstm_ae.params import Fractions
from lstm_ae.units.layout import Layout, save_layout

log = logging.getLogger(__name__)

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Prepared:
    """The splits of one data set, and all that later stages need to know of them.

    Parameters
    ----------
    splits
        `train`, `validation` and `test`, and `rollouts` where the next step is predicted: windows
        whose last steps are forecast from the first ones.
    layout
        How new data are read, cut and scaled as these were.
    whole
        The names of splits that no budget makes smaller.
    """

    splits: dict[str, Split]
    description: Description
    layout: Layout
    whole: tuple[str, ...] = ()


def thinned(prepared: Prepared, most: int | None) -> dict[str, Split]:
    """The splits under a budget: at most that many sequences each, evenly spaced."""
    return {
        name: split if name in prepared.whole else split.thinned(most)
        for name, split in prepared.splits.items()
    }


def save_prepared(
    prepared: Prepared,
    directory: Path,
    most: int | None = None,
) -> None:
    """Write one safetensors file a split, under a budget, description.json and layout.json."""
    for name, split in thinned(prepared, most).items():
        log.info("%s: %s", name, split.sequences.shape)
        save_split(split, directory / f"{name}.safetensors")
    write_json(directory / "description.json", asdict(prepared.description))
    save_layout(prepared.layout, directory)


def part_sizes(fractions: Fractions, total: int) -> tuple[int, int, int]:
    """How many of `total` fall to train, validation and test."""
    whole = fractions.train + fractions.validation + fractions.test
    train = round(total * fractions.train / whole)
    validation = round(total * fractions.validation / whole)
    return train, validation, total - train - validation
