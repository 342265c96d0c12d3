"""The LSTM autoencoder: encoder, code, decoder and the heads that read them. Shapes: B sequences, T steps, m features."""

from typing import Literal, NamedTuple

import torch
from pydantic import ConfigDict, PositiveInt, model_validator
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

State = tuple[Tensor, Tensor]


@dataclass(frozen=True, config=ConfigDict(extra="forbid", strict=True))
class Architecture:
    """Everything that decides the shapes of a model and how it computes."""

    features: PositiveInt
    sequence_length: PositiveInt
    hidden_size: PositiveInt
    code_size: PositiveInt
    layers: PositiveInt
    period: PositiveInt  # steps between two ticks of the layers above the first; a divisor of the sequence length
    code_enters: Literal[
        "state", "input"
    ]  # the first state of the decoder, or repeated at every step
    decoding: Literal["backward", "forward"]  # backward: last step first
    output: Literal["linear", "sigmoid"]
    classes: PositiveInt | None  # the class head reads the code
    class_hidden_size: PositiveInt
    predicts: bool  # the prediction head reads the encoder's state at each step

    @model_validator(mode="after")
    def ticks_fill_a_sequence(self) -> "Architecture":
        if self.sequence_length % self.period:
            raise ValueError(
                f"period {self.period} does not divide sequence_length {self.sequence_length}"
            )
        return self


class Output(NamedTuple):
    """What one pass gives."""

    reconstruction: Tensor  # (B, T, m)
    code: Tensor  # (B, code_size)
    logits: Tensor | None  # (B, classes)
    predictions: Tensor | None  # (B, T, m): at t the prediction of step t + 1


class States(NamedTuple):
    """What a stack knows: its first layer at each step, its last at each tick."""

    memory: Tensor  # (T, B, H)
    upper: Tensor | None  # (T / period, B, H)

    def last(self) -> Tensor:
        """Both at the end, side by side: (B, H) or (B, 2 H)."""
        return (
            self.memory[-1]
            if self.upper is None
            else torch.cat([self.memory[-1], self.upper[-1]], dim=1)
        )


class Stack(nn.Module):
    """LSTM layers whose first and last are both read (skip connections, Graves 2013): the first may be a linear memory, whose states
    are small; the upper ones add what is not linear. `gain` brings the states of the first to the size of 1. The upper ones tick once
    in `period` steps (Koutnik et al. 2014) and read the memory as it then is.
    """

    gain: Tensor

    def __init__(self, inputs: int, hidden_size: int, layers: int, period: int) -> None:
        super().__init__()
        self.period = period
        self.register_buffer("gain", torch.ones(()))
        self.first = nn.LSTM(inputs, hidden_size)
        self.upper = nn.LSTM(hidden_size, hidden_size, layers - 1) if layers > 1 else None
        self.width = hidden_size * min(layers, 2)

    def forward(
        self, steps: Tensor, first: State | None = None, upper: State | None = None
    ) -> tuple[States, State, State | None]:
        """(T, B, inputs), after the states of the layers, to what is known and the states of the layers."""
        memory, first = self.first(steps, first)
        memory = memory * self.gain
        if self.upper is None:
            return States(memory, None), first, None
        refined, upper = self.upper(memory[self.period - 1 :: self.period], upper)
        return States(memory, refined), first, upper


