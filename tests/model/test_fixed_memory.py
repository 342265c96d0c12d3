"""Fixed first layers as products, beside the layers themselves."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lstm_ae.core.splits import Split
from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.params import Params
from lstm_ae.training.building import build
from lstm_ae.training.hyperparameters import Hyperparameters

# A code of 32 numbers and 28 lags.
HYPERPARAMETERS = Hyperparameters(hidden_size=60, lr=1e-3, gradient_clip=1.0, layers=2, epochs=1)


def images(count: int) -> np.ndarray:
    """Smooth blots of 28 by 28 pixels, pixel by pixel."""
    random = np.random.default_rng(0)
    place = np.arange(28) / 27
    centres = random.uniform(0.2, 0.8, (2, count, 1))
    down, right = np.exp(-40 * (place - centres) ** 2)
    return (255 * down[:, :, None] * right[:, None, :]).astype(np.uint8).reshape(count, 784, 1)


def pixels_model(params: Params, **changes) -> LSTMAutoencoder:
    """A model of the pixels whose first layers are fixed and whose upper layers say something."""
    form = params.section("mnist_pixels_class").model
    form = form.model_copy(update={"code_size": 32, **changes})
    model = build(form, HYPERPARAMETERS, Split(images(200)), None, seed=0)
    for stack in (model.encoder, model.decoder):
        stack.first.requires_grad_(False)
    torch.manual_seed(0)
    torch.nn.init.normal_(model.upper_readout.weight, std=0.02)
    return model


def sequences() -> torch.Tensor:
    return torch.from_numpy(images(8)).float() / 255


@torch.no_grad()
def distance(model: LSTMAutoencoder) -> float:
    """Of the memory at its ticks, as a share of its size."""
    period = model.architecture.period
    steps = model.encoder_states(sequences()).memory[period - 1 :: period]
    model.fix_memory()
    products = model._fixed_memory.encode(model.encoder_input(sequences()))
    return float((products * model.encoder.gain - steps).norm() / steps.norm())


@pytest.mark.parametrize("period", [1, 28, 49])
def test_products_are_the_steps_at_the_amplitude_of_the_study(params: Params, period: int) -> None:
    model = pixels_model(params, period=period)
    with torch.no_grad():
        wanted = model(sequences())
        assert distance(model) < 1e-3
        found = model(sequences())
    assert (found.code - wanted.code).norm() < 1e-3 * wanted.code.norm()
    size = (wanted.reconstruction - model.mean).norm()
    assert 0 < (found.reconstruction - wanted.reconstruction).norm() < 1e-3 * size


def test_the_distance_falls_with_the_square_of_the_amplitude(params: Params) -> None:
    far, near = (distance(pixels_model(params, amplitude=size)) for size in (0.01, 0.002))
    assert 15 < far / near < 35


def test_gradients_of_what_is_trained_are_those_of_the_steps(params: Params) -> None:
    model = pixels_model(params)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]

    def gradients() -> tuple[torch.Tensor, ...]:
        loss = (model(sequences()).reconstruction - sequences()).square().mean()
        return torch.autograd.grad(loss, trained, allow_unused=True)

    wanted = gradients()
    model.fix_memory()
    found = gradients()
    assert sum(gradient is not None for gradient in found) > 5
    for gradient, right in zip(found, wanted, strict=True):
        assert (gradient is None) == (right is None)
        if right is not None:
            assert (gradient - right).norm() <= 0.02 * right.norm()


def test_a_memory_that_is_trained_or_read_at_each_step_is_not_fixed(params: Params) -> None:
    model = pixels_model(params)
    model.encoder.first.requires_grad_(True)
    model.fix_memory()
    assert model._fixed_memory is None
    by_input = LSTMAutoencoder(replace(model.architecture, code_enters="input"))
    by_input.requires_grad_(False).fix_memory()
    assert by_input._fixed_memory is None
    plain = LSTMAutoencoder(model.architecture).requires_grad_(False)  # its gates move
    plain.fix_memory()
    assert plain._fixed_memory is None


def test_a_released_memory_takes_its_steps_again(params: Params) -> None:
    model = pixels_model(params)
    with torch.no_grad():
        wanted = model(sequences()).reconstruction
        model.fix_memory()
        assert not torch.equal(model(sequences()).reconstruction, wanted)
        model.release_memory()
        assert torch.equal(model(sequences()).reconstruction, wanted)
