"""Metrics of a model and of the baselines, by the usual definitions, from the right splits."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import accuracy_score, log_loss, mean_squared_error

from lstm_ae.core.splits import Description, Split
from lstm_ae.evaluation.metrics import (
    class_metrics,
    reconstruction_metrics,
    scored_steps,
    section_metrics,
    squared_error,
)
from lstm_ae.model.objectives import DeviceSplit, mean_losses
from lstm_ae.package.answers import compute_answers
from lstm_ae.units.layout import Layout
from tests.evaluation.cases import CPU, package_of


def test_scores_of_classes_are_by_their_definitions() -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(10), 200)
    labels = random.integers(0, 9, 200)  # one class is never true
    metrics = class_metrics(probabilities, labels)
    answers = probabilities.argmax(axis=1)
    assert metrics["accuracy"] == (answers == labels).mean() == accuracy_score(labels, answers)
    entropy = -np.log(probabilities[np.arange(200), labels]).mean()
    assert metrics["cross_entropy"] == pytest.approx(entropy)


def test_reconstruction_metrics_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    train, test = (Split(random.random((count, 6, 2), dtype=np.float32)) for count in (80, 20))
    reconstruction = random.random((20, 6, 2))
    metrics = reconstruction_metrics(reconstruction, train, test, 3, unit_interval=True)
    training, truth = (split.values().reshape(len(split), -1) for split in (train, test))
    pca = PCA(3).fit(training)
    linear = pca.inverse_transform(pca.transform(truth))
    for name, values in {
        "mse": reconstruction.reshape(20, -1),
        "mean_mse": np.tile(training.mean(axis=0), (20, 1)),
        "pca_mse": linear,
        "pca_clipped_mse": linear.clip(0, 1),
    }.items():
        assert metrics[name] == pytest.approx(mean_squared_error(truth, values)), name


def test_the_error_is_that_of_the_scored_steps() -> None:
    random = np.random.default_rng(0)
    reconstruction, truth = random.random((2, 30, 4, 2))
    scored = random.random((30, 4)) < 0.5
    error = mean_squared_error(truth[scored], reconstruction[scored])
    assert squared_error(reconstruction, truth, scored) == pytest.approx(error)


def test_training_and_evaluation_mean_the_same_by_a_loss() -> None:
    random = np.random.default_rng(0)
    split = Split(random.random((1100, 6, 1), dtype=np.float32), labels=random.integers(0, 3, 1100))
    model = package_of(Layout.of_sequences(6, 1), classes=3).model
    answers = compute_answers(model, split.sequences, CPU)
    weights = {"reconstruction": 0.9, "classification": 0.1}
    losses = mean_losses(model, DeviceSplit.of(split, CPU), "mse", weights)
    error = mean_squared_error(split.values().ravel(), answers.reconstruction.ravel())
    entropy = log_loss(split.labels, answers.probabilities)
    accuracy = accuracy_score(split.labels, answers.probabilities.argmax(axis=1))
    assert losses == pytest.approx(
        {
            "reconstruction": error,
            "classification": entropy,
            "accuracy": accuracy,
            "loss": 0.9 * error + 0.1 * entropy,
        },
        rel=1e-5,
    )


def test_steps_of_another_split_do_not_count() -> None:
    split = Split(np.zeros((2, 5, 1), np.float32), first_scored=np.array([1, 3]))
    assert scored_steps(split).tolist() == [
        [False, False, True, True, True],
        [False, False, False, False, True],
    ]


def test_baselines_are_fitted_on_training() -> None:
    random = np.random.default_rng(0)
    train = Split(random.integers(0, 256, (80, 6, 1)).astype(np.uint8))
    test = Split(np.zeros((20, 6, 1), np.uint8))
    metrics = reconstruction_metrics(test.values(), train, test, 3, unit_interval=True)
    assert metrics["mse"] == 0
    mean = train.values().mean(axis=0)
    assert metrics["mean_mse"] == pytest.approx(np.square(mean).mean())
    assert metrics["pca_clipped_mse"] <= metrics["pca_mse"]
    real = reconstruction_metrics(test.values(), train, test, 3, unit_interval=False)
    assert "pca_clipped_mse" not in real


def test_the_metrics_of_a_section_say_how_it_was_trained_and_its_sizes() -> None:
    random = np.random.default_rng(0)
    splits = {"train": Split(random.random((80, 6, 2), dtype=np.float32))}
    splits["test"] = Split(random.random((20, 6, 2), dtype=np.float32))
    about = {"best_epoch": 1, "diverged_at_epoch": None}
    package = replace(package_of(Layout.of_sequences(6, 2)), about=about)
    answers = compute_answers(package.model, splits["test"].sequences, CPU)
    description = Description("generated", unit_interval=True)
    curves = {"loss": {"validation": pd.Series([0.5, 0.25, 0.3])}}
    metrics = section_metrics(package, description, splits, answers, curves)
    errors = reconstruction_metrics(
        answers.reconstruction, splits["train"], splits["test"], 4, unit_interval=True
    )
    numbers = torch.nn.utils.parameters_to_vector(package.model.parameters())
    assert metrics == {
        **errors,
        "code_size": 4,
        "hidden_size": 8,
        "layers": 1,
        "sequence_length": 6,
        "features": 2,
        "parameters": len(numbers),
        "test_sequences": 20,
        "data_source": "generated",
        "best_epoch": 1,
        "diverged_at_epoch": None,
        "validation_loss": 0.25,
    }
