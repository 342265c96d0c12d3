"""Running a trained model over arrays of sequences, in batches."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from tqdm import tqdm

from lstm_ae.model.autoencoder import LSTMAutoencoder, as_input
from lstm_ae.model.objectives import EVALUATION_BATCH

Array = NDArray[np.float64]


class Answers(NamedTuple):
    """What a model says of N sequences."""

    reconstruction: Array  # (N, T, m)
    probabilities: Array | None  # (N, classes)
    predictions: Array | None  # (N, T, m)
    codes: Array  # (N, code_size)


@torch.no_grad()
def compute_answers(
    model: LSTMAutoencoder, sequences: NDArray[Any], device: torch.device
) -> Answers:
    """Run a model over (N, T, m) in batches, in the order given."""
    model = model.to(device).eval()
    outputs = [model(batch) for batch in _batches(sequences, device)]

    def gathered(name: str) -> Array | None:
        parts = [getattr(output, name) for output in outputs]
        return None if parts[0] is None else torch.cat(parts).cpu().double().numpy()

    reconstruction, codes, logits = gathered("reconstruction"), gathered("code"), gathered("logits")
    assert reconstruction is not None and codes is not None
    return Answers(
        reconstruction,
        None if logits is None else softmax(logits, axis=1),
        gathered("predictions"),
        codes,
    )


@torch.no_grad()
def roll_forward(
    model: LSTMAutoencoder, sequences: NDArray[Any], steps: int, device: torch.device
) -> Array:
    """The model rolled forward from the end of (N, t, m) on its own predictions: (N, steps, m)."""
    model = model.to(device).eval()
    parts = [model.roll_forward(batch, steps).cpu() for batch in _batches(sequences, device)]
    return np.asarray(torch.cat(parts).double().numpy())


def _batches(sequences: NDArray[Any], device: torch.device) -> Iterator[torch.Tensor]:
    """As the model reads them; a terminal shows how far they are where it takes long."""
    batches = torch.from_numpy(np.ascontiguousarray(sequences)).split(EVALUATION_BATCH)
    for batch in tqdm(batches, "batches", disable=None, delay=5, leave=False):
        yield as_input(batch.to(device))
