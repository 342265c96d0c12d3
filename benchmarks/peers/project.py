"""This project: its own loop, `training.loop.fit`, from a spectral start.

The hidden state of the first layer, with that of the last where there are more, becomes the code,
which has fewer numbers than a sequence.
"""

import torch
from lightning_fabric import Fabric

from benchmarks.peers.common import FOREVER, Array, Task, Watch, main
from lstm_ae.core.paths import PARAMS
from lstm_ae.core.splits import Split
from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.model.runtime import start
from lstm_ae.params import load_params
from lstm_ae.training.building import build
from lstm_ae.training.hyperparameters import Hyperparameters
from lstm_ae.training.loop import fit
from lstm_ae.training.processes import accelerate
from lstm_ae.training.records import Epoch, Recipe, Tracking

Prepared = tuple[Fabric, LSTMAutoencoder, Recipe]


def prepared(task: Task) -> Prepared:
    """What `fit` needs beside the sequences.

    The model at its start has the form of the section `toy` and the size of the task.
    """
    section = load_params(PARAMS).section("toy")
    changes = {"batch_size": task.batch_size, "schedule": "constant"}
    training = section.training.model_copy(update=changes)
    hyperparameters = Hyperparameters(
        task.hidden_size,
        task.lr,
        task.gradient_clip,
        layers=task.layers,
        epochs=FOREVER,
    )
    fabric = accelerate(start("cpu", task.threads), "32-true")
    numbers = task.train[0].size
    code_size = None if task.hidden_size < numbers else numbers - 1
    form = section.model.model_copy(update={"code_size": code_size})
    model = build(form, hyperparameters, Split(task.train), None, task.seed)
    return fabric, model, Recipe(training, hyperparameters, task.seed)


def train(task: Task, watch: Watch) -> None:
    fabric, model, recipe = prepared(task)
    sequences = Split(task.train)
    validation = Split(task.train[:1])

    @torch.no_grad()
    def reconstruct(batch: Array) -> Array:
        return model(torch.from_numpy(batch)).reconstruction.numpy()

    def epoch_end(epoch: Epoch) -> None:
        watch.lap(len(sequences) if epoch.number else 0, reconstruct)

    fit(fabric, model, sequences, validation, recipe, Tracking(epoch_end))


if __name__ == "__main__":
    main(train, "torch", "lightning-fabric", "numpy")
