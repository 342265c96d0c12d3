"""The loop: batches, schedule, clipping, the best epoch by validation."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor
from tqdm import tqdm

from lstm_ae.checkpoint import load_state, save_state
from lstm_ae.datasets.base import Split
from lstm_ae.errors import InputError
from lstm_ae.initialization import initialize
from lstm_ae.model import Architecture, LSTMAutoencoder, as_input
from lstm_ae.objectives import Batch, DeviceSplit, Metrics, losses, mean_losses, shuffled, weighted
from lstm_ae.params import Hyperparameters, Model, Training

log = logging.getLogger(__name__)

SPECTRUM_SEQUENCES = 20_000  # enough to estimate the spectrum of a spectral start

CHECKPOINT_SECONDS = 30.0  # between two checkpoints; when one is written changes nothing in what is computed

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


def accelerate(device: torch.device, precision: str, devices: int = 1) -> Fabric:
    """The Fabric that trains on a device, or on several in as many processes, each of which runs the whole script.

    Raises
    ------
    InputError
        There are fewer devices of the kind.
    """
    there = {"cuda": torch.cuda.device_count(), "mps": 1}.get(device.type, devices)
    if devices > there:
        raise InputError(f"devices: found {devices}; here is {there} of {device.type}, at most that is allowed")
    fabric = Fabric(accelerator=device.type, devices=devices, strategy="ddp" if devices > 1 else "auto", precision=precision)  # type: ignore[arg-type]
    threads = torch.get_num_threads()
    fabric.launch()
    torch.set_num_threads(threads)  # a launch would take all cores
    if fabric.global_rank > 0:
        logging.disable()
    return fabric


def build(model: Model, chosen: Hyperparameters, train: Split, classes: int | None) -> LSTMAutoencoder:
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
        raise InputError(f"lags {model.lags}: found sequences of {length} steps; at most {length - 2} is allowed")
    needed = code_size + model.lags * features
    if chosen.hidden_size < needed:
        lags = f" and {model.lags} lags of {features} numbers" if model.lags else ""
        raise InputError(f"hidden_size {chosen.hidden_size} is below {needed}, a code of {code_size}{lags}; at least that is allowed")
    if code_size >= length * features:
        raise InputError(f"code_size {code_size}: below {length * features}, the numbers of one sequence, is allowed")
    if length % model.period:
        raise InputError(f"period {model.period}: found sequences of {length} steps; a divisor of that is allowed")
    architecture = Architecture(
        features=features, sequence_length=length, hidden_size=chosen.hidden_size, code_size=code_size, layers=chosen.layers,
        period=model.period, code_enters=model.code_enters, decoding=model.decoding, output=model.output, classes=classes,
        class_hidden_size=model.class_hidden_size, predicts=train.following is not None,
    )  # fmt: skip
    autoencoder = LSTMAutoencoder(architecture)
    sample = train.thinned(SPECTRUM_SEQUENCES)
    initialize(autoencoder, model.initialization, as_input(torch.from_numpy(sample.sequences)), model.amplitude, model.lags, sample.group)
    return autoencoder


@dataclass
class Progress:
    """How far a training has come."""

    epoch: int = 1  # in hand
    batches: int = 0  # of it, done
    sums: dict[str, Tensor] = field(default_factory=dict)  # of the losses over its sequences so far
    history: list[dict[str, Metrics]] = field(default_factory=list)  # of the start and the epochs before
    best_loss: float = math.inf
    best_epoch: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)


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

    A loss that is not finite ends the training at the best epoch so far, with a warning. Every step is decided by its number alone - the
    rows of its batch and what is drawn in it - so that a training that goes on from a checkpoint ends with the same bytes.

    Parameters
    ----------
    seed
        Of the order of the batches and of what is drawn in them.
    progress
        The name on the progress bar; None shows none.
    checkpoint
        A file that the training goes on from if it is there, and writes every half a minute and after each epoch.

    Raises
    ------
    InputError
        Not one epoch ended with a finite loss.
    """
    weights = training.loss_weights.model_dump()
    groups = _rated(model, training, chosen.lr)
    optimizer = _optimizer(training, groups)
    order = torch.Generator().manual_seed(seed)
    group = train.group if training.error_correlation else None  # batches of one day each, so that its mean error can be told
    per_epoch = len(shuffled(len(train), training.batch_size, group, torch.Generator()))
    schedule = _schedule(optimizer, training, per_epoch * chosen.epochs)
    bare = model
    model, optimizer = fabric.setup(model, optimizer)
    data, held = DeviceSplit.of(train, fabric.device), DeviceSplit.of(validation, fabric.device)
    stateful: dict[str, Any] = {"model": bare, "optimizer": optimizer, "schedule": schedule, "precision": fabric.strategy.precision}
    at, saved, diverged = Progress(), time.monotonic(), None

    def save() -> None:
        nonlocal saved
        if checkpoint:
            save_state({"progress": vars(at), **{name: part.state_dict() for name, part in stateful.items()}}, checkpoint)
            saved = time.monotonic()

    state = fabric.broadcast(load_state(checkpoint) if checkpoint else None)
    if state:
        at = Progress(**state["progress"])
        for name, part in stateful.items():
            part.load_state_dict(state[name])
        log.info("going on from epoch %d after batch %d of %d", at.epoch, at.batches, per_epoch)
    else:
        at.history.append({"train": {}, "validation": mean_losses(model, held, training.loss, weights)})
    if epoch_end:
        for epoch, known in enumerate(at.history):
            epoch_end(epoch, known["train"], known["validation"], None if state else bare)
    bar = tqdm(
        total=per_epoch * chosen.epochs, initial=per_epoch * (at.epoch - 1) + at.batches,
        desc=progress, disable=None if progress else True, unit="batch", mininterval=1.0,
    )  # fmt: skip
    for epoch in range(1, chosen.epochs + 1):
        batches = shuffled(len(train), training.batch_size, group, order)
        if epoch < at.epoch:
            continue  # drawn all the same: the order of an epoch follows from the orders before it
        model.train()
        for rows in batches[at.batches :]:
            draws = torch.Generator().manual_seed(_seed_of(seed, epoch, at.batches))
            torch.manual_seed(_seed_of(seed, epoch, at.batches, fabric.global_rank))
            batch, factor = data.batch(rows.to(fabric.device), bare.mean.dtype, training.shift, draws), 1.0
            if not training.error_correlation:  # the loss of a batch's mean error is no mean over parts of it
                batch, factor = _share(batch, fabric)
            found = losses(model(batch.sequences), batch, training.loss, training.error_correlation)
            total = weighted(found, weights)
            optimizer.zero_grad()
            fabric.backward(total * factor)
            fabric.clip_gradients(model, optimizer, max_norm=chosen.gradient_clip, error_if_nonfinite=False)
            optimizer.step()
            schedule.step()
            for name, value in {**found, "loss": total}.items():
                mean: Any = fabric.all_reduce(value.detach() * factor, reduce_op="mean")
                at.sums[name] = at.sums.get(name, torch.zeros(())) + mean * len(rows)
            at.batches += 1
            if time.monotonic() > saved + CHECKPOINT_SECONDS:
                save()
            bar.update()
        means = {name: float(value) / len(train) for name, value in at.sums.items()}
        scores = fabric.broadcast(mean_losses(model, held, training.loss, weights))
        if not all(math.isfinite(value) for value in (*means.values(), *scores.values())):
            diverged = epoch
            log.warning("training diverged in epoch %d; the best epoch before it is kept", epoch)
            break
        at.history.append({"train": means, "validation": scores})
        if scores["loss"] < at.best_loss:
            at.best_loss, at.best_epoch = scores["loss"], epoch
            at.best_weights = {name: tensor.detach().clone() for name, tensor in bare.state_dict().items()}
        if epoch_end:
            epoch_end(epoch, means, scores, bare)
        at.epoch, at.batches, at.sums = epoch + 1, 0, {}
        save()
        bar.set_postfix(validation=f"{scores['loss']:.5f}")
    bar.close()
    if not at.best_weights:
        raise InputError(f"training diverged in its first epoch at lr {chosen.lr:g}; a lower lr or gradient_clip is needed")
    bare.load_state_dict(at.best_weights)
    return Trained(bare.cpu().eval(), at.best_epoch, at.best_loss, diverged, at.history)


