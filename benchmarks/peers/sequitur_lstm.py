"""sequitur's LSTM_AE and its own loop, as they come: one sequence at a time, no clipping.

Its decoder needs at least one hidden layer beside the code's, so that encoder and decoder have two
LSTM layers each.
"""

import warnings
from collections.abc import Iterator

import numpy as np
import torch
import torch._dynamo  # the first optimizer would import it while the clock runs
from sequitur.models import LSTM_AE
from sequitur.quick_train import train_model
from torch import Tensor

from benchmarks.peers.common import FOREVER, Array, Task, Watch, main

LAPS = 8  # in the task's seconds; an epoch one by one would be too long a lap


class Watched:
    """The training sequences in a new order each epoch, with a lap now and then between two."""

    def __init__(self, task: Task, watch: Watch, model: LSTM_AE) -> None:
        self.task = task
        self.watch = watch
        self.model = model
        self.sequences = torch.from_numpy(task.train)
        self.random = np.random.default_rng(task.seed)
        self.given = 0  # sequences since the last lap
        self.due = 0.0  # seconds at which the next lap is noted

    def __iter__(self) -> Iterator[Tensor]:
        for row in self.random.permutation(len(self.sequences)):
            if self.watch.seconds() >= self.due:
                self.watch.lap(self.given, self.reconstruct)
                self.given = 0
                self.due = self.watch.seconds() + self.task.seconds / LAPS
            self.given += 1
            yield self.sequences[row]

    @torch.no_grad()
    def reconstruct(self, batch: Array) -> Array:
        """Reconstruct a batch (B, T, m), one sequence after the other."""
        reconstructions = []
        for sequence in torch.from_numpy(batch):
            reconstructions.append(self.model(sequence).numpy())
        return np.stack(reconstructions).reshape(batch.shape)


def train(task: Task, watch: Watch) -> None:
    warnings.simplefilter("ignore")  # of torch, on the loss that sequitur asks for
    torch.set_num_threads(task.threads)
    torch.manual_seed(task.seed)
    model = LSTM_AE(task.train.shape[2], task.hidden_size, h_dims=[task.hidden_size])
    sequences = Watched(task, watch, model)
    train_model(model, sequences, verbose=False, lr=task.lr, epochs=FOREVER, denoise=False)


if __name__ == "__main__":
    main(train, "sequitur", "torch", "numpy")
