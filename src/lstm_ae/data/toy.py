"""Uniform noise with a dip near the middle."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Prepared, Split, group_sizes
from lstm_ae.params import ToyData


def generate(data: ToyData, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Draw the sequences.

    Returns
    -------
    sequences
        (N, T) float32 in [0, 1]: uniform, times `dip_factor` within `dip_half_width` of the dip's centre.
    centres
        (N,) the position of each dip, from 0.
    """
    random = np.random.default_rng(seed)
    sequences = random.random((data.sequences, data.length))
    low, high = data.dip_centre
    centres = random.integers(low, high, size=data.sequences, endpoint=True)
    inside = np.abs(np.arange(data.length) - centres[:, None]) <= data.dip_half_width
    return np.where(inside, sequences * data.dip_factor, sequences).astype(np.float32), centres


def prepare(directory: Path, data: ToyData) -> Prepared:
    """Split the generated sequences in the order they were drawn, which is random already."""
    path = directory / "toy.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            sequences, centres = arrays["sequences"], arrays["centres"]
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise InputError(f"{path}: not the generated sequences ({error})") from error
    train, validation, _ = group_sizes(data.split, len(sequences))
    parts = np.split(np.arange(len(sequences)), [train, train + validation])
    splits = {
        name: Split(sequences[rows, :, None], extras={"centres": centres[rows]})
        for name, rows in zip(("train", "validation", "test"), parts, strict=True)
    }
    return Prepared(splits, {"data_source": "generated", "unit_interval": True})
