import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import accuracy_score, log_loss, mean_squared_error

from lstm_ae.core.splits import Split
from lstm_ae.evaluation.metrics import (
    class_metrics,
    reconstruction_metrics,
    scored_steps,
    squared_error,
)
from lstm_ae.model.autoencoder import Architecture, LSTMAutoencoder
from lstm_ae.model.objectives import DeviceSplit, mean_losses
from lstm_ae.package.answers import compute_answers


def test_answers_do_not_depend_on_the_batches() -> None:
    model = LSTMAutoencoder(
        Architecture(1, 6, 4, 4, 1, 1, "state", "backward", "linear", 3, 8, False)
    )
    sequences = np.random.default_rng(0).random((1100, 6, 1), dtype=np.float32)
    whole = compute_answers(model, sequences, torch.device("cpu"))
    some = compute_answers(model, sequences[700:703], torch.device("cpu"))
    assert np.allclose(whole.reconstruction[700:703], some.reconstruction, atol=1e-6)
    assert np.allclose(whole.probabilities.sum(axis=1), 1)
    assert whole.predictions is None


def test_scores_of_classes_are_by_their_definitions() -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(10), 200)
    labels = random.integers(0, 9, 200)  # one class is never true
    found = class_metrics(probabilities, labels)
    assert (
        found["accuracy"]
        == (probabilities.argmax(1) == labels).mean()
        == accuracy_score(labels, probabilities.argmax(1))
    )
    assert found["cross_entropy"] == pytest.approx(
        -np.log(probabilities[np.arange(200), labels]).mean()
    )


def test_reconstruction_metrics_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    train, test = (Split(random.random((count, 6, 2), dtype=np.float32)) for count in (80, 20))
    said = random.random((20, 6, 2))
    found = reconstruction_metrics(said, train, test, 3, unit_interval=True)
    known, truth = (split.values().reshape(len(split), -1) for split in (train, test))
    pca = PCA(3).fit(known)
    linear = pca.inverse_transform(pca.transform(truth))
    for name, wanted in {
        "mse": said.reshape(20, -1),
        "mean_mse": np.tile(known.mean(axis=0), (20, 1)),
        "pca_mse": linear,
        "pca_clipped_mse": linear.clip(0, 1),
    }.items():
        assert found[name] == pytest.approx(mean_squared_error(truth, wanted)), name


def test_the_error_is_that_of_the_scored_steps() -> None:
    random = np.random.default_rng(0)
    said, truth = random.random((2, 30, 4, 2))
    scored = random.random((30, 4)) < 0.5
    assert squared_error(said, truth, scored) == pytest.approx(
        mean_squared_error(truth[scored], said[scored])
    )


def test_training_and_evaluation_mean_the_same_by_a_loss() -> None:
    random = np.random.default_rng(0)
    split = Split(random.random((1100, 6, 1), dtype=np.float32), labels=random.integers(0, 3, 1100))
    model = LSTMAutoencoder(
        Architecture(1, 6, 4, 4, 1, 1, "state", "backward", "linear", 3, 8, False)
    )
    said = compute_answers(model, split.sequences, torch.device("cpu"))
    found = mean_losses(
        model,
        DeviceSplit.of(split, torch.device("cpu")),
        "mse",
        {"reconstruction": 0.9, "classification": 0.1},
    )
    error = mean_squared_error(split.values().ravel(), said.reconstruction.ravel())
    entropy = log_loss(split.labels, said.probabilities)
    assert found == pytest.approx(
        {
            "reconstruction": error,
            "classification": entropy,
            "accuracy": accuracy_score(split.labels, said.probabilities.argmax(1)),
            "loss": 0.9 * error + 0.1 * entropy,
        },
        rel=1e-5,
    )


def test_days_of_another_split_do_not_count() -> None:
    split = Split(np.zeros((2, 5, 1), np.float32), first_scored=np.array([1, 3]))
    assert scored_steps(split).tolist() == [
        [False, False, True, True, True],
        [False, False, False, False, True],
    ]


def test_baselines_are_fitted_on_training() -> None:
    random = np.random.default_rng(0)
    train, test = (
        Split(random.integers(0, 256, (80, 6, 1)).astype(np.uint8)),
        Split(np.zeros((20, 6, 1), np.uint8)),
    )
    found = reconstruction_metrics(test.values(), train, test, 3, unit_interval=True)
    assert found["mse"] == 0
    assert found["mean_mse"] == pytest.approx(np.square(train.values().mean(axis=0)).mean())
    assert found["pca_clipped_mse"] <= found["pca_mse"]
    assert "pca_clipped_mse" not in reconstruction_metrics(
        test.values(), train, test, 3, unit_interval=False
    )
