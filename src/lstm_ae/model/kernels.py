"""An LSTM layer on the CPU, forwards and backwards.

Shapes: B sequences, T steps, m inputs, H hidden units. Arrays are C-contiguous.
"""

from typing import NamedTuple

import numpy as np

from lstm_ae.model.compiling import compiled
from lstm_ae.model.products import BLOCK_ROWS, add_product, matrix, pack, transposed
from lstm_ae.model.tiles import Array, Matrix, fma, tanh


class Layer(NamedTuple):
    """The weights of a layer, gates in torch's order: input, forget, candidate, output.

    Parameters
    ----------
    inputs, states
        (4 H, m) and (4 H, H).
    bias
        (4 H,).
    """

    inputs: Array
    states: Array
    bias: Array


class State(NamedTuple):
    """Hidden and cell state of a layer, or their gradients, (B, H) each."""

    hidden: Array
    cells: Array


class Trace(NamedTuple):
    """What a layer did.

    Parameters
    ----------
    gates
        (T, B, row), row a multiple of `panel_width` from 4 H on.
    cells, hidden
        (T + 1, B, H), the state before the first step first.
    """

    gates: Array
    cells: Array
    hidden: Array


@compiled
def forward(inputs, layer, trace):
    """Run a layer over inputs (T, B, m) from the first state of the trace, which is filled."""
    gates, cells, hidden = trace
    length, count, row = gates.shape
    units = hidden.shape[2]
    by_inputs = pack(layer.inputs.T)
    by_states = pack(layer.states.T)
    # sigmoid(x) = (1 + tanh(x / 2)) / 2
    scale = np.full(row, 0.5).astype(hidden.dtype)
    scale[2 * units : 3 * units] = 1
    shift = 1 - scale
    block = block_steps(count)
    for begin in range(0, length, block):
        end = min(begin + block, length)
        gates[begin:end, :, : 4 * units] = layer.bias
        gates[begin:end, :, 4 * units :] = 0
        rows = (end - begin) * count
        add_product(from_step(inputs, begin), by_inputs, from_step(gates, begin), rows, row)
        for t in range(begin, end):
            add_product(from_step(hidden, t), by_states, from_step(gates, t), count, row)
            for n in range(count):
                gate = gates[t, n]
                last = cells[t, n]
                cell = cells[t + 1, n]
                out = hidden[t + 1, n]
                for j in range(row):
                    gate[j] = fma(scale[j], tanh(scale[j] * gate[j]), shift[j])
                for j in range(units):
                    kept = gate[units + j] * last[j]
                    cell[j] = fma(gate[j], gate[2 * units + j], kept)
                for j in range(units):
                    out[j] = gate[3 * units + j] * tanh(cell[j])


@compiled
def backward(arriving, inputs, layer, trace, last, needs_inputs):
    """Go back through a layer; the gates of the trace are overwritten.

    Parameters
    ----------
    arriving
        (T, B, H) gradients of the hidden states at all steps.
    last
        Gradients of the last state, which become those of the first.
    needs_inputs
        Whether the gradients of the inputs are needed; else they are 0.

    Returns
    -------
    Gradients of the inputs, and of the weights: (m, 4 H) and (H, 4 H), transposed, and (4 H,).
    """
    gates, _, hidden = trace
    length, count, row = gates.shape
    features = inputs.shape[2]
    units = hidden.shape[2]
    columns = 4 * units
    back_to_states = pack(layer.states)
    back_to_inputs = pack(layer.inputs)
    of_inputs = np.zeros(inputs.shape, inputs.dtype)
    by_inputs = np.zeros((features, columns), inputs.dtype)
    by_states = np.zeros((units, columns), inputs.dtype)
    bias = np.zeros(columns, inputs.dtype)
    block = block_steps(count)
    end = length
    while end > 0:
        begin = max(end - block, 0)
        for t in range(end - 1, begin - 1, -1):
            _gate_gradients(t, arriving[t], trace, last)
            add_product(from_step(gates, t), back_to_states, matrix(last.hidden), count, units)
        rows = (end - begin) * count
        if needs_inputs:
            d_gates = from_step(gates, begin)
            add_product(d_gates, back_to_inputs, from_step(of_inputs, begin), rows, features)
        of_block = gates[begin:end].reshape(rows, row)[:, :columns]
        packed = pack(of_block)
        values = transposed(from_step(inputs, begin))
        add_product(values, packed, matrix(by_inputs), features, columns)
        values = transposed(from_step(hidden, begin))
        add_product(values, packed, matrix(by_states), units, columns)
        for n in range(rows):
            for j in range(columns):
                bias[j] += of_block[n, j]
        end = begin
    return of_inputs, by_inputs, by_states, bias


@compiled
def _gate_gradients(t, arriving, trace, last):
    """Put the gradients of the gates of step t in their place; `last` goes back through the step.

    What reaches the hidden state before is not added yet.
    """
    gates, cells, _ = trace
    count, units = arriving.shape
    squashed = np.empty(units, cells.dtype)
    for n in range(count):
        gate = gates[t, n]
        before = cells[t, n]
        d_hidden = last.hidden[n]
        d_cell = last.cells[n]
        for j in range(units):
            d_hidden[j] += arriving[n, j]
        for j in range(units):
            squashed[j] = tanh(cells[t + 1, n, j])
        for j in range(units):
            slope = fma(-squashed[j], squashed[j], 1)
            d_cell[j] = fma(d_hidden[j] * gate[3 * units + j], slope, d_cell[j])
        for j in range(units):
            o = gate[3 * units + j]
            gate[3 * units + j] = d_hidden[j] * squashed[j] * fma(-o, o, o)
            d_hidden[j] = 0
        for j in range(units):
            i = gate[j]
            g = gate[2 * units + j]
            gate[j] = d_cell[j] * g * fma(-i, i, i)
            gate[2 * units + j] = d_cell[j] * i * fma(-g, g, 1)
        for j in range(units):
            f = gate[units + j]
            gate[units + j] = d_cell[j] * before[j] * fma(-f, f, f)
            d_cell[j] *= f


@compiled
def from_step(array, t):
    """An array (T, B, n) from step t on, as a matrix whose rows are its sequences."""
    _, count, row = array.shape
    return Matrix(array.reshape(-1), t * count * row, row, 1)


@compiled
def block_steps(count):
    """How many steps of `count` rows are at hand at once."""
    return max(1, BLOCK_ROWS // count)
