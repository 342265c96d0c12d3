"""The gradients of every form of the model, by input and parameter, against finite differences."""

from itertools import product

import pytest
import torch
from torch.func import functional_call

from lstm_ae.model.autoencoder import Architecture, LSTMAutoencoder

FORMS = [
    (*form, layers, period, classes, predicts)
    for *form, (layers, period), classes, predicts in product(
        ("state", "input"),
        ("backward", "forward"),
        ("linear", "sigmoid"),
        (2, 3),
        ((1, 1), (2, 1), (2, 2)),
        (None, 2),
        (False, True),
    )
    if not (predicts and period > 1)  # a prediction needs upper layers that tick at every step
]


@pytest.mark.parametrize(
    ("enters", "decoding", "output", "code_size", "layers", "period", "classes", "predicts"), FORMS
)
def test_gradients_are_right(
    enters, decoding, output, code_size, layers, period, classes, predicts
) -> None:
    model = LSTMAutoencoder(
        Architecture(
            2, 4, 3, 5, code_size, layers, period, enters, decoding, output, classes, 3, predicts
        )
    ).double()
    for buffer in model.buffers():  # an initialization sets them
        buffer.uniform_(0.5, 2)
    names, parameters = zip(*model.named_parameters(), strict=True)

    def outputs(sequences, *values):
        found = functional_call(model, dict(zip(names, values, strict=True)), (sequences,))
        return tuple(tensor for tensor in found if tensor is not None)

    sequences = torch.rand(2, 4, 2, dtype=torch.float64, requires_grad=True)
    assert len(outputs(sequences, *parameters)) == 2 + bool(classes) + predicts
    assert torch.autograd.gradcheck(outputs, (sequences, *parameters), fast_mode=True)
