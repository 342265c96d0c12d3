import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss, mean_squared_error

from lstm_ae.datasets.base import Split
from lstm_ae.evaluation import answers, class_metrics, reconstruction_metrics, scored_steps, squared_error
from lstm_ae.model import Architecture, LSTMAutoencoder


def test_answers_do_not_depend_on_the_batches() -> None:
    model = LSTMAutoencoder(Architecture(1, 6, 4, 4, 1, 1, "state", "backward", "linear", 3, 8, False))
    sequences = np.random.default_rng(0).random((1100, 6, 1), dtype=np.float32)
    whole = answers(model, sequences, torch.device("cpu"))
    some = answers(model, sequences[700:703], torch.device("cpu"))
    assert np.allclose(whole.reconstruction[700:703], some.reconstruction, atol=1e-6)
    assert np.allclose(whole.probabilities.sum(axis=1), 1)
    assert whole.predictions is None


def test_metrics_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(10), 200)
    labels = random.integers(0, 10, 200)
    found = class_metrics(probabilities, labels)
    assert found["accuracy"] == accuracy_score(labels, probabilities.argmax(1))
    assert found["cross_entropy"] == pytest.approx(log_loss(labels, probabilities, labels=range(10)))
    a, b = random.random((2, 30, 4, 2))
    everything = np.ones((30, 4), bool)
    assert squared_error(a, b, everything) == pytest.approx(mean_squared_error(b.ravel(), a.ravel()))


def test_days_of_another_split_do_not_count() -> None:
    split = Split(np.zeros((2, 5, 1), np.float32), first_scored=np.array([1, 3]))
    assert scored_steps(split).tolist() == [[False, False, True, True, True], [False, False, False, False, True]]


def test_baselines_are_fitted_on_training() -> None:
    random = np.random.default_rng(0)
    train, test = Split(random.integers(0, 256, (80, 6, 1)).astype(np.uint8)), Split(np.zeros((20, 6, 1), np.uint8))
    found = reconstruction_metrics(test.values(), train, test, 3, unit_interval=True)
    assert found["mse"] == 0
    assert found["mean_mse"] == pytest.approx(np.square(train.values().mean(axis=0)).mean())
    assert found["pca_clipped_mse"] <= found["pca_mse"]
    assert "pca_clipped_mse" not in reconstruction_metrics(test.values(), train, test, 3, unit_interval=False)
