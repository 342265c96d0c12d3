"""Metrics of a model and of the baselines on the same test sequences."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, log_loss

from lstm_ae.core.splits import Description, Split
from lstm_ae.evaluation.baselines import mean_reconstruction, pca_reconstruction
from lstm_ae.evaluation.curves import Curves
from lstm_ae.package.answers import Answers
from lstm_ae.package.package import Package

Array = NDArray[np.float64]


def scored_steps(split: Split) -> NDArray[np.bool_]:
    """The steps (N, T) whose reconstruction counts."""
    steps = np.arange(split.sequences.shape[1])
    if split.first_scored is None:
        return np.ones((len(split), steps.size), bool)
    return steps > split.first_scored[:, None]


def squared_error(
    reconstruction: Array,
    truth: Array,
    scored: NDArray[np.bool_],
) -> float:
    """Mean squared error over all elements of the scored steps."""
    return float(np.square(reconstruction - truth)[scored].mean())


def reconstruction_metrics(
    reconstruction: Array,
    train: Split,
    test: Split,
    code_size: int,
    unit_interval: bool,
) -> dict[str, float]:
    """Errors of the model, of the training mean and of PCA with as many numbers as the code.

    Returns
    -------
    dict
        `mse`, `mean_mse`, `pca_mse`, and `pca_clipped_mse` where data live in [0, 1].
    """
    training = train.values()
    truth = test.values()
    scored = scored_steps(test)
    mean = mean_reconstruction(training, truth)
    pca = pca_reconstruction(training, truth, code_size)
    metrics = {
        "mse": squared_error(reconstruction, truth, scored),
        "mean_mse": squared_error(mean, truth, scored),
        "pca_mse": squared_error(pca, truth, scored),
    }
    if unit_interval:
        metrics["pca_clipped_mse"] = squared_error(pca.clip(0, 1), truth, scored)
    return metrics


def section_metrics(
    package: Package,
    description: Description,
    splits: dict[str, Split],
    answers: Answers,
    curves: Curves,
) -> dict[str, Any]:
    """The metrics that a section of every kind has: errors on test, sizes, how it was trained."""
    architecture = package.model.architecture
    about = package.about
    best_epoch = about["best_epoch"]
    errors = reconstruction_metrics(
        answers.reconstruction,
        splits["train"],
        splits["test"],
        architecture.code_size,
        description.unit_interval,
    )
    return {
        **errors,
        "code_size": architecture.code_size,
        "hidden_size": architecture.hidden_size,
        "layers": architecture.layers,
        "sequence_length": architecture.sequence_length,
        "features": architecture.features,
        "parameters": sum(parameter.numel() for parameter in package.model.parameters()),
        "test_sequences": len(splits["test"]),
        "data_source": description.data_source,
        "best_epoch": best_epoch,
        "diverged_at_epoch": about["diverged_at_epoch"],
        "validation_loss": float(curves["loss"]["validation"][best_epoch]),
    }


def class_metrics(probabilities: Array, labels: NDArray[np.int64]) -> dict[str, float]:
    """`accuracy` and `cross_entropy`, in nats."""
    classes = np.arange(probabilities.shape[1])
    return {
        "accuracy": float(accuracy_score(labels, probabilities.argmax(axis=1))),
        "cross_entropy": float(log_loss(labels, probabilities, labels=classes)),
    }
