"""The LSTM of darts, `BlockRNNModel`: the last step of a sequence from those before it.

There is no decoder. Its `fit` is PyTorch Lightning's, with darts' own data sets and loader.
"""

import logging
import warnings
from typing import Any

import pytorch_lightning as lightning
import torch
from darts import TimeSeries
from darts.models import BlockRNNModel

from benchmarks.peers.common import FOREVER, Task, Watch, main


class Laps(lightning.Callback):  # type: ignore[misc]
    """Notes a lap after each epoch."""

    def __init__(self, watch: Watch, sequences: int) -> None:
        self.watch = watch
        self.sequences = sequences

    def on_train_epoch_end(self, *_: Any) -> None:
        self.watch.lap(self.sequences)


def train(task: Task, watch: Watch) -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.INFO)
    torch.set_num_threads(task.threads)
    series = [TimeSeries.from_values(sequence) for sequence in task.train]
    model = BlockRNNModel(
        input_chunk_length=task.train.shape[1] - 1,
        output_chunk_length=1,
        model="LSTM",
        hidden_dim=task.hidden_size,
        n_rnn_layers=task.layers,
        batch_size=task.batch_size,
        n_epochs=FOREVER,
        optimizer_kwargs={"lr": task.lr},
        random_state=task.seed,
        pl_trainer_kwargs={
            "accelerator": "cpu",
            "callbacks": [Laps(watch, len(series))],
            "enable_progress_bar": False,
            "gradient_clip_val": task.gradient_clip,
            "logger": False,
        },
    )
    watch.lap(0)
    model.fit(series)


if __name__ == "__main__":
    main(train, "darts", "pytorch-lightning", "torch")
