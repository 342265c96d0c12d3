"""The LSTM autoencoder: encoder, code, decoder and the heads that read them.

Shapes: B sequences, T steps, m features, H hidden units.
"""

from collections.abc import Collection
from typing import Any, Literal, NamedTuple

import pydantic.dataclasses
import torch
from pydantic import ConfigDict, PositiveInt, model_validator
from torch import Tensor, nn

from lstm_ae.model.fixed_memory import FixedMemory, linear_recurrence
from lstm_ae.model.layers import Linear
from lstm_ae.model.stack import Stack, States

GATES = 4  # of an LSTM
STRICT = ConfigDict(extra="forbid", strict=True)


@pydantic.dataclasses.dataclass(frozen=True, config=STRICT)
class Architecture:
    """Everything that decides the shapes of a model and how it computes.

    Parameters
    ----------
    hidden_size, upper_size
        Hidden units of the first layer, and of each layer above it.
    period
        Steps between two ticks of the layers above the first; a divisor of the sequence length.
    code_enters
        "state": the code is the first state of the decoder. "input": it is repeated at every step.
    decoding
        "backward": the decoder gives the last step first.
    classes
        How many classes the class head tells apart by the code. None: there is no class head.
    predicts
        Whether a prediction head reads the encoder's state at each step.
    """

    features: PositiveInt
    sequence_length: PositiveInt
    hidden_size: PositiveInt
    upper_size: PositiveInt
    code_size: PositiveInt
    layers: PositiveInt
    period: PositiveInt
    code_enters: Literal["state", "input"]
    decoding: Literal["backward", "forward"]
    output: Literal["linear", "sigmoid"]
    classes: PositiveInt | None
    class_hidden_size: PositiveInt
    predicts: bool

    @model_validator(mode="after")
    def ticks_fill_a_sequence(self) -> "Architecture":
        if self.sequence_length % self.period:
            raise ValueError(
                f"period {self.period} does not divide sequence_length {self.sequence_length}"
            )
        return self


class Output(NamedTuple):
    """The result of one pass; a tuple, as PyTorch passes results on.

    Parameters
    ----------
    reconstruction
        (B, T, m).
    code
        (B, code_size).
    logits
        (B, classes), or None without a class head.
    predictions
        (B, T, m), at t the prediction of step t + 1, or None without a prediction head.
    """

    reconstruction: Tensor
    code: Tensor
    logits: Tensor | None
    predictions: Tensor | None

    def to(self, dtype: torch.dtype) -> "Output":
        """The same numbers in another type."""
        fields: list[Any] = [None if field is None else field.to(dtype) for field in self]
        return Output(*fields)


