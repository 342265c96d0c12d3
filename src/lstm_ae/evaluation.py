"""Metrics of a model and of the baselines on the same test sequences."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.metrics import accuracy_score, log_loss
from tqdm import tqdm

from lstm_ae.baselines import mean_reconstruction, pca_reconstruction
from lstm_ae.datasets.base import Split
from lstm_ae.model import LSTMAutoencoder, as_input
from lstm_ae.objectives import EVALUATION_BATCH

Array = NDArray[np.float64]


class Answers(NamedTuple):
    """What a model says of N sequences."""

    reconstruction: Array  # (N, T, m)
    probabilities: Array | None  # (N, classes)
    predictions: Array | None  # (N, T, m)
    codes: Array  # (N, code_size)


@torch.no_grad()
def answers(model: LSTMAutoencoder, sequences: NDArray[Any], device: torch.device) -> Answers:
    """Run a model over (N, T, m) in batches, in the order given."""
    model = model.to(device).eval()
    outputs = [model(batch) for batch in _batches(sequences, device)]

    def gathered(name: str) -> Array | None:
        parts = [getattr(output, name) for output in outputs]
        return None if parts[0] is None else torch.cat(parts).cpu().double().numpy()

    reconstruction, codes, logits = gathered("reconstruction"), gathered("code"), gathered("logits")
    assert reconstruction is not None and codes is not None
    return Answers(reconstruction, None if logits is None else softmax(logits, axis=1), gathered("predictions"), codes)


@torch.no_grad()
def rolled(model: LSTMAutoencoder, sequences: NDArray[Any], steps: int, device: torch.device) -> Array:
    """The model rolled forward from the end of (N, t, m) on its own predictions: (N, steps, m)."""
    model = model.to(device).eval()
    parts = [model.roll_forward(batch, steps).cpu() for batch in _batches(sequences, device)]
    return np.asarray(torch.cat(parts).double().numpy())


def _batches(sequences: NDArray[Any], device: torch.device) -> Iterator[torch.Tensor]:
    """As the model reads them; a terminal shows how far they are where it takes long."""
    batches = torch.from_numpy(np.ascontiguousarray(sequences)).split(EVALUATION_BATCH)
    for batch in tqdm(batches, "batches", disable=None, delay=5, leave=False):
        yield as_input(batch.to(device))


def scored_steps(split: Split) -> NDArray[np.bool_]:
    """(N, T): the steps whose reconstruction counts."""
    steps = np.arange(split.sequences.shape[1])[None]
    return np.ones((len(split), steps.size), bool) if split.first_scored is None else steps > split.first_scored[:, None]


def squared_error(reconstruction: Array, truth: Array, scored: NDArray[np.bool_]) -> float:
    """Mean squared error over all elements of the scored steps."""
    return float(np.square(reconstruction - truth)[scored].mean())


def reconstruction_metrics(reconstruction: Array, train: Split, test: Split, code_size: int, unit_interval: bool) -> dict[str, float]:
    """`mse`, `mean_mse`, `pca_mse` with as many components as the code has numbers, `pca_clipped_mse` where data live in [0, 1]."""
    known, truth, scored = train.values(), test.values(), scored_steps(test)
    pca = pca_reconstruction(known, truth, code_size)
    metrics = {
        "mse": squared_error(reconstruction, truth, scored),
        "mean_mse": squared_error(mean_reconstruction(known, truth), truth, scored),
        "pca_mse": squared_error(pca, truth, scored),
    }
    if unit_interval:
        metrics["pca_clipped_mse"] = squared_error(pca.clip(0, 1), truth, scored)
    return metrics


def class_metrics(probabilities: Array, labels: NDArray[np.int64]) -> dict[str, float]:
    """`accuracy` and `cross_entropy`, in nats."""
    classes = np.arange(probabilities.shape[1])
    return {
        "accuracy": float(accuracy_score(labels, probabilities.argmax(axis=1))),
        "cross_entropy": float(log_loss(labels, probabilities, labels=classes)),
    }
