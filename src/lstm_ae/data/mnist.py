"""Handwritten digits read row by row or pixel by pixel."""

from pathlib import Path

import numpy as np

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Prepared, Split
from lstm_ae.params import MnistData

STEPS = {"rows": (28, 28), "pixels": (784, 1)}


def prepare(directory: Path, data: MnistData, seed: int) -> Prepared:
    """Read the IDX files; validation is a stratified draw from the official training images, test the official one.

    Raises
    ------
    InputError
        A file is missing, truncated, not IDX or not of digits, or the training images are too few to draw from.
    """
    from sklearn.model_selection import train_test_split
    from torchvision.datasets import MNIST

    images, labels = {}, {}
    for official, train in (("train", True), ("test", False)):
        try:
            mnist = MNIST(str(directory), train=train, download=False)
        except (RuntimeError, ValueError, AssertionError, TypeError, KeyError, EOFError) as error:
            problem = str(error) or type(error).__name__
            raise InputError(
                f"{directory}/MNIST/raw: {official} files are not the IDX files of MNIST ({problem})"
            ) from error
        pixels, digits = mnist.data.numpy(), mnist.targets.numpy().astype(np.int64)
        if pixels.shape != (len(digits), 28, 28) or digits.max() > 9:
            found = f"{len(pixels)} images of {pixels.shape[1]} x {pixels.shape[2]}, {len(digits)} labels up to {digits.max()}"
            raise InputError(
                f"{directory}/MNIST/raw: {official}: found {found}; as many of 28 x 28 and labels up to 9 are allowed"
            )
        images[official], labels[official] = pixels.reshape(-1, *STEPS[data.view]), digits
    every = np.arange(len(labels["train"]))
    try:
        kept, held = train_test_split(
            every, test_size=data.validation, random_state=seed, stratify=labels["train"]
        )
    except ValueError as error:
        raise InputError(
            f"{directory}/MNIST/raw: validation {data.validation} of {len(every)} images: {error}"
        ) from error
    parts = {
        "train": (images["train"][kept], labels["train"][kept]),
        "validation": (images["train"][held], labels["train"][held]),
        "test": (images["test"], labels["test"]),
    }
    shape = np.array(mnist.data.shape[1:])
    splits = {
        name: Split(x, y if data.labels else None, image_shape=shape, extras={"digits": y})
        for name, (x, y) in parts.items()
    }
    description = {"data_source": "MNIST", "unit_interval": True}
    return Prepared(splits, description | ({"classes": 10} if data.labels else {}))
