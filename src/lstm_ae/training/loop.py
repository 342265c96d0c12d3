"""The loop: batches, schedule, clipping, the best epoch by validation."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor
from tqdm import tqdm

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Split
from lstm_ae.model.autoencoder import Architecture, LSTMAutoencoder, as_input
from lstm_ae.model.objectives import (
    Batch,
    DeviceSplit,
    Metrics,
    losses,
    mean_losses,
    shuffled,
    weighted,
)
from lstm_ae.params import Model, Training
from lstm_ae.training.checkpoint import load_state, save_state
from lstm_ae.training.hyperparameters import Hyperparameters
from lstm_ae.training.initialization import initialize

log = logging.getLogger(__name__)

SPECTRUM_SEQUENCES = 20_000  # enough to estimate the spectrum of a spectral start

CHECKPOINT_SECONDS = (
    10.0  # between two checkpoints; when one is written changes nothing in what is computed
)


class Draw(IntEnum):
    """What is drawn at random; each has seeds of its own."""

    ORDER = 1  # of the batches of an epoch
    SHIFT = 2  # of the images of a batch, the same in all processes


# Called after each epoch with its number (0: the start), the means of training (empty at the start) and validation, and the model. A
# training that goes on from a checkpoint calls it again for the epochs before, without the model.
EpochEnd = Callable[[int, Metrics, Metrics, LSTMAutoencoder | None], None]


@dataclass(frozen=True)
class Trained:
    """A model at its best epoch."""

    model: LSTMAutoencoder
    best_epoch: int
    best_loss: float
    diverged_at_epoch: int | None = None
    history: list[dict[str, Metrics]] = field(default_factory=list)


def build(
    model: Model, chosen: Hyperparameters, train: Split, classes: int | None
) -> LSTMAutoencoder:
    """A model of the section's form and the chosen size, at its start.

    Raises
    ------
    InputError
        The code and the lags need more than the hidden state, the code or the lags are as large as a sequence, the period
        does not divide it.
    """
    length, features = train.sequences.shape[1:]
    code_size = model.code_size or chosen.hidden_size
    if length < model.lags + 2:
        raise InputError(
            f"lags {model.lags}: found sequences of {length} steps; at most {length - 2} is allowed"
        )
    needed = code_size + model.lags * features
    if chosen.hidden_size < needed:
        lags = f" and {model.lags} lags of {features} numbers" if model.lags else ""
        raise InputError(
            f"hidden_size {chosen.hidden_size} is below {needed}, a code of {code_size}{lags}; at least that is allowed"
        )
    if code_size >= length * features:
        raise InputError(
            f"code_size {code_size}: below {length * features}, the numbers of one sequence, is allowed"
        )
    if length % model.period:
        raise InputError(
            f"period {model.period}: found sequences of {length} steps; a divisor of that is allowed"
        )
    architecture = Architecture(
        features=features,
        sequence_length=length,
        hidden_size=chosen.hidden_size,
        code_size=code_size,
        layers=chosen.layers,
        period=model.period,
        code_enters=model.code_enters,
        decoding=model.decoding,
        output=model.output,
        classes=classes,
        class_hidden_size=model.class_hidden_size,
        predicts=train.following is not None,
    )
    autoencoder = LSTMAutoencoder(architecture)
    sample = train.thinned(SPECTRUM_SEQUENCES)
    initialize(
        autoencoder,
        model.initialization,
        as_input(torch.from_numpy(sample.sequences)),
        model.amplitude,
        model.lags,
        sample.group,
    )
    return autoencoder


@dataclass
class Progress:
    """How far a training has come: what a checkpoint keeps beside the states of model, optimizer and schedule."""

    epoch: int = 1  # in hand
    batches: int = 0  # of it, done
    sums: dict[str, Tensor] = field(default_factory=dict)  # of the losses over its sequences so far
    history: list[dict[str, Metrics]] = field(
        default_factory=list
    )  # of the start and the epochs before
    best_loss: float = math.inf
    best_epoch: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    def add(self, means: dict[str, Tensor], count: int) -> None:
        """Count a batch of so many sequences."""
        for name, mean in means.items():
            self.sums[name] = self.sums.get(name, torch.zeros(())) + mean * count
        self.batches += 1

    def close(self, means: Metrics, scores: Metrics, model: LSTMAutoencoder) -> None:
        """End an epoch; the model is kept where it is the best so far."""
        self.history.append({"train": means, "validation": scores})
        if scores["loss"] < self.best_loss:
            self.best_loss, self.best_epoch = scores["loss"], self.epoch
            self.best_weights = {
                name: tensor.detach().clone() for name, tensor in model.state_dict().items()
            }
        self.epoch, self.batches, self.sums = self.epoch + 1, 0, {}


class Loop:
    """A training in hand. Every step is decided by its number alone - the rows of its batch and what is drawn in it - so that a training
    that goes on from a checkpoint ends with the same bytes.
    """

    def __init__(
        self,
        fabric: Fabric,
        model: LSTMAutoencoder,
        train: Split,
        validation: Split,
        training: Training,
        chosen: Hyperparameters,
        seed: int,
    ) -> None:
        self.fabric, self.training, self.chosen, self.seed = fabric, training, chosen, seed
        self.count = len(train)
        self.group = (
            train.group if training.error_correlation else None
        )  # batches of one day each, so that its mean error can be told
        self.weights = training.loss_weights.model_dump()
        self.bare, optimizer = model, _optimizer(training, _rated(model, training, chosen.lr))
        self.per_epoch = len(self.batches(1))
        self.schedule = _schedule(optimizer, training, self.per_epoch * chosen.epochs)
        self.model, self.optimizer = fabric.setup(model, optimizer)
        self.data, self.held = (
            DeviceSplit.of(train, fabric.device),
            DeviceSplit.of(validation, fabric.device),
        )
        self.at = Progress()
        self._stateful: dict[str, Any] = {
            "model": model,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "precision": fabric.strategy.precision,
        }

    def state(self) -> dict[str, Any]:
        """All that `load` needs to go on from here."""
        return {
            "progress": vars(self.at),
            **{name: part.state_dict() for name, part in self._stateful.items()},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from the state of an earlier run of the same training."""
        self.at = Progress(**state["progress"])
        for name, part in self._stateful.items():
            part.load_state_dict(state[name])
        log.info(
            "going on from epoch %d after batch %d of %d",
            self.at.epoch,
            self.at.batches,
            self.per_epoch,
        )

    def batches(self, epoch: int) -> list[Tensor]:
        """The rows of each batch of an epoch."""
        order = torch.Generator().manual_seed(_seed_of(Draw.ORDER, self.seed, epoch))
        return shuffled(self.count, self.training.batch_size, self.group, order)

    def step(self, rows: Tensor) -> None:
        """Train on one batch."""
        at, fabric, training = self.at, self.fabric, self.training
        moved = torch.Generator().manual_seed(_seed_of(Draw.SHIFT, self.seed, at.epoch, at.batches))
        batch, factor = (
            self.data.batch(rows.to(fabric.device), self.bare.mean.dtype, training.shift, moved),
            1.0,
        )
        if (
            not training.error_correlation
        ):  # the loss of a batch's mean error is no mean over parts of it
            batch, factor = _share(batch, fabric)
        self.model.train()
        found = losses(
            self.model(batch.sequences), batch, training.loss, training.error_correlation
        )
        found["loss"] = weighted(found, self.weights)
        self.optimizer.zero_grad()
        fabric.backward(found["loss"] * factor)
        fabric.clip_gradients(
            self.model, self.optimizer, max_norm=self.chosen.gradient_clip, error_if_nonfinite=False
        )
        self.optimizer.step()
        self.schedule.step()
        means: Any = fabric.all_reduce(
            torch.stack([value.detach() for value in found.values()]) * factor, reduce_op="mean"
        )
        at.add(dict(zip(found, means, strict=True)), len(rows))

    def means(self) -> Metrics:
        """Each loss of training over the epoch in hand."""
        return {name: float(value) / self.count for name, value in self.at.sums.items()}

    def validated(self) -> Metrics:
        """Each loss of validation, the same in every process."""
        scores: Metrics = self.fabric.broadcast(
            mean_losses(self.model, self.held, self.training.loss, self.weights)
        )
        return scores


