"""Models at their start over prepared data, with all that a study reads; only for tests."""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from lstm_ae.data.prepared import Prepared
from lstm_ae.evaluation.metrics import reconstruction_metrics
from lstm_ae.evaluation.studies import Case
from lstm_ae.model.autoencoder import Architecture, LSTMAutoencoder
from lstm_ae.package.answers import compute_answers
from lstm_ae.package.calibration import Calibration, calibrate
from lstm_ae.package.package import Package
from lstm_ae.units.layout import Layout

CPU = torch.device("cpu")
CODE_SIZE = 4


def package_of(
    layout: Layout, classes: int | None = None, calibration: Calibration | None = None
) -> Package:
    """A model at its start, of the sizes of a layout; calibrated by nothing unless told."""
    architecture = Architecture(
        features=layout.features,
        sequence_length=layout.window,
        hidden_size=8,
        upper_size=8,
        code_size=CODE_SIZE,
        layers=1,
        period=1,
        code_enters="state",
        decoding="backward",
        output="linear",
        classes=classes,
        class_hidden_size=8,
        predicts=layout.predict,
    )
    torch.manual_seed(0)
    model = LSTMAutoencoder(architecture).eval()
    growth = np.stack([np.zeros(layout.features), np.ones(layout.features)])
    calibration = calibration or Calibration(np.ones(1), growth=growth)
    return Package(model, layout, calibration, {"section": "test"})


def case_of(
    prepared: Prepared,
    reconstruction: NDArray[np.float64] | None = None,
    classes: int | None = None,
) -> Case:
    """A model at its start, what it answers to test, and losses that are made up.

    Parameters
    ----------
    reconstruction
        (N, T, m) of test, in place of the model's.
    """
    splits, layout = prepared.splits, prepared.layout
    package = package_of(layout, classes)
    calibration = calibrate(package.model, splits["validation"], layout, CPU)
    package = replace(package, calibration=calibration)
    answers = compute_answers(package.model, splits["test"].sequences, CPU)
    if reconstruction is not None:
        answers = replace(answers, reconstruction=reconstruction)
    errors = reconstruction_metrics(
        answers.reconstruction, splits["train"], splits["test"], CODE_SIZE, unit_interval=False
    )
    metrics = {**errors, "code_size": CODE_SIZE, "best_epoch": 1, "validation_loss": 0.5}
    curve = {"train": pd.Series([2.0, 1.0]), "validation": pd.Series([1.0, 0.5])}
    measures = ["reconstruction", "loss"]
    if layout.predict:
        measures.append("prediction")
    if classes is not None:
        measures += ["classification", "accuracy"]
    curves = dict.fromkeys(measures, curve)
    return Case(package, prepared.description, splits, answers, metrics, curves, "mse")
