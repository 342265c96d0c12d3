"""The training of a section of params.yaml, from its prepared sequences to its files."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from lstm_ae.core import paths, processor
from lstm_ae.core.errors import InputError
from lstm_ae.core.files import write_json
from lstm_ae.core.splits import Split, load_description, load_split
from lstm_ae.core.yaml import load_yaml
from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.model.runtime import start, usable_cores
from lstm_ae.model.saving import save_autoencoder, save_weights
from lstm_ae.params import Params
from lstm_ae.training.building import build
from lstm_ae.training.hyperparameters import resolve
from lstm_ae.training.loop import fit
from lstm_ae.training.processes import accelerate, follow_first_process, launched
from lstm_ae.training.records import UNTRACKED, Epoch, EpochEnd, Recipe, Tracking, Trained
from lstm_ae.training.scratch import scratch, versions


@dataclass(frozen=True)
class SectionTraining:
    """A training that is ready to begin.

    Parameters
    ----------
    name
        Of the section.
    model
        At its start.
    """

    name: str
    params: Params
    recipe: Recipe
    fabric: Fabric
    model: LSTMAutoencoder
    train: Split
    validation: Split

    @property
    def has_classes(self) -> bool:
        return self.model.classifier is not None

    def settings(self) -> dict[str, Any]:
        """Everything that decides the result, beside the inputs and the versions of libraries."""
        section = self.params.section(self.name)
        return {
            "section": self.name,
            "hyperparameters": asdict(self.recipe.hyperparameters),
            "model": section.model.model_dump(),
            "training": section.training.model_dump(),
            "seed": self.recipe.seed,
            "device": self.fabric.device.type,
            "precision": self.params.precision,
            "devices": self.params.devices,
        }

    @contextmanager
    def unfinished(self) -> Iterator[Path]:
        """Give the directory that a killed run of the same training left, or an empty one."""
        inputs = prepared_files(paths.prepared(self.name))
        with scratch(f"train-{self.name}", self.settings(), inputs) as directory:
            yield directory

    def fit(self, tracking: Tracking = UNTRACKED) -> Trained[LSTMAutoencoder]:
        """Train in as many processes as there are devices."""
        with launched(self.fabric):
            return fit(
                self.fabric,
                self.model,
                self.train,
                self.validation,
                self.recipe,
                tracking,
            )

    def run(self, unfinished: Path, log_epoch: EpochEnd) -> Trained[LSTMAutoencoder]:
        """Train, or go on where a killed run of the same training was."""
        return self.fit(
            Tracking(
                epoch_end=partial(self._end_epoch, unfinished, log_epoch),
                name=self.name,
                checkpoint=unfinished / "checkpoint.safetensors",
            )
        )

    def save(self, trained: Trained[LSTMAutoencoder], unfinished: Path) -> None:
        """Write the model at its best epoch, and where there are classes at each epoch."""
        directory = paths.weights(self.name)
        save_autoencoder(trained.model, directory)
        if self.has_classes:
            shutil.copytree(
                unfinished / "epochs",
                directory / "epochs",
                ignore=shutil.ignore_patterns(".*"),
                dirs_exist_ok=True,
            )
        content = {
            "best_epoch": trained.best_epoch,
            "diverged_at_epoch": trained.diverged_at_epoch,
            **asdict(self.recipe.hyperparameters),
            "versions": versions(),
            "native": processor.is_native(),
        }
        write_json(directory / "training.json", content)

    def _end_epoch(
        self,
        unfinished: Path,
        log_epoch: EpochEnd,
        epoch: Epoch,
    ) -> None:
        log_epoch(epoch)
        # The accuracy of each epoch on the test split is for the evaluation to compute.
        if self.has_classes and epoch.model is not None:
            save_weights(epoch.model, unfinished / "epochs" / f"{epoch.number:03d}.safetensors")


def load_training(params: Params, name: str) -> SectionTraining:
    """Prepare this process for the training of a section, and read what it needs.

    Raises
    ------
    InputError
        Something is missing, or a model cannot be built from it.
    """
    section = params.section(name)
    prepared = paths.prepared(name)
    best = load_yaml(paths.search(name) / "best.yaml")
    hyperparameters = resolve(params, name, best)
    device = start(params.device, _threads(params))
    train = load_split(prepared, "train")
    validation = load_split(prepared, "validation")
    classes = load_description(prepared).classes
    seed = params.training_seed
    model = build(section.model, hyperparameters, train, classes, seed)
    return SectionTraining(
        name=name,
        params=params,
        recipe=Recipe(section.training, hyperparameters, seed),
        fabric=accelerate(device, params.precision, params.devices),
        model=model,
        train=train,
        validation=validation,
    )


def follow_training(params: Params, name: str) -> None:
    """Take part in a training that another process leads."""
    follow_first_process()
    training = load_training(params, name)
    with suppress(InputError):  # the first process ends with the same line
        training.fit()


def _threads(params: Params) -> int:
    """How many threads this process computes with."""
    threads = usable_cores() if params.threads == "auto" else params.threads
    return max(1, threads // params.devices)


def prepared_files(directory: Path) -> list[Path]:
    """The prepared files that a search and a training read."""
    names = ("train.safetensors", "validation.safetensors", "description.json")
    return [directory / name for name in names]
