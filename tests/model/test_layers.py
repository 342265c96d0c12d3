"""The layers against torch's own."""

import pytest
import torch
from torch import nn

from lstm_ae.model.layers import INFERENCE_STEPS, LSTM, Linear

TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-12}


def both(layers: int, dtype: torch.dtype) -> tuple[LSTM, nn.LSTM]:
    torch.manual_seed(0)
    own, wanted = LSTM(5, 11, layers).to(dtype), nn.LSTM(5, 11, layers).to(dtype)
    wanted.load_state_dict(own.state_dict())
    return own, wanted


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize(("steps", "count"), [(1, 1), (20, 7)])
@pytest.mark.parametrize("has_state", [False, True])
def test_an_lstm_is_torchs_to_rounding(dtype, layers, steps, count, has_state) -> None:
    own, wanted = both(layers, dtype)
    sequences = torch.randn(steps, count, 5, dtype=dtype)
    state = None
    if has_state:
        state = (torch.randn(layers, count, 11).to(dtype), torch.randn(layers, count, 11).to(dtype))
    weights = torch.randn(steps, count, 11, dtype=dtype)

    def gradients(layer: nn.LSTM, begin) -> list[torch.Tensor]:
        inputs = sequences.clone().requires_grad_()
        outputs, (hidden, cells) = layer(inputs, begin)
        ends = sum((part * (n + 1)).sum() for n, part in enumerate([*hidden, *cells]))
        found = torch.autograd.grad((outputs * weights).sum() + ends, [inputs, *layer.parameters()])
        return [outputs, *found]

    begin = (state[0].unbind(), state[1].unbind()) if state else None
    for found, right in zip(gradients(own, begin), gradients(wanted, state), strict=True):
        torch.testing.assert_close(found, right, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * 10)


@pytest.mark.parametrize("has_bias", [False, True])
def test_a_linear_map_is_torchs_to_rounding(has_bias: bool) -> None:
    torch.manual_seed(0)
    own, wanted = Linear(9, 4, bias=has_bias), nn.Linear(9, 4, bias=has_bias)
    wanted.load_state_dict(own.state_dict())
    inputs = torch.randn(3, 7, 9).transpose(0, 1).requires_grad_()  # its rows are not neighbours
    torch.testing.assert_close(own(inputs), wanted(inputs))
    for layer in (own, wanted):
        layer(inputs).square().sum().backward()
    for found, right in zip(own.parameters(), wanted.parameters(), strict=True):
        torch.testing.assert_close(found.grad, right.grad)


def test_gradients_are_right_where_the_graph_is_kept() -> None:
    own, _ = both(2, torch.float64)
    inputs = torch.randn(4, 2, 5, dtype=torch.float64, requires_grad=True)
    outputs, _ = own(inputs)
    first, again = (torch.autograd.grad(outputs.sum(), inputs, retain_graph=True) for _ in range(2))
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert torch.autograd.gradcheck(lambda steps: own(steps)[0], inputs)


def test_a_layer_that_is_used_says_what_it_says_in_training() -> None:
    own, _ = both(2, torch.float32)
    sequences = torch.randn(INFERENCE_STEPS * 2 + 5, 3, 5)
    outputs, state = own(sequences)
    with torch.no_grad():
        used, used_state = own(sequences)
    assert torch.equal(used, outputs)
    for found, wanted in zip([*used_state[0], *used_state[1]], [*state[0], *state[1]], strict=True):
        assert torch.equal(found, wanted)


def test_autocast_changes_nothing_on_the_cpu() -> None:
    layer, _ = both(1, torch.float32)
    readout = Linear(11, 2)
    sequences = torch.randn(6, 2, 5)
    right = readout(layer(sequences)[0])
    with torch.autocast("cpu", torch.bfloat16):
        outputs = readout(layer(sequences)[0])
    assert torch.equal(outputs, right)
