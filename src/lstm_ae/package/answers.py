"""Running a trained model over arrays of sequences, in batches."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor
from tqdm import tqdm

from lstm_ae.model.autoencoder import Autoencoder, LSTMAutoencoder, as_input
from lstm_ae.model.objectives import EVALUATION_BATCH
from lstm_ae.model.runtime import in_parallel

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


def compute_answers(
    model: Autoencoder,
    sequences: NDArray[Any],
    device: torch.device,
) -> Answers:
    """Run a model over (N, T, m) in batches, in the order given."""
    outputs = _in_batches(model, sequences, device)
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

    def forecast(batch: Tensor) -> Tensor:
        return model.roll_forward(batch, steps)

    forecasts = _joined(_in_batches(model, sequences, device, forecast))
    assert forecasts is not None
    return forecasts


@torch.no_grad()
def decode(
    model: LSTMAutoencoder,
    codes: Array,
    device: torch.device,
) -> Array:
    """Codes (..., k) to sequences (..., T, m)."""
    flat = torch.from_numpy(codes.reshape(-1, codes.shape[-1])).float()
    batches = flat.split(EVALUATION_BATCH)
    parts = [model.decode(batch.to(device)).double().cpu() for batch in batches]
    decoded = torch.cat(parts).numpy()
    shape = (*codes.shape[:-1], *decoded.shape[1:])
    return np.asarray(decoded.reshape(shape))


def _in_batches(
    model: Autoencoder,
    sequences: NDArray[Any],
    device: torch.device,
    function: Callable[[Tensor], Any] | None = None,
) -> list[Any]:
    """Call a function of the model, or the model itself, on each batch."""
    model.to(device).eval()
    compute = function or model
    bar = tqdm(
        total=-(-len(sequences) // EVALUATION_BATCH),
        desc="batches",
        disable=None,
        delay=5,
        leave=False,
    )

    @torch.no_grad()
    def of_batch(begin: int) -> Any:
        batch = np.ascontiguousarray(sequences[begin : begin + EVALUATION_BATCH])
        output = compute(as_input(torch.from_numpy(batch).to(device)))
        bar.update()
        return output

    with bar:
        return in_parallel(of_batch, range(0, len(sequences), EVALUATION_BATCH))


def _joined(parts: list[Tensor | None]) -> Array | None:
    """The outputs of all batches as one array; None where the model has no such output."""
    tensors = [part for part in parts if part is not None]
    return np.asarray(torch.cat(tensors).cpu().double().numpy()) if tensors else None
