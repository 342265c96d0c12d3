"""This project: its own loop, `training.fit`, from a spectral start, the hidden state as code, one layer."""

import torch
from common import FOREVER, Array, Task, Watch, main
from lightning_fabric import Fabric

from lstm_ae.core.paths import PARAMS
from lstm_ae.core.splits import Split
from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.model.objectives import Metrics
from lstm_ae.model.runtime import start
from lstm_ae.params import Training, load_params
from lstm_ae.training.hyperparameters import Hyperparameters
from lstm_ae.training.loop import build, fit
from lstm_ae.training.processes import accelerate


def prepared(task: Task) -> tuple[Fabric, LSTMAutoencoder, Training, Hyperparameters]:
    """What `fit` needs beside the sequences: the model at its start, in the form of `toy` but for the task's size."""
    block = load_params(PARAMS).section("toy")
    training = block.training.model_copy(
        update={"batch_size": task.batch_size, "schedule": "constant"}
    )
    chosen = Hyperparameters(
        task.hidden_size, task.lr, task.gradient_clip, layers=1, epochs=FOREVER
    )
    fabric = accelerate(start("cpu", task.threads, task.seed), "32-true")
    model = build(
        block.model.model_copy(update={"code_size": None}), chosen, Split(task.train), None
    )
    return fabric, model, training, chosen


def train(task: Task, watch: Watch) -> None:
    fabric, model, training, chosen = prepared(task)
    sequences = Split(task.train)

    @torch.no_grad()
    def reconstruct(batch: Array) -> Array:
        return model(torch.from_numpy(batch)).reconstruction.numpy()

    def epoch_end(epoch: int, _: Metrics, __: Metrics, ___: LSTMAutoencoder | None) -> None:
        watch.lap(len(sequences) if epoch else 0, reconstruct)

    fit(fabric, model, sequences, Split(task.train[:1]), training, chosen, task.seed, epoch_end)


if __name__ == "__main__":
    main(train, "torch", "lightning-fabric", "numpy")
