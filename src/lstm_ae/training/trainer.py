"""A training in hand: its batches, its steps, the losses of its epochs."""

import logging
import math
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from lstm_ae.core.splits import Split
from lstm_ae.model.autoencoder import Autoencoder, Output
from lstm_ae.model.objectives import (
    Batch,
    DeviceSplit,
    Metrics,
    losses,
    mean_losses,
    shuffled,
    weighted,
)
from lstm_ae.training.optimization import make_optimizer, make_schedule
from lstm_ae.training.parts import add_gradients, compute
from lstm_ae.training.records import Recipe

log = logging.getLogger(__name__)


@dataclass
class Progress:
    """How far a training has come.

    A checkpoint keeps it beside the states of model, optimizer and schedule.

    Parameters
    ----------
    epoch
        In hand, from 1.
    batches
        How many of the epoch are done.
    sums
        Of the losses over the sequences of the epoch so far.
    history
        The losses of the start and of the epochs before.
    """

    epoch: int = 1
    batches: int = 0
    sums: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, Metrics]] = field(default_factory=list)
    best_loss: float = math.inf
    best_epoch: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    def add_batch(self, means: dict[str, Tensor], count: int) -> None:
        """Count a batch of `count` sequences."""
        for name, mean in means.items():
            so_far = self.sums.get(name, torch.zeros(()))
            self.sums[name] = so_far + mean * count
        self.batches += 1

    def end_epoch(
        self,
        training: Metrics,
        validation: Metrics,
        model: Autoencoder,
    ) -> None:
        """Count an epoch; the model is kept where it is the best so far."""
        self.history.append({"train": training, "validation": validation})
        if validation["loss"] < self.best_loss:
            self.best_loss = validation["loss"]
            self.best_epoch = self.epoch
            for name, tensor in model.state_dict().items():
                self.best_weights[name] = tensor.detach().clone()
        self.epoch += 1
        self.batches = 0
        self.sums = {}


class Draw(IntEnum):
    """What is drawn at random; each has seeds of its own."""

    ORDER = 1  # of the batches of an epoch
    SHIFT = 2  # of the images of a batch, the same in all processes


class Trainer:
    """A training in hand.

    Every step is decided by its number alone - the rows of its batch and what is drawn in it - so
    that a training that goes on from a checkpoint ends with the same bytes.
    """

    def __init__(
        self,
        fabric: Fabric,
        model: Autoencoder,
        train: Split,
        validation: Split,
        recipe: Recipe,
    ) -> None:
        training = recipe.training
        self.fabric = fabric
        self.recipe = recipe
        self.training = training
        self.weights = training.loss_weights.model_dump()
        self.count = len(train)
        # Where errors are correlated a batch is of one day, so that its mean error can be told.
        self.group = train.group if training.error_correlation else None
        self.batches_per_epoch = len(self.batches(1))
        self.epochs = recipe.hyperparameters.epochs
        self.steps = self.batches_per_epoch * self.epochs
        self.progress = Progress()

        lr = recipe.hyperparameters.lr
        optimizer = make_optimizer(model, training, lr, fabric.device.type)
        self.schedule = make_schedule(optimizer, training, self.steps)
        self.model = model
        self.wrapped, self.optimizer = fabric.setup(model, optimizer)
        self.train = DeviceSplit.of(train, fabric.device)
        self.validation = DeviceSplit.of(validation, fabric.device)
        self.trained = [tensor for tensor in model.parameters() if tensor.requires_grad]
        # A GPU is best used whole.
        on_cpu = fabric.device.type == "cpu"
        share = -(-training.batch_size // fabric.world_size)
        self.part_size = training.part_size if on_cpu else share
        self._stateful: dict[str, Any] = {
            "model": model,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "precision": fabric.strategy.precision,
        }

    @property
    def steps_done(self) -> int:
        epochs_done = self.progress.epoch - 1
        return self.batches_per_epoch * epochs_done + self.progress.batches

    def state(self) -> dict[str, Any]:
        """All that `load` needs to go on from here."""
        state: dict[str, Any] = {"progress": vars(self.progress)}
        for name, part in self._stateful.items():
            state[name] = part.state_dict()
        return state

    def load(self, state: dict[str, Any]) -> None:
        """Go on from the state of an earlier run of the same training."""
        self.progress = Progress(**state["progress"])
        for name, part in self._stateful.items():
            part.load_state_dict(state[name])
        log.info(
            "going on from epoch %d after batch %d of %d",
            self.progress.epoch,
            self.progress.batches,
            self.batches_per_epoch,
        )

    def batches(self, epoch: int) -> list[Tensor]:
        """The rows of each batch of an epoch."""
        seed = _draw_seed(Draw.ORDER, self.recipe.seed, epoch)
        order = torch.Generator().manual_seed(seed)
        return shuffled(self.count, self.training.batch_size, self.group, order)

    def remaining_batches(self) -> list[Tensor]:
        """The rows of each batch that the epoch in hand has still to train on."""
        batches = self.batches(self.progress.epoch)
        return batches[self.progress.batches :]

    def step(self, rows: Tensor) -> None:
        """Train on one batch."""
        fabric = self.fabric
        batch = self._batch(rows)
        self.model.train()
        computed = compute(self._forward, batch.sequences, self.part_size, fabric)
        correlation = self.training.error_correlation
        terms = losses(computed.whole, batch, self.training.loss, correlation)
        terms["loss"] = weighted(terms, self.weights)
        fabric.backward(terms["loss"])
        add_gradients(computed, self.trained, fabric)
        fabric.clip_gradients(
            self.wrapped,
            self.optimizer,
            max_norm=self.recipe.hyperparameters.gradient_clip,
            error_if_nonfinite=False,
        )
        self.optimizer.step()
        self.schedule.step()
        means = {name: value.detach() for name, value in terms.items()}
        self.progress.add_batch(means, len(rows))

    def training_losses(self) -> Metrics:
        """The mean of each loss of training over the epoch in hand."""
        sums = self.progress.sums
        return {name: float(value) / self.count for name, value in sums.items()}

    def validation_losses(self) -> Metrics:
        """The mean of each loss of validation, the same in every process."""
        loss = self.training.loss
        means = mean_losses(self.wrapped, self.validation, loss, self.weights)
        shared: Metrics = self.fabric.broadcast(means)
        return shared

    def _batch(self, rows: Tensor) -> Batch:
        progress = self.progress
        seed = _draw_seed(
            Draw.SHIFT,
            self.recipe.seed,
            progress.epoch,
            progress.batches,
        )
        return self.train.batch(
            rows.to(self.fabric.device),
            self.model.mean.dtype,
            self.training.shift,
            torch.Generator().manual_seed(seed),
        )

    def _forward(self, sequences: Tensor) -> Output:
        with self.fabric.autocast():
            output: Output = self.model(sequences)
        return output.to(sequences.dtype)


def _draw_seed(draw: Draw, *numbers: int) -> int:
    """A seed of its own for each kind of draw and each step, whatever was drawn before it."""
    sequence = np.random.SeedSequence((draw, *numbers))
    return int(sequence.generate_state(1, np.uint64)[0])
