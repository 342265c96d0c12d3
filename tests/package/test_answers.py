import numpy as np
import torch

from lstm_ae.model.autoencoder import Architecture, LSTMAutoencoder
from lstm_ae.package.answers import compute_answers


def test_answers_do_not_depend_on_the_batches() -> None:
    architecture = Architecture(1, 6, 4, 4, 4, 1, 1, "state", "backward", "linear", 3, 8, False)
    model = LSTMAutoencoder(architecture)
    sequences = np.random.default_rng(0).random((1100, 6, 1), dtype=np.float32)
    whole = compute_answers(model, sequences, torch.device("cpu"))
    part = compute_answers(model, sequences[700:703], torch.device("cpu"))
    assert np.allclose(whole.reconstruction[700:703], part.reconstruction, atol=1e-6)
    assert np.allclose(whole.probabilities.sum(axis=1), 1)
    assert whole.predictions is None