def fit(
    fabric: Fabric,
    model: LSTMAutoencoder,
    train: Split,
    validation: Split,
    training: Training,
    chosen: Hyperparameters,
    seed: int,
    epoch_end: EpochEnd | None = None,
    progress: str | None = None,
    checkpoint: Path | None = None,
) -> Trained:
    """Train for the chosen epochs and return the model at the epoch with the lowest weighted validation loss.

    A loss that is not finite ends the training at the best epoch so far, with a warning.

    Parameters
    ----------
    seed
        Of the order of the batches and of what is drawn in them.
    progress
        The name on the progress bar; None shows none.
    checkpoint
        A file that the training goes on from if it is there, and writes every ten seconds and after each epoch.

    Raises
    ------
    InputError
        Not one epoch ended with a finite loss.
    """
    loop = Loop(fabric, model, train, validation, training, chosen, seed)
    state = fabric.broadcast(load_state(checkpoint) if checkpoint else None)
    if state:
        loop.load(state)
    else:
        loop.at.history.append({"train": {}, "validation": loop.validated()})
    at, saved, diverged, tell = loop.at, time.monotonic(), None, epoch_end or (lambda *_: None)
    for epoch, known in enumerate(at.history):
        tell(epoch, known["train"], known["validation"], None if state else model)

    def save() -> None:
        nonlocal saved
        if checkpoint:
            save_state(loop.state(), checkpoint)
            saved = time.monotonic()

    total, done = loop.per_epoch * chosen.epochs, loop.per_epoch * (at.epoch - 1) + at.batches
    with tqdm(
        total=total,
        initial=done,
        desc=progress,
        disable=None if progress else True,
        unit="batch",
        mininterval=1.0,
    ) as bar:
        while at.epoch <= chosen.epochs:
            for rows in loop.batches(at.epoch)[at.batches :]:
                loop.step(rows)
                bar.update()
                if time.monotonic() > saved + CHECKPOINT_SECONDS:
                    save()
            means, scores = loop.means(), loop.validated()
            if not all(math.isfinite(value) for value in (*means.values(), *scores.values())):
                diverged = at.epoch
                log.warning(
                    "training diverged in epoch %d; the best epoch before it is kept", diverged
                )
                break
            at.close(means, scores, model)
            tell(
                at.epoch - 1, means, scores, model
            )  # before the checkpoint: a kill between the two tells twice, not never
            save()
            bar.set_postfix(validation=f"{scores['loss']:.5f}")
    if not at.best_weights:
        raise InputError(
            f"training diverged in its first epoch at lr {chosen.lr:g}; a lower lr or gradient_clip is needed"
        )
    model.load_state_dict(at.best_weights)
    return Trained(model.cpu().eval(), at.best_epoch, at.best_loss, diverged, at.history)


