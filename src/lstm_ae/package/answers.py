"""Running a trained model over arrays of sequences, in batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor
from tqdm import tqdm

from lstm_ae.model.autoencoder import LSTMAutoencoder, as_input
from lstm_ae.model.objectives import EVALUATION_BATCH

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """What a model answers to N sequences.

    Parameters
    ----------
    reconstruction
        (N, T, m)
    probabilities
        (N, classes). None: the model has no class head.
    predictions
        (N, T, m), at t the prediction of step t + 1. None: the model does not predict.
    codes
        (N, code_size)
    """

    reconstruction: Array
    probabilities: Array | None
    predictions: Array | None
    codes: Array


@torch.no_grad()
def compute_answers(
    model: LSTMAutoencoder,
    sequences: NDArray[Any],
    device: torch.device,
) -> Answers:
    """Run a model over (N, T, m) in batches, in the order given."""
    model = model.to(device).eval()
    outputs = [model(batch) for batch in _batches(sequences, device)]
    logits = _joined([output.logits for output in outputs])
    reconstruction = _joined([output.reconstruction for output in outputs])
    codes = _joined([output.code for output in outputs])
    assert reconstruction is not None and codes is not None
    return Answers(
        reconstruction=reconstruction,
        probabilities=None if logits is None else softmax(logits, axis=1),
        predictions=_joined([output.predictions for output in outputs]),
        codes=codes,
    )


@torch.no_grad()
def roll_forward(
    model: LSTMAutoencoder,
    sequences: NDArray[Any],
    steps: int,
    device: torch.device,
) -> Array:
    """Forecast the `steps` after the end of (N, t, m), the model fed its own predictions.

    Returns
    -------
    Array
        (N, steps, m)
    """
    model = model.to(device).eval()
    parts = [model.roll_forward(batch, steps).cpu() for batch in _batches(sequences, device)]
    return np.asarray(torch.cat(parts).double().numpy())


def _batches(sequences: NDArray[Any], device: torch.device) -> Iterator[Tensor]:
    """Batches as the model reads them; a terminal shows progress where it takes long."""
    batches = torch.from_numpy(np.ascontiguousarray(sequences)).split(EVALUATION_BATCH)
    for batch in tqdm(
        batches,
        "batches",
        disable=None,
        delay=5,
        leave=False,
    ):
        yield as_input(batch.to(device))


def _joined(parts: list[Tensor | None]) -> Array | None:
    """The outputs of all batches as one array; None where the model has no such output."""
    tensors = [part for part in parts if part is not None]
    return np.asarray(torch.cat(tensors).cpu().double().numpy()) if tensors else None
