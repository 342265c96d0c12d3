"""A stack of LSTM layers whose first and last are both read.

Shapes: B sequences, T steps, H hidden units of the first layer and U of those above it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lstm_ae.model.layers import LSTM, State


@dataclass(frozen=True)
class States:
    """What a stack passes on: its first layer at each step, its last at each tick.

    Parameters
    ----------
    memory
        (T, B, H).
    upper
        (T / period, B, U), or None where the first layer is the only one.
    last
        Both at the end, side by side: (B, H) or (B, H + U).
    """

    memory: Tensor
    upper: Tensor | None
    last: Tensor

    def at_each_step(self) -> Tensor:
        """Both states at each step, side by side: (T, B, H) or (T, B, H + U). Needs period 1."""
        if self.upper is None:
            return self.memory
        return torch.cat([self.memory, self.upper], dim=2)


class UpperLayers(nn.Module):
    """LSTM layers; each after the first adds to what it reads (residual, He et al. 2016)."""

    def __init__(
        self,
        inputs: int,
        hidden_size: int,
        count: int,
    ) -> None:
        super().__init__()
        widths = [inputs] + [hidden_size] * (count - 1)
        self.layers = nn.ModuleList(LSTM(width, hidden_size) for width in widths)

    def forward(
        self,
        steps: Tensor,
        states: Sequence[State] | None = None,
    ) -> tuple[Tensor, list[State]]:
        """Run the layers over steps (T, B, inputs), from zero where no states are given.

        Returns
        -------
        What the last one passes on, (T, B, U), and the state of each at the end.
        """
        ends = []
        for place, layer in enumerate(self.layers):
            begin = None if states is None else states[place]
            outputs, end = layer(steps, begin)
            steps = steps + outputs if place else outputs
            ends.append(end)
        return steps, ends


class Stack(nn.Module):
    """LSTM layers whose first and last are both read (skip connections, Graves 2013).

    The first layer may be a linear memory, whose states are small; the upper ones add what is not
    linear. `gain` brings the states of the first to the size of 1. The upper layers tick once in
    `period` steps (Koutnik et al. 2014) and read the memory as it then is (`UpperLayers`).
    """

    gain: Tensor

    def __init__(
        self,
        inputs: int,
        hidden_size: int,
        upper_size: int,
        layers: int,
        period: int,
    ) -> None:
        super().__init__()
        self.period = period
        self.register_buffer("gain", torch.ones(()))
        self.first = LSTM(inputs, hidden_size)
        self.width = hidden_size
        self.upper: UpperLayers | None = None
        if layers > 1:
            self.upper = UpperLayers(hidden_size, upper_size, layers - 1)
            self.width = hidden_size + upper_size  # the first and the last layer are read

    def forward(
        self,
        steps: Tensor,
        first: State | None = None,
        upper: Sequence[State] | None = None,
    ) -> tuple[States, State, Sequence[State] | None]:
        """Run the layers over steps (T, B, inputs).

        Parameters
        ----------
        first, upper
            Where the first layer and the upper ones stand before the first step. None: at zero.

        Returns
        -------
        The states at every step, and where the first layer and the upper ones stand at the end.
        """
        memory, first = self.first(steps, first)
        memory = memory * self.gain
        last_memory = first[0][-1] * self.gain
        if self.upper is None:
            return States(memory, None, last_memory), first, None
        at_ticks = memory
        if self.period > 1:
            at_ticks = memory[self.period - 1 :: self.period]
        upper_states, upper = self.upper(at_ticks, upper)
        last = torch.cat([last_memory, upper_states[-1]], dim=1)
        return States(memory, upper_states, last), first, upper

    def first_states(self, steps: Tensor) -> Tensor:
        """The memory at each of the steps (T, B, inputs), from zero: (T, B, H)."""
        memory, _ = self.first(steps)
        return memory * self.gain

    def above(self, at_ticks: Tensor) -> tuple[Tensor | None, Tensor]:
        """Run the upper layers alone, over the memory at their ticks, (T / period, B, H).

        Returns
        -------
        Their states, or None where there are none; and `States.last`.
        """
        at_ticks = at_ticks * self.gain
        if self.upper is None:
            return None, at_ticks[-1]
        upper_states, _ = self.upper(at_ticks)
        return upper_states, torch.cat([at_ticks[-1], upper_states[-1]], dim=1)