class LSTMAutoencoder(nn.Module):
    """Encoder LSTM, code, decoder LSTM (Srivastava et al. 2015), with optional class and prediction heads.

    The decoder sees the code alone: as the first state of its first layer (hidden and cell state made of the same numbers; its input is a
    constant zero), or as its input at every step. `mean`, `input_gain`, `output_gain` and the gains of the stacks are constants that an
    initialization may set, so that the signal inside has the size that it needs while the weights have the size that Adam needs.
    """

    mean: Tensor
    input_gain: Tensor
    output_gain: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        a = self.architecture = architecture
        self.register_buffer("mean", torch.zeros(a.sequence_length, a.features))
        for name in ("input_gain", "output_gain"):
            self.register_buffer(name, torch.ones(()))
        as_state = a.code_enters == "state"
        self.encoder = Stack(a.features, a.hidden_size, a.layers, a.period)
        self.decoder = Stack(1 if as_state else a.code_size, a.hidden_size, a.layers, a.period)
        plain = a.code_size == self.encoder.width
        self.to_code = (
            nn.Identity() if plain else nn.Linear(self.encoder.width, a.code_size, bias=False)
        )
        project = as_state and a.code_size != a.hidden_size
        self.from_code = (
            nn.Linear(a.code_size, a.hidden_size, bias=False) if project else nn.Identity()
        )
        self.readout = nn.Linear(a.hidden_size, a.features)
        self.upper_readout = (
            nn.Linear(a.hidden_size, a.period * a.features, bias=False) if a.layers > 1 else None
        )
        self.classifier = None
        if a.classes:
            self.classifier = nn.Sequential(
                nn.LayerNorm(a.code_size),
                nn.Linear(a.code_size, a.class_hidden_size),
                nn.ReLU(),
                nn.Linear(a.class_hidden_size, a.classes),
            )
        self.predictor = nn.Linear(self.encoder.width, a.features) if a.predicts else None

    def encode(self, sequences: Tensor) -> tuple[States, Tensor]:
        """(B, T, m) to what the encoder knows and the code (B, code_size)."""
        known, _, _ = self.encoder(self._steps(sequences))
        return known, self.to_code(known.last())

    def decode(self, code: Tensor) -> Tensor:
        """Codes (B, code_size) to sequences (B, T, m)."""
        a = self.architecture
        if a.code_enters == "state":
            first = (self.from_code(code) / self.decoder.gain)[None]
            known, _, _ = self.decoder(
                first.new_zeros(a.sequence_length, len(code), 1), (first, first)
            )
        else:
            known, _, _ = self.decoder(code.expand(a.sequence_length, *code.shape))
        steps = self.readout(known.memory)
        if self.upper_readout is not None:
            ticks = self.upper_readout(known.upper).unflatten(2, (a.period, a.features))
            steps = steps + ticks.transpose(1, 2).flatten(0, 1)
        steps = steps * self.output_gain
        if a.decoding == "backward":
            steps = steps.flip(0)
        values = steps.transpose(0, 1) + self.mean
        return torch.sigmoid(values) if a.output == "sigmoid" else values

    def predict(self, known: States) -> Tensor:
        """What the encoder knows of t steps to the step after each, (B, t, m). Upper layers must tick at every step."""
        assert self.predictor is not None
        states = known.memory if known.upper is None else torch.cat(known, dim=2)  # type: ignore[arg-type]
        return self.predictor(states).transpose(0, 1)

    def forward(self, sequences: Tensor) -> Output:
        """One pass over (B, T, m)."""
        known, code = self.encode(sequences)
        logits = self.classifier(code) if self.classifier is not None else None
        predictions = self.predict(known) if self.predictor is not None else None
        return Output(self.decode(code), code, logits, predictions)

    def roll_forward(self, sequences: Tensor, steps: int) -> Tensor:
        """Feed (B, t, m), t up to T, then the model's own predictions; (B, steps, m) of them. `mean` must be constant in time."""
        known, *memory = self.encoder(self._steps(sequences))
        predicted = [self.predict(known)[:, -1:]]
        for _ in range(steps - 1):
            known, *memory = self.encoder(self._steps(predicted[-1]), *memory)
            predicted.append(self.predict(known))
        return torch.cat(predicted, dim=1)

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters by the name of their rate factor: the matrices of the two first layers, the biases of these, and all the rest."""
        named: dict[str, list[nn.Parameter]] = {
            "encoder": [],
            "decoder": [],
            "biases": [],
            "heads": [],
        }
        for name, parameter in self.named_parameters():
            stack, layer, *_ = name.split(".")
            named["heads" if layer != "first" else "biases" if ".bias" in name else stack].append(
                parameter
            )
        return named

    def _steps(self, sequences: Tensor) -> Tensor:
        """(B, t, m) to the encoder's input, (t, B, m)."""
        return (
            ((sequences - self.mean[: sequences.shape[1]]) * self.input_gain)
            .transpose(0, 1)
            .contiguous()
        )


def as_input(sequences: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Sequences as the model reads them: uint8 becomes [0, 1]."""
    return sequences.to(dtype) / 255 if sequences.dtype == torch.uint8 else sequences.to(dtype)
