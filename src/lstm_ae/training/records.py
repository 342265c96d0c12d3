"""What a training takes and gives, as records."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from lstm_ae.model.autoencoder import Autoencoder
from lstm_ae.model.objectives import Metrics
from lstm_ae.params import Training
from lstm_ae.training.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class Recipe:
    """How to train, beside the model and the sequences.

    Parameters
    ----------
    training
        The block `training` of the section.
    seed
        Of the order of the batches and of what is drawn in them.
    """

    training: Training
    hyperparameters: Hyperparameters
    seed: int


@dataclass(frozen=True)
class Epoch:
    """An epoch that has ended.

    Parameters
    ----------
    number
        From 1; 0 is the start.
    training, validation
        The mean of each loss; of training it is empty at the start.
    model
        As it is now. None where a training goes on from a checkpoint and tells of the epochs
        before it.
    """

    number: int
    training: Metrics
    validation: Metrics
    model: Autoencoder | None


EpochEnd = Callable[[Epoch], None]


@dataclass(frozen=True)
class Tracking:
    """How a training is followed.

    Parameters
    ----------
    epoch_end
        Called with the start and with each epoch.
    name
        On the progress bar; None shows none.
    checkpoint
        A file that the training goes on from if it is there, and writes every ten seconds and
        after each epoch.
    """

    epoch_end: EpochEnd | None = None
    name: str | None = None
    checkpoint: Path | None = None


UNTRACKED = Tracking()

Model = TypeVar("Model", bound=Autoencoder)


@dataclass(frozen=True)
class Trained(Generic[Model]):
    """A model at its best epoch.

    Parameters
    ----------
    diverged_at_epoch
        The epoch whose loss was not finite, or None.
    history
        The losses of the start and of each epoch, by split and name.
    """

    model: Model
    best_epoch: int
    best_loss: float
    diverged_at_epoch: int | None = None
    history: list[dict[str, Metrics]] = field(default_factory=list)
