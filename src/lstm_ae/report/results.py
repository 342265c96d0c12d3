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


def results_table(metrics: Mapping[str, dict[str, Any]]) -> pd.DataFrame:
    """Return a row a section: the model beside PCA, the mean and the original report."""
    return pd.DataFrame([results_row(name, values) for name, values in metrics.items()])


def results_row(name: str, metrics: dict[str, Any]) -> dict[str, str]:
    """Return the row of one section; a number that it does not have is empty."""
    accuracy = metrics.get("accuracy")
    clipped = metrics.get("pca_clipped_mse")
    skill = metrics.get("one_step", {}).get("skill")
    return {
        "section": name,
        "code": str(metrics["code_size"]),
        "MSE": f"{metrics['mse']:.5f}",
        "PCA": f"{metrics['pca_mse']:.5f}",
        "PCA, clipped": "" if clipped is None else f"{clipped:.5f}",
        "mean": f"{metrics['mean_mse']:.5f}",
        "accuracy": "" if accuracy is None else f"{100 * accuracy:.2f} %",
        "one-step skill": "" if skill is None else f"{skill:.3f}",
        "the original report": study.SECTIONS[name].reported if name in study.SECTIONS else "",
    }