def _rated(model: LSTMAutoencoder, training: Training, lr: float) -> list[dict[str, object]]:
    """Parameters with their learning rates; those of rate 0 are fixed, which spares their gradients."""
    factors = training.lr_factors.model_dump()
    for name, parameters in model.groups().items():
        for parameter in parameters:
            parameter.requires_grad_(factors[name] > 0)
    return [
        {"params": parameters, "lr": lr * factors[name]}
        for name, parameters in model.groups().items()
        if factors[name] > 0
    ]


def _share(batch: Batch, fabric: Fabric) -> tuple[Batch, float]:
    """This process's part of a batch, and the factor on its mean loss that makes the mean over all processes the one over the batch."""
    count, own = len(batch.sequences), slice(fabric.global_rank, None, fabric.world_size)
    rows = len(range(count)[own])
    part = Batch(*(None if held is None else held[own if rows else slice(1)] for held in batch))  # type: ignore[arg-type]
    return part, fabric.world_size * rows / count


def _seed_of(draw: Draw, *number: int) -> int:
    """A seed of its own for each kind of draw and each step, whatever was drawn before it."""
    return int(np.random.SeedSequence((draw, *number)).generate_state(1, np.uint64)[0])


def _optimizer(training: Training, groups: list[dict[str, object]]) -> torch.optim.Optimizer:
    if training.optimizer == "sgd":
        return torch.optim.SGD(
            groups, momentum=training.momentum, weight_decay=training.weight_decay
        )
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[training.optimizer]
    return kind(groups, weight_decay=training.weight_decay)


def _schedule(
    optimizer: torch.optim.Optimizer, training: Training, steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    if training.schedule == "one_cycle":
        peaks = [group["lr"] for group in optimizer.param_groups]
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            peaks,
            total_steps=max(steps, 2) + 1,
            pct_start=training.warmup,
            cycle_momentum=False,
        )
    if training.schedule == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
