"""A trained model as ONNX, written node by node: one LSTM operator a layer, any batch size.

Shapes as in `lstm_ae.model.autoencoder`: B sequences of T steps of m variables, H hidden units.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper
from torch import Tensor, nn

from lstm_ae.core.files import write_bytes
from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.model.stack import Stack

OPSET = 17
GATES = [0, 3, 1, 2]  # input, forget, cell, output in torch; input, output, forget, cell in ONNX


class Graph:
    """Nodes and constants in the order they are added; a value goes by its name."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: Any, output: str = "", **attributes: Any) -> str:
        """Add a node.

        Parameters
        ----------
        inputs
            The names of values; tensors, arrays and lists become constants.
        output
            A name for the value of the node. "": any.

        Returns
        -------
        str
            The name of the value.
        """
        names = [entry if isinstance(entry, str) else self._constant(entry) for entry in inputs]
        name = output or f"value_{len(self.nodes)}"
        node = helper.make_node(operator, names, [name], **attributes)
        self.nodes.append(node)
        return name

    def _constant(self, values: Any) -> str:
        if isinstance(values, Tensor):
            values = values.detach().cpu().numpy()
        array = np.ascontiguousarray(values)
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def slice(self, value: str, start: int, end: int, step: int = 1) -> str:
        """Every `step`-th entry along the first axis."""
        first_axis = [0]
        return self.add("Slice", value, [start], [end], first_axis, [step])

    def linear(self, layer: nn.Module, value: str) -> str:
        """A linear layer, or the value itself where the layer is the identity."""
        if isinstance(layer, nn.Identity):
            return value
        assert isinstance(layer, nn.Linear)
        product = self.add("MatMul", value, layer.weight.T)
        if layer.bias is None:
            return product
        return self.add("Add", product, layer.bias)

    def lstm(self, lstm: nn.Module, steps: str, state: str = "") -> str:
        """The hidden states (T, B, H) of a layer that reads (T, B, inputs).

        Parameters
        ----------
        state
            (1, B, H), the first hidden state and the first cell state. "": both are zero.
        """
        assert isinstance(lstm, nn.LSTM)
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        inner, recurrent, *biases = [_gates(lstm, f"{name}_l0") for name in names]
        weights = [inner, recurrent, np.concatenate(biases)]
        one_direction = [array[None] for array in weights]
        lengths = ""  # all sequences are as long
        states = [lengths, state, state] if state else []
        hidden_size = lstm.hidden_size
        hidden = self.add("LSTM", steps, *one_direction, *states, hidden_size=hidden_size)
        return self.add("Squeeze", hidden, [1])

    def stack(self, stack: Stack, steps: str, length: int, state: str = "") -> list[str]:
        """The states of a stack that reads (T, B, inputs).

        Returns
        -------
        list
            The memory, (T, B, H), and where there are upper layers what they pass on,
            (T / period, B, U).
        """
        states = self.lstm(stack.first, steps, state)
        memory = self.add("Mul", states, stack.gain)
        if stack.upper is None:
            return [memory]
        upper = self.slice(memory, stack.period - 1, length, stack.period)
        first, *others = stack.upper.layers
        upper = self.lstm(first, upper)
        for layer in others:
            upper = self.add("Add", upper, self.lstm(layer, upper))
        return [memory, upper]


def graph_of(model: LSTMAutoencoder) -> ModelProto:
    """The model as a graph.

    It maps `sequences` (B, T, m) to `reconstruction` (B, T, m), `code` (B, code_size), and where
    the model has them `logits` (B, classes) and `predictions` (B, T, m).
    """
    architecture, graph = model.architecture, Graph()
    steps = [architecture.sequence_length, architecture.features]
    encoded = _encode(graph, model)
    code = _code(graph, model, encoded)
    _reconstruct(graph, model, _decode(graph, model, code))
    shapes = {"reconstruction": steps, "code": [architecture.code_size]}
    if model.classifier is not None:
        assert architecture.classes is not None
        _classify(graph, model.classifier, code)
        shapes["logits"] = [architecture.classes]
    if model.predictor is not None:
        joined = graph.add("Concat", *encoded, axis=2)
        predictions = graph.linear(model.predictor, joined)
        graph.add("Transpose", predictions, perm=[1, 0, 2], output="predictions")
        shapes["predictions"] = steps
    return _checked_model(graph, steps, shapes)


def export(model: LSTMAutoencoder, path: Path, metadata: dict[str, str]) -> None:
    """Write the graph, with `metadata` beside it: the same bytes for the same model."""
    proto = graph_of(model)
    helper.set_model_props(proto, metadata)
    write_bytes(path, proto.SerializeToString(deterministic=True))


