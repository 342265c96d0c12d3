"""A trained model as ONNX, written node by node: one LSTM operator a layer.

It takes any number of sequences. Shapes are those of `lstm_ae.model`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper
from torch import Tensor, nn

from lstm_ae.core.files import replacing
from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.model.stack import Stack

OPSET = 17
GATES = [0, 3, 1, 2]  # input, forget, cell, output in torch; input, output, forget, cell in ONNX


class Graph:
    """Nodes and constants in the order they are added; a value is known by its name."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: Any) -> str:
        array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        name = output or f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def slice(self, value: str, axis: int, start: int, end: int, step: int = 1) -> str:
        return self.add(
            "Slice", value, *(self.constant([number]) for number in (start, end, axis, step))
        )

    def reshape(self, value: str, shape: Sequence[int]) -> str:
        return self.add("Reshape", value, self.constant(list(shape)))

    def linear(self, layer: nn.Module, value: str) -> str:
        if isinstance(layer, nn.Identity):
            return value
        assert isinstance(layer, nn.Linear)
        product = self.add("MatMul", value, self.constant(layer.weight.T))
        return (
            product if layer.bias is None else self.add("Add", product, self.constant(layer.bias))
        )

    def lstm(self, lstm: nn.LSTM, layer: int, steps: str, state: str = "") -> str:
        """(T, B, inputs) to the hidden states (T, B, H).

        `state` (1, B, H) is the first hidden and cell state; without it they are zero.
        """

        def gates(name: str) -> NDArray[np.float32]:
            rows = getattr(lstm, f"{name}_l{layer}").detach().cpu().numpy()
            return np.asarray(
                rows.reshape(4, lstm.hidden_size, *rows.shape[1:])[GATES].reshape(rows.shape)
            )

        weights = (
            gates("weight_ih"),
            gates("weight_hh"),
            np.concatenate([gates("bias_ih"), gates("bias_hh")]),
        )
        inputs = [
            steps,
            *(self.constant(array[None]) for array in weights),
            *(["", state, state] if state else []),
        ]
        return self.add(
            "Squeeze", self.add("LSTM", *inputs, hidden_size=lstm.hidden_size), self.constant([1])
        )

    def stack(self, stack: Stack, steps: str, length: int, state: str = "") -> list[str]:
        """(T, B, inputs) to the memory of the stack (T, B, H).

        With upper layers also to the states of the last of them (T / period, B, H).
        """
        memory = self.add("Mul", self.lstm(stack.first, 0, steps, state), self.constant(stack.gain))
        if stack.upper is None:
            return [memory]
        upper = self.slice(memory, 0, stack.period - 1, length, stack.period)
        for layer in range(stack.upper.num_layers):
            upper = self.lstm(stack.upper, layer, upper)
        return [memory, upper]


def graph_of(model: LSTMAutoencoder) -> ModelProto:
    """The graph from `sequences` (B, T, m) to `reconstruction` (B, T, m) and `code` (B, code_size).

    Where the model has them, `logits` (B, classes) and `predictions` (B, T, m) come too.
    """
    a, graph = model.architecture, Graph()
    length, features = a.sequence_length, a.features
    centred = graph.add(
        "Mul",
        graph.add("Sub", "sequences", graph.constant(model.mean)),
        graph.constant(model.input_gain),
    )
    known = graph.stack(model.encoder, graph.add("Transpose", centred, perm=[1, 0, 2]), length)
    last = graph.add("Concat", *(graph.slice(states, 0, -1, length) for states in known), axis=2)
    code = graph.add(
        "Identity",
        graph.linear(model.to_code, graph.add("Squeeze", last, graph.constant([0]))),
        output="code",
    )

    batch = graph.slice(graph.add("Shape", code), 0, 0, 1)
    one = graph.constant([1])
    if a.code_enters == "state":
        state = graph.add(
            "Div", graph.linear(model.from_code, code), graph.constant(model.decoder.gain)
        )
        shape = graph.add("Concat", graph.constant([length]), batch, one, axis=0)
        steps = graph.add("Expand", graph.constant(np.zeros((1, 1, 1), np.float32)), shape)
        decoded = graph.stack(
            model.decoder, steps, length, graph.add("Unsqueeze", state, graph.constant([0]))
        )
    else:
        shape = graph.add(
            "Concat", graph.constant([length]), batch, graph.constant([a.code_size]), axis=0
        )
        decoded = graph.stack(model.decoder, graph.add("Expand", code, shape), length)
    values = graph.linear(model.readout, decoded[0])
    if model.upper_readout is not None:
        ticks = graph.reshape(
            graph.linear(model.upper_readout, decoded[1]),
            (length // a.period, -1, a.period, features),
        )
        values = graph.add(
            "Add",
            values,
            graph.reshape(graph.add("Transpose", ticks, perm=[0, 2, 1, 3]), (length, -1, features)),
        )
    values = graph.add("Mul", values, graph.constant(model.output_gain))
    if a.decoding == "backward":
        values = graph.slice(values, 0, -1, -length - 1, -1)
    values = graph.add(
        "Add", graph.add("Transpose", values, perm=[1, 0, 2]), graph.constant(model.mean)
    )
    graph.add("Sigmoid" if a.output == "sigmoid" else "Identity", values, output="reconstruction")

    shapes: dict[str, list[int]] = {"reconstruction": [length, features], "code": [a.code_size]}
    if model.classifier is not None:
        norm, hidden, _, logits = model.classifier
        normed = graph.add(
            "LayerNormalization",
            code,
            graph.constant(norm.weight),
            graph.constant(norm.bias),
            epsilon=norm.eps,
        )
        graph.add(
            "Identity",
            graph.linear(logits, graph.add("Relu", graph.linear(hidden, normed))),
            output="logits",
        )
        shapes["logits"] = [a.classes or 0]
    if model.predictor is not None:
        predictions = graph.linear(model.predictor, graph.add("Concat", *known, axis=2))
        graph.add("Transpose", predictions, perm=[1, 0, 2], output="predictions")
        shapes["predictions"] = [length, features]

    def value(name: str, shape: Sequence[int]) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])

    outputs = [value(name, shape) for name, shape in shapes.items()]
    whole = helper.make_graph(
        graph.nodes, "lstm_ae", [value("sequences", [length, features])], outputs, graph.constants
    )
    built = helper.make_model(
        whole, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="lstm-ae"
    )
    checker.check_model(built, full_check=True)
    return built


def export(model: LSTMAutoencoder, path: Path, metadata: dict[str, str]) -> None:
    """Write the graph, with `metadata` beside it: the same bytes for the same model."""
    built = graph_of(model)
    helper.set_model_props(built, metadata)
    with replacing(path) as temporary:
        temporary.write_bytes(built.SerializeToString(deterministic=True))
