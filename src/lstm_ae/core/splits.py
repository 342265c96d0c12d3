"""What every data set becomes: splits of sequences of one length, each in a file of its own."""

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import read_json, replacing, write_json


@dataclass(frozen=True)
class Split:
    """N sequences of T steps of m features.

    Parameters
    ----------
    sequences
        (N, T, m) float32, or uint8 that is read as sequences / 255.
    labels
        (N,) int64 classes, or None.
    following
        (N, m) float32, the step after the last: targets of next-step prediction are steps 2..T and this one.
        None where nothing is predicted.
    first_scored
        (N,) int64; targets of steps before it belong to another split and are not scored. None scores all.
    group
        (N,) int64; sequences of one group cover the same days, and what surprises one surprises all. None where each stands alone.
    image_shape
        (2,) int64 height and width, where a sequence is an image read row by row or pixel by pixel.
    extras
        Further arrays of N rows that undo the scaling.
    """

    sequences: NDArray[Any]
    labels: NDArray[np.int64] | None = None
    following: NDArray[np.float32] | None = None
    first_scored: NDArray[np.int64] | None = None
    group: NDArray[np.int64] | None = None
    image_shape: NDArray[np.int64] | None = None
    extras: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.sequences)

    def values(self) -> NDArray[np.float64]:
        """(N, T, m) the sequences as real numbers."""
        return as_real(self.sequences)

    def take(self, rows: NDArray[np.int64]) -> "Split":
        """The split of these rows alone."""
        by_row = {
            name: getattr(self, name)
            for name in ("sequences", "labels", "following", "first_scored", "group")
        }
        taken = {name: array[rows] for name, array in by_row.items() if array is not None}
        return replace(
            self, **taken, extras={name: array[rows] for name, array in self.extras.items()}
        )

    def thinned(self, most: int | None) -> "Split":
        """At most that many sequences, evenly spaced."""
        if most is None or len(self) <= most:
            return self
        return self.take(np.linspace(0, len(self) - 1, most).astype(np.int64))


def as_real(sequences: NDArray[Any]) -> NDArray[np.float64]:
    """Sequences as float64; uint8 becomes [0, 1]."""
    return sequences / 255.0 if sequences.dtype == np.uint8 else sequences.astype(np.float64)


@dataclass(frozen=True)
class Prepared:
    """The splits of one data set and the description that figures and inverse scaling need."""

    splits: dict[str, Split]
    description: dict[str, Any]


def save_prepared(prepared: Prepared, directory: Path) -> None:
    """Write one safetensors file a split and description.json."""
    for name, split in prepared.splits.items():
        arrays = {
            field.name: getattr(split, field.name)
            for field in fields(split)
            if field.name != "extras"
        }
        arrays |= {f"extras.{key}": array for key, array in split.extras.items()}
        with replacing(directory / f"{name}.safetensors") as temporary:
            temporary.write_bytes(
                save(
                    {
                        key: np.ascontiguousarray(array)
                        for key, array in arrays.items()
                        if array is not None
                    }
                )
            )
    write_json(directory / "description.json", prepared.description)


def load_split(directory: Path, name: str) -> Split:
    """Read one split.

    Raises
    ------
    InputError
        The file is missing or is not a split.
    """
    path = directory / f"{name}.safetensors"
    try:
        arrays = load_file(path)
        extras = {
            key.removeprefix("extras."): array
            for key, array in arrays.items()
            if key.startswith("extras.")
        }
        return Split(
            **{key: array for key, array in arrays.items() if not key.startswith("extras.")},
            extras=extras,
        )
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found; `dvc repro` makes it") from error
    except (SafetensorError, TypeError) as error:
        raise InputError(f"{path}: not a split ({error})") from error


def load_description(directory: Path) -> dict[str, Any]:
    """Read what prepare wrote beside the splits."""
    return read_json(directory / "description.json")


def group_sizes(fractions: list[float], total: int) -> tuple[int, int, int]:
    """How many of `total` fall to train, validation and test."""
    whole = sum(fractions)
    train, validation = round(total * fractions[0] / whole), round(total * fractions[1] / whole)
    return train, validation, total - train - validation
