"""What the sections left for the page, and the table of all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from lstm_ae.report import study


@dataclass(frozen=True)
class Results:
    """What a section left for the page.

    Parameters
    ----------
    metrics
        The numbers of the test split.
    curves
        Losses and scores by epoch.
    trials
        Every trial of the search.
    figures
        SVG by name.
    explorer
        What `lstm_ae.evaluation.explorer.explore` gave. Where it is empty, there is nothing to
        try.
    parameters
        The section's block of params.yaml, and what training made of it.
    """

    metrics: dict[str, Any]
    curves: pd.DataFrame
    trials: pd.DataFrame
    figures: dict[str, str] = field(default_factory=dict)
    explorer: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)


RIVALS = ("pca", "feed_forward", "convolutional")


def results_table(metrics: Mapping[str, dict[str, Any]]) -> pd.DataFrame:
    """Return a row a section: the model beside its rivals, the mean and the original report."""
    return pd.DataFrame([results_row(name, values) for name, values in metrics.items()])


def results_row(name: str, metrics: Mapping[str, Any]) -> dict[str, str]:
    """Return the row of one section; a number that it does not have is empty."""
    next_step = metrics.get("one_step", {})
    return {
        "section": name,
        "code": str(metrics["code_size"]),
        "MSE": written(metrics.get("mse"), ".5f"),
        "feed-forward": written(metrics.get("feed_forward_mse"), ".5f"),
        "convolutional": written(metrics.get("convolutional_mse"), ".5f"),
        "PCA": written(metrics.get("pca_mse"), ".5f"),
        "mean": written(metrics.get("mean_mse"), ".5f"),
        "accuracy": written(metrics.get("accuracy"), ".2%"),
        "accuracy, convolutional": written(metrics.get("convolutional_accuracy"), ".2%"),
        "one-step skill": written(next_step.get("skill"), ".3f"),
        "skill, long averages": written(next_step.get("skill_long_averages"), ".3f"),
        "the original report": study.SECTIONS[name].reported if name in study.SECTIONS else "",
    }


def written(number: float | None, form: str) -> str:
    """Return a number as text; where there is none, nothing."""
    return "" if number is None else format(number, form).replace("%", " %")


def is_best(metrics: Mapping[str, float]) -> bool:
    """Tell whether the model's error is below that of every rival, clipped or not."""
    for rival in RIVALS:
        for name in (f"{rival}_mse", f"{rival}_clipped_mse"):
            if name in metrics and metrics[name] <= metrics["mse"]:
                return False
    return True