def _gates(lstm: nn.LSTM, name: str) -> NDArray[np.float32]:
    """Weights or biases of a layer, their gates in the order of ONNX."""
    rows = getattr(lstm, name).detach().cpu().numpy()
    by_gate = rows.reshape(4, lstm.hidden_size, *rows.shape[1:])
    return np.asarray(by_gate[GATES].reshape(rows.shape))


def _encode(graph: Graph, model: LSTMAutoencoder) -> list[str]:
    """The states of the encoder that reads `sequences`."""
    centred = graph.add("Sub", "sequences", model.mean)
    scaled = graph.add("Mul", centred, model.input_gain)
    steps = graph.add("Transpose", scaled, perm=[1, 0, 2])
    return graph.stack(model.encoder, steps, model.architecture.sequence_length)


def _code(graph: Graph, model: LSTMAutoencoder, encoded: list[str]) -> str:
    """`code`, from the states at the end of the encoder."""
    length = model.architecture.sequence_length
    ends = [graph.slice(states, -1, length) for states in encoded]
    joined = graph.add("Concat", *ends, axis=2)
    end = graph.add("Squeeze", joined, [0])
    code = graph.linear(model.to_code, end)
    return graph.add("Identity", code, output="code")


def _decode(graph: Graph, model: LSTMAutoencoder, code: str) -> list[str]:
    """The states of the decoder: the code is its first state, or its input at each step."""
    architecture = model.architecture
    length = architecture.sequence_length
    batch = graph.slice(graph.add("Shape", code), 0, 1)
    if architecture.code_enters == "input":
        shape = graph.add("Concat", [length], batch, [architecture.code_size], axis=0)
        codes = graph.add("Expand", code, shape)
        return graph.stack(model.decoder, codes, length)
    scaled = graph.linear(model.from_code, code)
    memory = graph.add("Div", scaled, model.decoder.gain)
    state = graph.add("Unsqueeze", memory, [0])
    zero = np.zeros((1, 1, 1), np.float32)
    shape = graph.add("Concat", [length], batch, [1], axis=0)
    zeros = graph.add("Expand", zero, shape)
    return graph.stack(model.decoder, zeros, length, state)


def _reconstruct(graph: Graph, model: LSTMAutoencoder, decoded: list[str]) -> None:
    """Add `reconstruction`, read from the states of the decoder."""
    architecture = model.architecture
    length = architecture.sequence_length
    values = graph.linear(model.readout, decoded[0])
    if model.upper_readout is not None:
        upper_values = _upper_values(graph, model, decoded[1])
        values = graph.add("Add", values, upper_values)
    values = graph.add("Mul", values, model.output_gain)
    if architecture.decoding == "backward":
        values = graph.slice(values, -1, -length - 1, -1)
    values = graph.add("Transpose", values, perm=[1, 0, 2])
    values = graph.add("Add", values, model.mean)
    last_operator = "Sigmoid" if architecture.output == "sigmoid" else "Identity"
    graph.add(last_operator, values, output="reconstruction")


def _upper_values(graph: Graph, model: LSTMAutoencoder, states: str) -> str:
    """What the upper layers add to each step (T, B, m): a tick holds the steps of its period."""
    assert model.upper_readout is not None
    architecture = model.architecture
    length, period = architecture.sequence_length, architecture.period
    features = architecture.features
    values = graph.linear(model.upper_readout, states)
    by_tick = graph.add("Reshape", values, [length // period, -1, period, features])
    by_step = graph.add("Transpose", by_tick, perm=[0, 2, 1, 3])
    return graph.add("Reshape", by_step, [length, -1, features])


def _classify(graph: Graph, classifier: nn.Sequential, code: str) -> None:
    """Add `logits`, which the class head reads from the code."""
    norm, hidden_layer, _, logits_layer = classifier
    normed = graph.add("LayerNormalization", code, norm.weight, norm.bias, epsilon=norm.eps)
    hidden = graph.linear(hidden_layer, normed)
    positive = graph.add("Relu", hidden)
    logits = graph.linear(logits_layer, positive)
    graph.add("Identity", logits, output="logits")


def _checked_model(graph: Graph, steps: list[int], shapes: dict[str, list[int]]) -> ModelProto:
    """The whole graph with its input and outputs, which ONNX's own checker passes.

    Parameters
    ----------
    steps
        The shape of one sequence.
    shapes
        The shape of each output for one sequence.
    """
    outputs = [_batch(name, shape) for name, shape in shapes.items()]
    inputs = [_batch("sequences", steps)]
    joined = helper.make_graph(graph.nodes, "lstm_ae", inputs, outputs, graph.constants)
    opset = helper.make_opsetid("", OPSET)
    proto = helper.make_model(joined, opset_imports=[opset], ir_version=8, producer_name="lstm-ae")
    checker.check_model(proto, full_check=True)
    return proto


def _batch(name: str, shape: Sequence[int]) -> Any:
    """An input or output: a batch of arrays of a shape."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])
