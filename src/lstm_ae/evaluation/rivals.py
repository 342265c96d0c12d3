"""The errors of a section's rivals on the test split."""

from pathlib import Path

import torch

from lstm_ae.core.splits import Description, Split
from lstm_ae.evaluation.metrics import class_metrics, scored_steps, squared_error
from lstm_ae.package.answers import compute_answers
from lstm_ae.rivals.logistic import load_logistic
from lstm_ae.rivals.networks import load_network

NETWORKS = ("feed_forward", "convolutional")


def rival_metrics(
    directory: Path,
    test: Split,
    description: Description,
    device: torch.device,
) -> dict[str, float]:
    """The errors of each rival, by its name and measure.

    Parameters
    ----------
    directory
        What the stage `rivals` wrote.
    """
    truth = test.values()
    scored = scored_steps(test)
    metrics: dict[str, float] = {}
    for name in NETWORKS:
        if not (directory / name).is_dir():
            continue
        answers = compute_answers(load_network(directory / name), test.sequences, device)
        found = {"mse": squared_error(answers.reconstruction, truth, scored)}
        if description.unit_interval:
            clipped = answers.reconstruction.clip(0, 1)
            found["clipped_mse"] = squared_error(clipped, truth, scored)
        if answers.probabilities is not None and test.labels is not None:
            found |= class_metrics(answers.probabilities, test.labels)
        metrics |= {f"{name}_{measure}": value for measure, value in found.items()}
    fitted = directory / "logistic.safetensors"
    if fitted.is_file() and test.labels is not None:
        logistic = load_logistic(fitted)
        found = class_metrics(logistic.probabilities(truth), test.labels)
        metrics |= {f"logistic_{measure}": value for measure, value in found.items()}
    return metrics
