"""The study of handwritten digits."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lstm_ae.core.splits import Split
from lstm_ae.evaluation import figures
from lstm_ae.evaluation.explorer import View
from lstm_ae.evaluation.metrics import class_metrics
from lstm_ae.evaluation.studies.case import Case, Findings

Array = NDArray[np.float64]


def study(case: Case) -> Findings:
    """Ten digits over their reconstructions, and the losses (3.2 of the report).

    With a class, the curves of all three splits.
    """
    drawn = {"digits": digits_figure(case)}
    if case.answers.probabilities is None or case.test.labels is None:
        return Findings({}, drawn | {"loss": case.loss_figure()})
    metrics = class_metrics(case.answers.probabilities, case.test.labels)
    accuracy = case.curves["accuracy"]
    panels = {
        f"reconstruction loss ({case.loss})": case.curves["reconstruction"],
        "classification loss (cross-entropy)": case.curves["classification"],
        "accuracy": {split: curve[curve.index > 0] for split, curve in accuracy.items()},
    }
    losses = list(panels)[:2]
    title = f"Test accuracy {metrics['accuracy']:.2%}, {case.result}"
    drawn["learning"] = figures.learning_curves(panels, title, losses)
    return Findings(metrics, drawn)


def digits_figure(case: Case) -> Figure:
    """The first test image of each digit over its reconstruction."""
    test = case.test
    assert test.image_shape is not None
    digits = test.extras["digits"]
    rows = []
    for digit in range(10):
        images = np.flatnonzero(digits == digit)
        rows.append(images[0] if len(images) else digit)
    shape = (-1, *test.image_shape)
    originals = as_images(test, test.values()[rows]).reshape(shape)
    reconstructions = as_images(test, case.answers.reconstruction[rows]).reshape(shape)
    return figures.digits(originals, reconstructions, case.result)


def view(case: Case) -> View:
    """How a person reads an image."""
    digits = case.test.extras["digits"]
    return View(
        [],
        "",
        lambda row: f"digit {digits[row]}, test image {row}",
        lambda values, row: as_images(case.test, values),
    )


def as_images(test: Split, values: Array) -> Array:
    """Sequences (N, T, m) with their steps in the order of the images."""
    return values if test.order is None else values[:, np.argsort(test.order)]