def _rated(model: LSTMAutoencoder, training: Training, lr: float) -> list[dict[str, object]]:
    """Parameters with their learning rates; those of rate 0 are fixed, which spares their gradients."""
    factors = training.lr_factors.model_dump()
    for name, parameters in model.groups().items():
        for parameter in parameters:
            parameter.requires_grad_(factors[name] > 0)
    return [{"params": parameters, "lr": lr * factors[name]} for name, parameters in model.groups().items() if factors[name] > 0]


def _share(batch: Batch, fabric: Fabric) -> tuple[Batch, float]:
    """This process's part of a batch, and the factor on its mean loss that makes the mean over all processes the one over the batch."""
    count, own = len(batch.sequences), slice(fabric.global_rank, None, fabric.world_size)
    rows = len(range(count)[own])
    part = Batch(*(None if held is None else held[own if rows else slice(1)] for held in batch))  # type: ignore[arg-type]
    return part, fabric.world_size * rows / count


def _seed_of(*step: int) -> int:
    """A seed of its own for each step, whatever was drawn before it."""
    return int(np.random.SeedSequence(step).generate_state(1, np.uint64)[0])


def _optimizer(training: Training, groups: list[dict[str, object]]) -> torch.optim.Optimizer:
    if training.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=training.momentum, weight_decay=training.weight_decay)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[training.optimizer]
    return kind(groups, weight_decay=training.weight_decay)


def _schedule(optimizer: torch.optim.Optimizer, training: Training, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
    if training.schedule == "one_cycle":
        peaks = [group["lr"] for group in optimizer.param_groups]
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer, peaks, total_steps=max(steps, 2) + 1, pct_start=training.warmup, cycle_momentum=False
        )
    if training.schedule == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