class Autoencoder(nn.Module):
    """What training asks of a model beside its `Output`.

    Parameters
    ----------
    mean
        (T, m) of the training sequences.
    """

    mean: Tensor

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters by the name of the factor on their learning rate."""
        return {"heads": list(self.parameters())}

    def matrices(self) -> dict[nn.Parameter, int]:
        """The parameters that are matrices, each of so many of them, one upon the other.

        An optimizer may step along orthogonal matrices there (`training.muon`).
        """
        heads = self.groups()["heads"]
        return {weight: 1 for weight in heads if weight.ndim == 2}

    def freeze(self, names: Collection[str]) -> None:
        """Train all groups of parameters but those of these names, which spares their gradients."""
        for name, parameters in self.groups().items():
            for parameter in parameters:
                parameter.requires_grad_(name not in names)

    def fix_memory(self) -> None:
        """Compute by products what is not trained, where a model knows how."""

    def release_memory(self) -> None:
        """Compute step by step again."""


class LSTMAutoencoder(Autoencoder):
    """Encoder LSTM, code, decoder LSTM (Srivastava et al. 2015), with class and prediction heads.

    The decoder sees the code alone: as the first state of its first layer (hidden and cell state
    made of the same numbers; its input is a constant zero), or as its input at every step. `mean`,
    `input_gain`, `output_gain` and the gains of the stacks are constants that an initialization
    may set, so that the signal inside has the size that it needs while the weights have the size
    that Adam needs.
    """

    input_gain: Tensor
    output_gain: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self._fixed_memory: FixedMemory | None = None
        features = architecture.features
        hidden_size = architecture.hidden_size
        upper_size = architecture.upper_size
        code_size = architecture.code_size
        layers = architecture.layers
        period = architecture.period
        enters_as_state = architecture.code_enters == "state"

        self.register_buffer("mean", torch.zeros(architecture.sequence_length, features))
        self.register_buffer("input_gain", torch.ones(()))
        self.register_buffer("output_gain", torch.ones(()))

        # The weights are drawn in this order: another order would be another start.
        self.encoder = Stack(
            features,
            hidden_size,
            upper_size,
            layers,
            period,
        )
        self.decoder = Stack(
            1 if enters_as_state else code_size,
            hidden_size,
            upper_size,
            layers,
            period,
        )
        self.to_code = _projection(self.encoder.width, code_size)
        self.from_code = _projection(code_size, hidden_size) if enters_as_state else nn.Identity()
        self.readout = Linear(hidden_size, features)
        self.upper_readout: Linear | None = None
        if layers > 1:
            self.upper_readout = Linear(upper_size, period * features, bias=False)
        self.classifier: nn.Sequential | None = None
        if architecture.classes:
            self.classifier = nn.Sequential(
                nn.LayerNorm(code_size),
                Linear(code_size, architecture.class_hidden_size),
                nn.ReLU(),
                Linear(architecture.class_hidden_size, architecture.classes),
            )
        self.predictor: Linear | None = None
        if architecture.predicts:
            self.predictor = Linear(self.encoder.width, features)

    def fix_memory(self) -> None:
        """Compute the first layers by products from now on, if none of them is trained.

        Fast and nearly the same (`fixed_memory`); `release_memory` goes back to their steps.
        """
        architecture = self.architecture
        layers = (self.encoder.first, self.decoder.first)
        weights = [weight for layer in layers for weight in layer.parameters()]
        if any(weight.requires_grad for weight in weights):
            return
        if architecture.predicts or architecture.code_enters != "state":
            return
        encoder, decoder = map(linear_recurrence, layers)
        if encoder is not None and decoder is not None:
            self._fixed_memory = FixedMemory(
                encoder,
                decoder,
                architecture.sequence_length,
                architecture.period,
                self.mean,
            )

    def release_memory(self) -> None:
        """Compute the first layers step by step."""
        self._fixed_memory = None

    def encoder_states(self, sequences: Tensor) -> States:
        """What the encoder holds of sequences (B, T, m) at each step."""
        states, _, _ = self.encoder(self.encoder_input(sequences))
        return states

    def encode(self, sequences: Tensor) -> Tensor:
        """Sequences (B, T, m) to codes (B, code_size)."""
        if self._fixed_memory is None:
            return self.to_code(self.encoder_states(sequences).last)
        memory = self._fixed_memory.encode(self.encoder_input(sequences))
        _, last = self.encoder.above(memory)
        return self.to_code(last)

    def decode(self, code: Tensor) -> Tensor:
        """Codes (B, code_size) to sequences (B, T, m)."""
        architecture = self.architecture
        steps, upper = self._decoder_steps(code)
        if self.upper_readout is not None:
            # Each tick gives the steps of its period: (ticks, B, period m) to (T, B, m).
            ticks = self.upper_readout(upper)
            ticks = ticks.unflatten(2, (architecture.period, architecture.features))
            refinement = ticks.transpose(1, 2).flatten(0, 1)
            steps = steps + refinement
        steps = steps * self.output_gain
        if architecture.decoding == "backward":
            steps = steps.flip(0)
        values = steps.transpose(0, 1) + self.mean
        if architecture.output == "sigmoid":
            return torch.sigmoid(values)
        return values

    def predict(self, states: States) -> Tensor:
        """The encoder's states of t steps to predictions of the step after each, (B, t, m).

        Upper layers must tick at every step.
        """
        assert self.predictor is not None
        return self.predictor(states.at_each_step()).transpose(0, 1)

    def forward(self, sequences: Tensor) -> Output:
        """One pass over sequences (B, T, m)."""
        predictions = None
        if self.predictor is None:
            code = self.encode(sequences)
        else:
            states = self.encoder_states(sequences)
            code = self.to_code(states.last)
            predictions = self.predict(states)
        logits = None
        if self.classifier is not None:
            logits = self.classifier(code)
        return Output(self.decode(code), code, logits, predictions)

    def roll_forward(self, sequences: Tensor, steps: int) -> Tensor:
        """Feed sequences (B, t, m), t up to T, then the model's own predictions.

        `mean` must be constant in time.

        Returns
        -------
        (B, steps, m) predictions, each made from those before it.
        """
        states, first, upper = self.encoder(self.encoder_input(sequences))
        predictions = [self.predict(states)[:, -1:]]
        for _ in range(steps - 1):
            latest = self.encoder_input(predictions[-1])
            states, first, upper = self.encoder(latest, first, upper)
            predictions.append(self.predict(states))
        return torch.cat(predictions, dim=1)

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters by the name of the factor on their learning rate."""
        groups: dict[str, list[nn.Parameter]] = {
            "encoder": [],
            "decoder": [],
            "biases": [],
            "heads": [],
        }
        for name, parameter in self.named_parameters():
            groups[_group_of(name)].append(parameter)
        return groups

    def matrices(self) -> dict[nn.Parameter, int]:
        """As in `Autoencoder`: of an upper layer one for each gate, of the class head none."""
        found = super().matrices()
        if self.classifier is not None:
            for weight in self.classifier.parameters():
                found.pop(weight, None)
        for stack in (self.encoder, self.decoder):
            if stack.upper is not None:
                gates = [weight for weight in stack.upper.parameters() if weight.ndim == 2]
                found.update(dict.fromkeys(gates, GATES))
        return found

    def encoder_input(self, sequences: Tensor) -> Tensor:
        """Sequences (B, t, m) as the encoder reads them, (t, B, m)."""
        centred = sequences - self.mean[: sequences.shape[1]]
        scaled = centred * self.input_gain
        return scaled.transpose(0, 1).contiguous()

    def _decoder_steps(self, code: Tensor) -> tuple[Tensor, Tensor | None]:
        """What the memory gives at each step, (T, B, m), and the states of the upper layers."""
        if self._fixed_memory is None:
            states = self._decoder_states(code)
            return self.readout(states.memory), states.upper
        state = self.from_code(code) / self.decoder.gain
        memory = self._fixed_memory.decode(state)
        upper, _ = self.decoder.above(memory)
        read = self._fixed_memory.read(state, memory, self.readout.weight)
        return read * self.decoder.gain + self.readout.bias, upper

    def _decoder_states(self, code: Tensor) -> States:
        length = self.architecture.sequence_length
        if self.architecture.code_enters == "state":
            state = self.from_code(code) / self.decoder.gain
            nothing = state.new_zeros(length, len(code), 1)
            states, _, _ = self.decoder(nothing, ([state], [state]))
        else:
            repeated = code.expand(length, *code.shape)
            states, _, _ = self.decoder(repeated)
        return states


def _projection(inputs: int, outputs: int) -> nn.Module:
    """A linear map without bias, where the sizes differ."""
    if inputs == outputs:
        return nn.Identity()
    return Linear(inputs, outputs, bias=False)


def _group_of(parameter_name: str) -> str:
    """The group of a parameter: the matrices of the two first layers, their biases, the rest."""
    stack, layer, *_ = parameter_name.split(".")
    if layer != "first":
        return "heads"
    if ".bias" in parameter_name:
        return "biases"
    return stack


def as_input(sequences: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Sequences as the model reads them: uint8 becomes [0, 1]."""
    if sequences.dtype == torch.uint8:
        return sequences.to(dtype) / 255
    return sequences.to(dtype)
