"""What every data set becomes: splits of sequences of one length, and a description of them."""

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, PositiveInt
from pydantic import dataclasses as checked
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import read_record, write_bytes

BY_ROW = (
    "sequences",
    "labels",
    "following",
    "first_scored",
    "group",
    "base",
    "series",
    "times",
)
EXTRA = "extras."  # before the name of an extra array in a file


@dataclass(frozen=True)
class Split:
    """N sequences of T steps of m features.

    Parameters
    ----------
    sequences
        (N, T, m) float32, or uint8 that is read as sequences / 255.
    labels
        (N,) int64 classes. None: there is nothing to classify.
    following
        (N, m) float32, the step after the last: the targets of next-step prediction are steps 2..T
        and this one. None: nothing is predicted.
    first_scored
        (N,) int64; targets of steps before it belong to another split and are not scored. None
        scores all.
    group
        (N,) int64; sequences of one group cover the same times, and what surprises one surprises
        all. None: each stands alone.
    image_shape
        (2,) int64 height and width, where a sequence is an image read row by row or pixel by pixel.
    order
        (T,) int64 the pixel that each step reads. None: the steps are in the order of the image.
    base, series, times
        Of windows that were cut from series: what brings them back to the units of the table
        (`lstm_ae.units.windows.Windows`); times are int64, read as `Description.clock`.
    extras
        Further arrays of N rows, which the study of this kind of data set draws.
    """

    sequences: NDArray[Any]
    labels: NDArray[np.int64] | None = None
    following: NDArray[np.float32] | None = None
    first_scored: NDArray[np.int64] | None = None
    group: NDArray[np.int64] | None = None
    image_shape: NDArray[np.int64] | None = None
    order: NDArray[np.int64] | None = None
    base: NDArray[np.float64] | None = None
    series: NDArray[np.int64] | None = None
    times: NDArray[np.int64] | None = None
    extras: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.sequences)

    def values(self) -> NDArray[np.float64]:
        """The sequences as real numbers, (N, T, m)."""
        return as_real(self.sequences)

    def take(self, rows: NDArray[np.int64]) -> "Split":
        """The split of these rows alone."""
        arrays = {name: getattr(self, name) for name in BY_ROW}
        taken = {name: array[rows] for name, array in arrays.items() if array is not None}
        extras = {name: array[rows] for name, array in self.extras.items()}
        return replace(self, **taken, extras=extras)

    def thinned(self, most: int | None) -> "Split":
        """At most that many sequences, evenly spaced; all of them where `most` is None."""
        if most is None or len(self) <= most:
            return self
        rows = np.linspace(0, len(self) - 1, most)
        return self.take(rows.astype(np.int64))


def as_real(sequences: NDArray[Any]) -> NDArray[np.float64]:
    """Sequences as float64; uint8 becomes [0, 1]."""
    if sequences.dtype == np.uint8:
        return np.asarray(sequences / 255.0)
    return sequences.astype(np.float64)


@checked.dataclass(frozen=True, config=ConfigDict(extra="forbid", strict=True))
class Description:
    """What prepare says of its splits to the stages after it.

    Parameters
    ----------
    data_source
        What the data are, for results and figures.
    unit_interval
        All values lie in [0, 1].
    classes
        How many there are. None: there is nothing to classify.
    series
        The names of the series that windows were cut from; `Split.series` counts in this list.
    clock
        The NumPy type of `Split.times`, such as "datetime64[us]".
    first_times
        By split, the time from which on it begins, where splits are made by time.
    members
        By split, the names of its series, where splits are made by series.
    """

    data_source: str
    unit_interval: bool
    classes: PositiveInt | None = None
    series: list[str] = field(default_factory=list)
    clock: str | None = None
    first_times: dict[str, str] | None = None
    members: dict[str, list[str]] | None = None

    def read_times(self, times: NDArray[np.int64]) -> NDArray[Any]:
        """Times of a split as its clock counts them: datetime64, or numbers."""
        assert self.clock is not None
        return np.asarray(times.view(self.clock))


def save_split(split: Split, path: Path) -> None:
    """Write a split as safetensors."""
    arrays = {entry.name: getattr(split, entry.name) for entry in fields(split)}
    extras = arrays.pop("extras")
    arrays |= {EXTRA + name: array for name, array in extras.items()}
    stored = {
        name: np.ascontiguousarray(array) for name, array in arrays.items() if array is not None
    }
    write_bytes(path, save(stored))


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
        names = [stored for stored in arrays if stored.startswith(EXTRA)]
        extras = {stored.removeprefix(EXTRA): arrays.pop(stored) for stored in names}
        return Split(**arrays, extras=extras)
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found; `dvc repro` makes it") from error
    except (SafetensorError, TypeError) as error:
        raise InputError(f"{path}: not a split ({error}); `dvc repro` makes it anew") from error


def load_splits(directory: Path) -> dict[str, Split]:
    """Read all splits of a folder, by name."""
    paths = sorted(directory.glob("*.safetensors"))
    return {path.stem: load_split(directory, path.stem) for path in paths}


def load_description(directory: Path) -> Description:
    """Read the description that prepare wrote beside the splits.

    Raises
    ------
    InputError
        The file is missing or is not a description.
    """
    return read_record(directory / "description.json", Description)
