"""The kind `mnist`: handwritten digits read row by row or pixel by pixel, in whatever order."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Description, Split
from lstm_ae.data.prepared import Prepared
from lstm_ae.data.public import bring_mnist
from lstm_ae.data.raw import RawData
from lstm_ae.params import MnistData
from lstm_ae.units.layout import Layout

CLASSES = 10
# Steps of a sequence and features of a step.
STEPS = {"rows": (28, 28), "pixels": (784, 1), "permuted": (784, 1)}
WHITE = 255.0

Images = NDArray[np.uint8]
Digits = NDArray[np.int64]


def acquire(data: MnistData, raw: RawData) -> str:
    """Bring the official files."""
    return bring_mnist(raw.directory)


def prepare(data: MnistData, raw: RawData) -> Prepared:
    """Validation is a stratified draw from the official training images, test the official one.

    Raises
    ------
    InputError
        A file is missing, truncated, not IDX or not of digits, or the training images are too few
        to draw from.
    """
    train_images, train_digits = read_images(raw.directory, train=True)
    test_images, test_digits = read_images(raw.directory, train=False)
    kept, drawn = _draw_validation(raw, train_digits, data.validation)
    parts = {
        "train": (train_images[kept], train_digits[kept]),
        "validation": (train_images[drawn], train_digits[drawn]),
        "test": (test_images, test_digits),
    }
    steps, features = STEPS[data.view]
    order = None
    if data.view == "permuted":
        order = np.random.default_rng(raw.seed).permutation(steps)
    splits = {
        name: Split(
            _read_in(order, images.reshape(-1, steps, features)),
            digits if data.labels else None,
            image_shape=np.array(images.shape[1:]),
            order=order,
            extras={"digits": digits},
        )
        for name, (images, digits) in parts.items()
    }
    description = Description(
        data_source=raw.data_source,
        unit_interval=True,
        classes=CLASSES if data.labels else None,
    )
    return Prepared(splits, description, Layout.of_sequences(steps, features, scale=WHITE))


def _read_in(order: NDArray[np.int64] | None, sequences: Images) -> Images:
    """Sequences (N, T, m) with their steps in another order."""
    return sequences if order is None else sequences[:, order]


def read_images(directory: Path, train: bool) -> tuple[Images, Digits]:
    """The official training or test images, (N, 28, 28), and their digits, (N,)."""
    from torchvision.datasets import MNIST  # its import takes seconds

    name = "train" if train else "test"
    place = f"{directory}/MNIST/raw"
    try:
        mnist = MNIST(str(directory), train=train, download=False)
    except (RuntimeError, ValueError, AssertionError, TypeError, KeyError, EOFError) as error:
        problem = str(error) or type(error).__name__
        raise InputError(
            f"{place}: {name} files are not the IDX files of MNIST ({problem}); "
            "`dvc repro` brings them anew"
        ) from error
    images, digits = mnist.data.numpy(), mnist.targets.numpy().astype(np.int64)
    if images.shape != (len(digits), 28, 28) or digits.max() >= CLASSES:
        height, width = images.shape[1:]
        raise InputError(
            f"{place}: {name}: found {len(images)} images of {height} x {width}, {len(digits)} "
            f"labels up to {digits.max()}; as many of 28 x 28 and labels up to 9 are needed"
        )
    return images, digits


def _draw_validation(
    raw: RawData,
    digits: Digits,
    count: int,
) -> tuple[Digits, Digits]:
    """The rows that stay in training, and those drawn for validation, as many of each digit."""
    from sklearn.model_selection import train_test_split  # its import takes a second

    rows = np.arange(len(digits))
    try:
        kept, drawn = train_test_split(
            rows,
            test_size=count,
            random_state=raw.seed,
            stratify=digits,
        )
    except ValueError as error:
        raise InputError(
            f"{raw.directory}/MNIST/raw: validation {count} of {len(rows)} images: {error}"
        ) from error
    return kept, drawn
