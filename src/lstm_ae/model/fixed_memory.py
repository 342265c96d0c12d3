"""First layers that no training changes, as matrix products instead of steps.

Where the gates of an LSTM layer stand still and its signals are small, it is the linear recurrence
h_t = f h_(t-1) + o i (W h_(t-1) + U x_t), as `training.initialization.spectral` starts it: what it
holds at step t is a product of all that it has read. The products differ from the layer by the
curvature of tanh, whose share falls with the square of the amplitude.

Shapes: B sequences, T steps, m features, H hidden units, P ticks of the upper layers.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lstm_ae.model.layers import LSTM, Constant, linear, multiply


class Recurrence(NamedTuple):
    """h_t = transition h_(t-1) + write x_t, but h_1 = first h_0 where the cell starts at h_0.

    Parameters
    ----------
    transition, first
        (H, H) float64.
    write
        (H, m) float64.
    """

    transition: Tensor
    first: Tensor
    write: Tensor


class FixedMemory:
    """The first layers of an encoder and of a decoder that starts from a state.

    Parameters
    ----------
    length
        T.
    period
        Steps between two ticks.
    like
        A tensor of the type and on the device of what is computed.
    """

    def __init__(
        self,
        encoder: Recurrence,
        decoder: Recurrence,
        length: int,
        period: int,
        like: Tensor,
    ) -> None:
        units, features = encoder.write.shape
        written = _powers(encoder.transition, encoder.write.T, period)
        moved = _powers(decoder.transition, decoder.first.T, length)
        by_state = moved[period - 1 :: period].permute(1, 0, 2).reshape(units, -1)
        by_inputs = written.flip(0).reshape(period * features, units)
        between_ticks = _power(encoder.transition.T, period)
        doublings = _doublings(decoder.transition, length)
        self.by_inputs = Constant(by_inputs.to(like))
        self.between_ticks = Constant(between_ticks.to(like))
        self.by_state = Constant(by_state.to(like))
        self.first = Constant(decoder.first.to(like))
        self.doublings = [Constant(power.to(like)) for power in doublings]
        self.length = length
        self.period = period

    def encode(self, steps: Tensor) -> Tensor:
        """Steps (T, B, m) to the encoder's memory at its ticks, (P, B, H)."""
        count = steps.shape[1]
        inputs = steps.unflatten(0, (-1, self.period)).transpose(1, 2)  # (P, B, period, m)
        written = multiply(inputs.flatten(0, 1).flatten(1), self.by_inputs)
        at_ticks = [written[:count]]
        for new in written.split(count)[1:]:
            at_ticks.append(multiply(at_ticks[-1], self.between_ticks) + new)
        return torch.stack(at_ticks)

    def decode(self, state: Tensor) -> Tensor:
        """The decoder's first state (B, H) to its memory at its ticks, (P, B, H)."""
        states = multiply(state, self.by_state)
        return states.unflatten(1, (-1, state.shape[1])).transpose(0, 1).contiguous()

    def read(
        self,
        state: Tensor,
        at_ticks: Tensor,
        weight: Tensor,
    ) -> Tensor:
        """What a readout (m, H) sees of the memory at each step: (T, B, m).

        Between ticks the readout goes back through the steps, not the memory forward: it is
        smaller.
        """
        if self.period == 1:
            return linear(at_ticks, weight)
        readouts = weight
        for power in self.doublings:
            readouts = torch.cat([readouts, multiply(readouts, power)])
        features = len(weight)
        readouts = multiply(readouts[: self.length * features], self.first)
        outputs = linear(state, readouts)
        return outputs.unflatten(1, (self.length, features)).transpose(0, 1)


def linear_recurrence(layer: LSTM) -> Recurrence | None:
    """What a layer computes while its signals are small; None where its gates move."""
    by_inputs, by_states, bias, other_bias = (
        weight.detach().cpu().double() for weight in layer.all_weights[0]
    )
    units = layer.hidden_size
    candidate = slice(2 * units, 3 * units)
    of_gates = torch.ones(4 * units, dtype=torch.bool)
    of_gates[candidate] = False
    biases = bias + other_bias
    if by_inputs[of_gates].any() or by_states[of_gates].any() or biases[candidate].any():
        return None
    opened, kept, _, out = biases.sigmoid().chunk(4)
    recurrent = (opened * out)[:, None] * by_states[candidate]
    return Recurrence(
        transition=recurrent + torch.diag(kept),
        first=recurrent + torch.diag(kept * out),
        write=(opened * out)[:, None] * by_inputs[candidate],
    )


def _power(matrix: Tensor, exponent: int) -> Tensor:
    result = torch.eye(len(matrix)).to(matrix)
    for digit in f"{exponent:b}":
        result = _product(result, result)
        if digit == "1":
            result = _product(result, matrix)
    return result


def _doublings(transition: Tensor, length: int) -> list[Tensor]:
    """Powers 1, 2, 4 .. of a matrix, as many as double one row to `length` of them."""
    powers = []
    reached = 1
    while reached < length:
        powers.append(transition)
        transition = _product(transition, transition)
        reached *= 2
    return powers


def _powers(transition: Tensor, rows: Tensor, length: int) -> Tensor:
    """Rows (n, H) after 0, 1 .. length - 1 steps: (length, n, H)."""
    after = rows[None]
    for power in _doublings(transition, length):
        moved = _product(after.flatten(0, 1), power.T)
        after = torch.cat([after, moved.unflatten(0, after.shape[:2])])
    return after[:length]


def _product(a: Tensor, b: Tensor) -> Tensor:
    return linear(a, b.T)
