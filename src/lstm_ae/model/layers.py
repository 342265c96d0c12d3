"""Layers that compute by the kernels of this room on the CPU, and by torch elsewhere.

Their parameters are torch's own, by name, shape and start. On other devices and in half precision
torch's operations run. Autocast on the CPU changes nothing.

Shapes: B sequences, T steps, H hidden units.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from lstm_ae.model import kernels, products
from lstm_ae.model.kernels import Layer, Trace, backward, forward
from lstm_ae.model.products import pack, packed_product, panel_width
from lstm_ae.model.tiles import Array

INFERENCE_STEPS = 64  # whose gates are held at once

# Hidden and cell states of the layers of an LSTM, (B, H) each.
State = tuple[Sequence[Tensor], Sequence[Tensor]]


class Linear(nn.Linear):
    """A linear map of the last axis."""

    def forward(self, inputs: Tensor) -> Tensor:
        return linear(inputs, self.weight, self.bias)


class LSTM(nn.LSTM):
    """Layers of an LSTM, one upon the other."""

    def forward(  # type: ignore[override]
        self,
        inputs: Tensor,
        state: State | None = None,
    ) -> tuple[Tensor, State]:
        """Run the layers over inputs (T, B, m) from a state, or from zero.

        Returns
        -------
        The hidden states of the last layer, (T, B, H), and the state at the end.
        """
        if state is None:
            zero = inputs.new_zeros(inputs.shape[1], self.hidden_size)
            state = ([zero] * self.num_layers, [zero] * self.num_layers)
        if not _has_kernel(inputs):
            first_hidden, first_cells = (torch.stack(list(layers)) for layers in state)
            outputs, (hidden, cells) = super().forward(inputs, (first_hidden, first_cells))
            return outputs, (hidden.unbind(), cells.unbind())
        if torch.is_grad_enabled():
            return self._run(inputs, state)
        parts = []
        for steps in inputs.split(INFERENCE_STEPS):
            output, state = self._run(steps, state)
            parts.append(output)
        return torch.cat(parts), state

    def _run(self, steps: Tensor, state: State) -> tuple[Tensor, State]:
        last_hidden = []
        last_cells = []
        for weights, *begin in zip(self.all_weights, *state, strict=True):
            steps, hidden, cells = _Recurrence.apply(steps, *begin, *weights)
            last_hidden.append(hidden)
            last_cells.append(cells)
        return steps, (last_hidden, last_cells)


class Constant:
    """A matrix (K, N) that no training changes, laid out once for many products."""

    def __init__(self, matrix: Tensor) -> None:
        self.matrix = matrix
        if _has_kernel(matrix):
            self.packed = pack(_array(matrix))
            self.packed_transpose = pack(_array(matrix.T))


def multiply(a: Tensor, b: Constant) -> Tensor:
    """The matrix product a (M, K) @ b (K, N)."""
    if not _has_kernel(a):
        return a @ b.matrix
    result: Tensor = _Product.apply(a, b)
    return result


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, a: Tensor, b: Constant) -> Tensor:
        context.b = b
        columns = b.matrix.shape[1]
        return torch.from_numpy(packed_product(_array(a), b.packed, columns))

    @staticmethod
    @once_differentiable
    def backward(context: Any, arriving: Tensor) -> Any:
        b = context.b
        columns = len(b.matrix)
        of_a = packed_product(_array(arriving), b.packed_transpose, columns)
        return torch.from_numpy(of_a), None


def product(a: Tensor, b: Tensor) -> Tensor:
    """a (M, K) @ b (K, N), without a gradient."""
    if not _has_kernel(a):
        return a @ b
    return torch.from_numpy(products.product(_array(a), _array(b)))


def inner_product(a: Tensor, b: Tensor) -> Tensor:
    """The transpose of a (K, M) @ b (K, N), without a gradient."""
    if not _has_kernel(a):
        return a.T @ b
    return torch.from_numpy(products.inner_product(_array(a), _array(b)))


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """inputs (.., K) @ weight (N, K) transposed + bias (N,)."""
    if not _has_kernel(inputs):
        return functional.linear(inputs, weight, bias)
    outputs: Tensor = _Affine.apply(inputs, weight, bias)
    return outputs


class _Affine(torch.autograd.Function):
    """inputs @ weight.T + bias, over the last axis."""

    @staticmethod
    def forward(
        context: Any,
        inputs: Tensor,
        weight: Tensor,
        bias: Tensor | None,
    ) -> Tensor:
        context.save_for_backward(inputs, weight)
        rows = _array(inputs).reshape(-1, inputs.shape[-1])
        outputs = products.product(rows, weight.detach().numpy().T)
        if bias is not None:
            outputs += bias.detach().numpy()
        return torch.from_numpy(outputs).view(*inputs.shape[:-1], len(weight))

    @staticmethod
    @once_differentiable
    def backward(context: Any, arriving: Tensor) -> Any:
        inputs, weight = context.saved_tensors
        needs_inputs, needs_weight, needs_bias = context.needs_input_grad
        of_rows = _array(arriving).reshape(-1, arriving.shape[-1])
        of_inputs = of_weight = of_bias = None
        if needs_inputs:
            arrived = products.product(of_rows, weight.detach().numpy())
            of_inputs = torch.from_numpy(arrived).view_as(inputs)
        if needs_weight:
            rows = _array(inputs).reshape(-1, inputs.shape[-1])
            of_weight = torch.from_numpy(products.inner_product(of_rows, rows))
        if needs_bias:
            of_bias = torch.from_numpy(of_rows.sum(axis=0))
        return of_inputs, of_weight, of_bias


class _Recurrence(torch.autograd.Function):
    """One layer of an LSTM."""

    @staticmethod
    def forward(
        context: Any,
        inputs: Tensor,
        hidden: Tensor,
        cells: Tensor,
        *weights: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        by_inputs, by_states, *biases = (_array(weight) for weight in weights)
        layer = Layer(by_inputs, by_states, biases[0] + biases[1])
        steps = _array(inputs)
        trace = _first_of(steps, _array(hidden), _array(cells))
        forward(steps, layer, trace)
        context.run = (steps, layer, trace)
        context.gates_are_gradients = False
        return (
            torch.from_numpy(trace.hidden[1:]),
            torch.from_numpy(trace.hidden[-1]),
            torch.from_numpy(trace.cells[-1]),
        )

    @staticmethod
    @once_differentiable
    def backward(context: Any, *arriving: Tensor) -> Any:
        steps, layer, trace = context.run
        if context.gates_are_gradients:  # the graph was kept for another pass
            forward(steps, layer, trace)
        context.gates_are_gradients = True
        states, hidden, cells = (_array(gradient) for gradient in arriving)
        last = kernels.State(hidden.copy(), cells.copy())
        needs_inputs = context.needs_input_grad[0]
        found = backward(states, steps, layer, trace, last, needs_inputs)
        of_inputs, by_inputs, by_states, bias = map(torch.from_numpy, found)
        return (
            of_inputs,
            torch.from_numpy(last.hidden),
            torch.from_numpy(last.cells),
            by_inputs.t(),
            by_states.t(),
            bias,
            bias.clone(),  # each may be scaled in place
        )


def _first_of(steps: Array, hidden: Array, cells: Array) -> Trace:
    """A trace with room for these steps, at its first state."""
    length, count, _ = steps.shape
    units = hidden.shape[1]
    width = panel_width(steps)
    row = -(-4 * units // width) * width
    trace = Trace(
        gates=np.empty((length, count, row), steps.dtype),
        cells=np.empty((length + 1, count, units), steps.dtype),
        hidden=np.empty((length + 1, count, units), steps.dtype),
    )
    trace.hidden[0] = hidden
    trace.cells[0] = cells
    return trace


def _has_kernel(tensor: Tensor) -> bool:
    return tensor.device.type == "cpu" and tensor.dtype in (torch.float32, torch.float64)


def _array(tensor: Tensor) -> Array:
    return np.ascontiguousarray(tensor.detach().numpy())
