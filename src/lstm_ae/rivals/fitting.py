"""How the rivals of a section are fitted: on its training split, chosen on its validation split."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from lstm_ae.core import paths
from lstm_ae.core.files import write_json
from lstm_ae.core.splits import Split, load_description, load_split
from lstm_ae.model.saving import save_weights
from lstm_ae.params import LossWeights, Params, RateFactors, Training
from lstm_ae.rivals.networks import ResidualAutoencoder, Shape
from lstm_ae.training.hyperparameters import Hyperparameters
from lstm_ae.training.loop import fit
from lstm_ae.training.records import Recipe, Tracking, Trained


@dataclass(frozen=True)
class Task:
    """What the networks beside a model are asked to do.

    Parameters
    ----------
    classes
        Of the labels, or None.
    code_size
        How many numbers a code has. None: as many as the search gives, and no rival has a code.
    training
        How the section's model is trained; they are trained so too, all of a network at one rate by
        AdamW.
    seed
        Of the weights and of the order of the batches.
    """

    train: Split
    validation: Split
    classes: int | None
    code_size: int | None
    training: Training
    hyperparameters: Hyperparameters
    seed: int

    @classmethod
    def of(cls, params: Params, name: str) -> "Task":
        """The task of a section, under the budget."""
        section = params.section(name)
        prepared = paths.prepared(name)
        train = load_split(prepared, "train")
        return cls(
            train=train,
            validation=load_split(prepared, "validation"),
            classes=load_description(prepared).classes,
            code_size=section.model.code_size,
            training=section.training,
            hyperparameters=Hyperparameters(
                hidden_size=params.rivals.hidden_size,
                lr=params.rivals.lr,
                gradient_clip=params.rivals.gradient_clip,
                layers=1,
                epochs=min(section.epochs, params.caps.epochs or section.epochs),
            ),
            seed=params.training_seed,
        )

    def settings(self) -> dict[str, Any]:
        """What decides the result, beside the prepared files."""
        return {
            "code_size": self.code_size,
            "training": self.training.model_dump(),
            "hyperparameters": asdict(self.hyperparameters),
            "seed": self.seed,
        }

    def shapes(self) -> dict[str, Shape]:
        """The networks by name: a dense one, and for images one of convolutions."""
        if self.code_size is None:
            return {}
        _, length, features = self.train.sequences.shape
        dense = Shape(
            length=length,
            features=features,
            code_size=self.code_size,
            hidden_size=self.hyperparameters.hidden_size,
        )
        shapes = {"feed_forward": dense}
        if self.train.image_shape is not None and self.train.order is None:
            shapes["convolutional"] = replace(
                dense,
                image=self.train.image_shape.tolist(),
                classes=self.classes,
            )
        return shapes

    def recipe(self, shape: Shape) -> Recipe:
        """How a network of that shape is trained."""
        weights = self.training.loss_weights
        asked = LossWeights(
            reconstruction=weights.reconstruction if shape.classes else 1.0,
            classification=weights.classification if shape.classes else 0.0,
            prediction=0.0,
        )
        alike = RateFactors(
            encoder=0.0,
            decoder=0.0,
            biases=0.0,
            heads=1.0,
        )
        changes = {
            "loss_weights": asked,
            "lr_factors": alike,
            "optimizer": "adamw",  # Muon's products of these wide matrices would take longest
            "error_correlation": 0.0,
        }
        training = self.training.model_copy(update=changes)
        return Recipe(training, self.hyperparameters, self.seed)


def fit_network(
    fabric: Fabric,
    task: Task,
    shape: Shape,
    unfinished: Path | None = None,
    name: str | None = None,
) -> Trained[ResidualAutoencoder]:
    """Train a network from principal components on; it is returned at its best epoch.

    Parameters
    ----------
    unfinished
        A file that the training goes on from where it is there.
    name
        On the progress bar.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(task.seed)
        network = ResidualAutoencoder(shape)
    network.start_at_pca(task.train)
    return fit(
        fabric,
        network,
        task.train,
        task.validation,
        task.recipe(shape),
        Tracking(name=name, checkpoint=unfinished),
    )


def save_network(trained: Trained[ResidualAutoencoder], directory: Path) -> None:
    """Write weights.safetensors, shape.json and, of its training, training.json."""
    save_weights(trained.model, directory / "weights.safetensors")
    write_json(directory / "shape.json", asdict(trained.model.shape))
    chosen = {"best_epoch": trained.best_epoch, "validation_loss": trained.best_loss}
    write_json(directory / "training.json", chosen)
