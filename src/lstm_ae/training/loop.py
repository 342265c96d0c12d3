"""The loop over epochs: checkpoints, divergence, the best epoch by validation."""

import logging
import math
import time
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from tqdm import tqdm

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Split
from lstm_ae.model.autoencoder import Autoencoder
from lstm_ae.training.checkpoint import load_state, save_state
from lstm_ae.training.records import UNTRACKED, Epoch, Model, Recipe, Tracking, Trained
from lstm_ae.training.trainer import Trainer

log = logging.getLogger(__name__)

# Between two checkpoints. When one is written changes nothing in what is computed.
CHECKPOINT_SECONDS = 10.0


class _Checkpoints:
    """Saves a training to a file from time to time; without a path it does nothing."""

    def __init__(self, trainer: Trainer, path: Path | None) -> None:
        self.trainer = trainer
        self.path = path
        self.saved = time.monotonic()

    def resume(self) -> bool:
        """Go on from the file, if it is there; whether it was."""
        state = load_state(self.path) if self.path else None
        state = self.trainer.fabric.broadcast(state)
        if state:
            self.trainer.load(state)
        return bool(state)

    def save(self) -> None:
        if self.path:
            save_state(self.trainer.state(), self.path)
            self.saved = time.monotonic()

    def save_if_due(self) -> None:
        if time.monotonic() > self.saved + CHECKPOINT_SECONDS:
            self.save()


def fit(
    fabric: Fabric,
    model: Model,
    train: Split,
    validation: Split,
    recipe: Recipe,
    tracking: Tracking = UNTRACKED,
) -> Trained[Model]:
    """Train a model and return it at the epoch with the lowest weighted validation loss.

    A loss that is not finite ends the training at the best epoch so far, with a warning.

    Raises
    ------
    InputError
        Not one epoch ended with a finite loss.
    """
    trainer = Trainer(fabric, model, train, validation, recipe)
    model.fix_memory()
    checkpoints = _Checkpoints(trainer, tracking.checkpoint)
    resumed = checkpoints.resume()
    progress = trainer.progress
    if not resumed:
        at_start = trainer.validation_losses()
        progress.history.append({"train": {}, "validation": at_start})
    _tell_of_epochs_before(trainer, tracking, None if resumed else model)
    diverged_at_epoch = _run_epochs(trainer, checkpoints, tracking)
    if not progress.best_weights:
        raise InputError(
            f"training diverged in its first epoch at lr {recipe.hyperparameters.lr:g}; "
            "lower lr or gradient_clip"
        )
    model.load_state_dict(progress.best_weights)
    model.release_memory()
    return Trained(
        model=model.cpu().eval(),
        best_epoch=progress.best_epoch,
        best_loss=progress.best_loss,
        diverged_at_epoch=diverged_at_epoch,
        history=progress.history,
    )


def _tell_of_epochs_before(
    trainer: Trainer,
    tracking: Tracking,
    model: Autoencoder | None,
) -> None:
    """Call `epoch_end` with the start, and with the epochs before a checkpoint."""
    epoch_end = tracking.epoch_end or _ignore
    for number, metrics in enumerate(trainer.progress.history):
        epoch = Epoch(
            number=number,
            training=metrics["train"],
            validation=metrics["validation"],
            model=model,
        )
        epoch_end(epoch)


def _run_epochs(
    trainer: Trainer,
    checkpoints: _Checkpoints,
    tracking: Tracking,
) -> int | None:
    """Train to the last epoch, or to the one that diverges, whose number is given back."""
    progress = trainer.progress
    epoch_end = tracking.epoch_end or _ignore
    with _progress_bar(trainer, tracking.name) as bar:
        while progress.epoch <= trainer.epochs:
            for rows in trainer.remaining_batches():
                trainer.step(rows)
                bar.update()
                checkpoints.save_if_due()
            epoch = Epoch(
                number=progress.epoch,
                training=trainer.training_losses(),
                validation=trainer.validation_losses(),
                model=trainer.model,
            )
            if not _is_finite(epoch):
                log.warning(
                    "training diverged in epoch %d; the best epoch before it is kept", epoch.number
                )
                return epoch.number
            progress.end_epoch(epoch.training, epoch.validation, trainer.model)
            # Before the checkpoint: a kill between the two tells of the epoch twice, not never.
            epoch_end(epoch)
            checkpoints.save()
            bar.set_postfix(validation=f"{epoch.validation['loss']:.5f}")
    return None


def _progress_bar(trainer: Trainer, name: str | None) -> "tqdm[Any]":
    return tqdm(
        total=trainer.steps,
        initial=trainer.steps_done,
        desc=name,
        disable=None if name else True,
        unit="batch",
        mininterval=1.0,
    )


def _is_finite(epoch: Epoch) -> bool:
    values = [*epoch.training.values(), *epoch.validation.values()]
    return all(math.isfinite(value) for value in values)


def _ignore(_: Epoch) -> None:
    """Tell nobody of an epoch."""
