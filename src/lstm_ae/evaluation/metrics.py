"""Metrics of a model and of the baselines on the same test sequences."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, log_loss

from lstm_ae.core.splits import Split
from lstm_ae.evaluation.baselines import mean_reconstruction, pca_reconstruction

Array = NDArray[np.float64]


def scored_steps(split: Split) -> NDArray[np.bool_]:
    """(N, T): the steps whose reconstruction counts."""
    steps = np.arange(split.sequences.shape[1])[None]
    return (
        np.ones((len(split), steps.size), bool)
        if split.first_scored is None
        else steps > split.first_scored[:, None]
    )


def squared_error(reconstruction: Array, truth: Array, scored: NDArray[np.bool_]) -> float:
    """Mean squared error over all elements of the scored steps."""
    return float(np.square(reconstruction - truth)[scored].mean())


def reconstruction_metrics(
    reconstruction: Array, train: Split, test: Split, code_size: int, unit_interval: bool
) -> dict[str, float]:
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
