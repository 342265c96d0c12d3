"""The kind `toy`: uniform noise with a dip near the middle."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import write_bytes
from lstm_ae.core.splits import Description, Split
from lstm_ae.data.prepared import PARTS, Prepared, part_sizes
from lstm_ae.data.raw import RawData
from lstm_ae.params import ToyData
from lstm_ae.units.layout import Layout

FILE = "toy.safetensors"


def acquire(data: ToyData, raw: RawData) -> str:
    """Draw the sequences and keep them; the data source is "generated"."""
    sequences, centres = generate(data, raw.seed)
    write_bytes(raw.directory / FILE, save({"sequences": sequences, "centres": centres}))
    return "generated"


def generate(data: ToyData, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Draw the sequences.

    Returns
    -------
    sequences
        (N, T) float32 in [0, 1]: uniform, times `dip_factor` within `dip_half_width` of the dip's
        centre.
    centres
        (N,) the position of each dip, from 0.
    """
    random = np.random.default_rng(seed)
    sequences = random.random((data.sequences, data.length))
    low, high = data.dip_centre.low, data.dip_centre.high
    centres = random.integers(low, high, size=data.sequences, endpoint=True)
    inside = np.abs(np.arange(data.length) - centres[:, None]) <= data.dip_half_width
    dipped = np.where(inside, sequences * data.dip_factor, sequences)
    return dipped.astype(np.float32), centres


def prepare(data: ToyData, raw: RawData) -> Prepared:
    """Split the generated sequences in the order they were drawn, which is random already.

    Raises
    ------
    InputError
        The file is missing or does not hold the sequences.
    """
    sequences, centres = _load(raw.directory / FILE)
    train, validation, _ = part_sizes(data.split, len(sequences))
    parts = np.split(np.arange(len(sequences)), [train, train + validation])
    splits = {
        name: Split(sequences[rows, :, None], extras={"centres": centres[rows]})
        for name, rows in zip(PARTS, parts, strict=True)
    }
    description = Description(data_source=raw.data_source, unit_interval=True)
    layout = Layout.of_sequences(sequences.shape[1], features=1)
    return Prepared(splits, description, layout)


def _load(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    try:
        arrays = load_file(path)
        return arrays["sequences"], arrays["centres"]
    except (OSError, KeyError, SafetensorError) as error:
        raise InputError(
            f"{path}: not the generated sequences ({error}); `dvc repro` makes them anew"
        ) from error
