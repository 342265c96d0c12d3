"""Muon: where its steps lead and how long they are."""

import pytest
import torch

from lstm_ae.model.autoencoder import Architecture, LSTMAutoencoder
from lstm_ae.training.muon import ADAMS_STEP, Muon, orthogonal


def model() -> LSTMAutoencoder:
    return LSTMAutoencoder(
        Architecture(2, 6, 8, 5, 3, 3, 1, "state", "backward", "linear", 4, 7, False)
    )


@pytest.mark.parametrize("shape", [(12, 12), (30, 7), (7, 30)])
def test_an_orthogonal_matrix_keeps_its_directions(shape) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    _, values, _ = torch.linalg.svd(orthogonal(matrix), full_matrices=False)
    assert values.min() > 0.6 and values.max() < 1.3
    first, _, last = torch.linalg.svd(matrix, full_matrices=False)
    nearest = first @ last
    found = orthogonal(matrix)
    cosine = (found * nearest).sum() / found.norm() / nearest.norm()
    assert cosine > 0.97


def test_nothing_gives_no_step() -> None:
    assert torch.equal(orthogonal(torch.zeros(3, 4)), torch.zeros(3, 4))


def test_a_step_has_the_size_of_adams_whatever_the_gradient() -> None:
    weight = torch.nn.Parameter(torch.zeros(40, 10))
    optimizer = Muon([{"params": [weight], "matrices": 4}], lr=0.1)
    weight.grad = 1e-6 * torch.randn(40, 10, generator=torch.Generator().manual_seed(0))
    optimizer.step()
    size = weight.detach().square().mean().sqrt()
    assert float(size) == pytest.approx(0.1 * ADAMS_STEP, rel=0.2)


def test_gates_are_matrices_and_the_class_head_is_left_to_adam() -> None:
    found = {}
    autoencoder = model()
    names = {parameter: name for name, parameter in autoencoder.named_parameters()}
    for parameter, count in autoencoder.matrices().items():
        found[names[parameter]] = count
    upper = [
        f"{stack}.upper.layers.{layer}.weight_{kind}_l0"
        for stack in ("encoder", "decoder")
        for layer in (0, 1)
        for kind in ("ih", "hh")
    ]
    assert {name for name, count in found.items() if count == 4} == set(upper)
    linear = {"to_code", "from_code", "readout", "upper_readout"}
    assert {name for name, count in found.items() if count == 1} == {
        f"{name}.weight" for name in linear
    }
