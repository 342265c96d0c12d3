"""sequitur's LSTM_AE and its own loop, as they come: one sequence at a time, no clipping.

Its decoder needs at least one hidden layer beside the code's, so that encoder and decoder have two LSTM layers each.
"""

import warnings
from collections.abc import Iterator

import numpy as np
import torch
import torch._dynamo  # the first optimizer would import it while the clock runs
from common import FOREVER, Array, Task, Watch, main
from sequitur.models import LSTM_AE
from sequitur.quick_train import train_model
from torch import Tensor

LAPS = 8  # in the task's seconds; an epoch one by one would be too long a lap


class Watched:
    """The training sequences in a new order each epoch, with a lap between two of them from time to time."""

    def __init__(self, task: Task, watch: Watch, model: LSTM_AE) -> None:
        self.task, self.watch, self.model = task, watch, model
        self.sequences = torch.from_numpy(task.train)
        self.random = np.random.default_rng(task.seed)
        self.given, self.due = 0, 0.0

    def __iter__(self) -> Iterator[Tensor]:
        for row in self.random.permutation(len(self.sequences)):
            if self.watch.seconds() >= self.due:
                self.watch.lap(self.given, self.reconstruct)
                self.given, self.due = 0, self.watch.seconds() + self.task.seconds / LAPS
            self.given += 1
            yield self.sequences[row]

    @torch.no_grad()
    def reconstruct(self, batch: Array) -> Array:
        return np.stack(
            [self.model(sequence).numpy() for sequence in torch.from_numpy(batch)]
        ).reshape(batch.shape)


def train(task: Task, watch: Watch) -> None:
    warnings.simplefilter("ignore")  # of torch, on the loss that sequitur asks for
    torch.set_num_threads(task.threads)
    torch.manual_seed(task.seed)
    model = LSTM_AE(task.train.shape[2], task.hidden_size, h_dims=[task.hidden_size])
    train_model(
        model, Watched(task, watch, model), verbose=False, lr=task.lr, epochs=FOREVER, denoise=False
    )


if __name__ == "__main__":
    main(train, "sequitur", "torch", "numpy")
