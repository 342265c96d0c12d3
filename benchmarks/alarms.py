"""Faults planted in the test windows of a section whose windows have one variable: what `score` finds, beside PCA and a moving z-score.

Each test window is scored as it is and with one fault of each kind. All thresholds are those of `score`: the error that 5 % of the
validation windows exceed. The size of a fault is counted in standard deviations of the changes from step to step of its window.

PYTHONPATH=src python benchmarks/alarms.py snp
"""

import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from lstm_ae.core import paths
from lstm_ae.core.splits import load_split
from lstm_ae.evaluation.baselines import pca_reconstruction
from lstm_ae.package.answers import compute_answers
from lstm_ae.package.package import Calibration, load_package, window_errors

Array = NDArray[np.float64]
FALSE_ALARMS = 0.05
LAGS = 10  # steps of the moving mean and standard deviation
CPU = torch.device("cpu")


def faults(windows: Array, random: np.random.Generator) -> dict[str, Array]:
    """Windows (N, T, 1), each with a fault at a place drawn at random, by kind."""
    count, length, _ = windows.shape
    changes = np.diff(windows[:, :, 0], axis=1).std(axis=1)[:, None]
    steps, sign = np.arange(length), random.choice([-1.0, 1.0], (count, 1))
    begin = random.integers(LAGS, length - length // 4, (count, 1))
    within = {
        name: (steps >= begin) & (steps < begin + long)
        for name, long in (("spike", 2), ("quarter", length // 4))
    }
    level = np.take_along_axis(windows[:, :, 0], begin, axis=1)
    values = windows[:, :, 0]
    planted = {
        "two steps off by 6": values + sign * 6 * changes * within["spike"],
        "two steps off by 12": values + sign * 12 * changes * within["spike"],
        "a quarter off by 6": values + sign * 6 * changes * within["quarter"],
        "a quarter stands still": np.where(within["quarter"], level, values),
        "noise of 3 over a quarter": values
        + 3 * changes * random.normal(size=values.shape) * within["quarter"],
    }
    return {name: faulty[:, :, None] for name, faulty in planted.items()}


def moving_z_score(windows: Array) -> Array:
    """(N,) the largest distance of a step from the mean of those before it, in their standard deviations."""
    values = windows[:, :, 0]
    past = sliding_window_view(values, LAGS, axis=1)[:, :-1]
    return np.asarray(
        (np.abs(values[:, LAGS:] - past.mean(axis=2)) / past.std(axis=2).clip(1e-9)).max(axis=1)
    )


def main(section: str) -> None:
    package, prepared = load_package(paths.model(section), CPU), paths.prepared(section)
    train, validation, test = (
        load_split(prepared, name).values() for name in ("train", "validation", "test")
    )
    code_size = package.model.architecture.code_size
    methods: dict[str, Callable[[Array], Array]] = {
        "lstm-ae score": lambda windows: window_errors(
            windows, compute_answers(package.model, windows.astype(np.float32), CPU).reconstruction
        ),
        f"PCA, {code_size} numbers": lambda windows: window_errors(
            windows, pca_reconstruction(train, windows, code_size)
        ),
        f"moving z-score, {LAGS} steps": moving_z_score,
    }
    planted = faults(test, np.random.default_rng(0))
    table = {}
    for name, score in methods.items():
        threshold = Calibration(np.sort(score(validation)), None).threshold(FALSE_ALARMS)
        alarms = {
            kind: float((score(windows) > threshold).mean())
            for kind, windows in {"no fault": test, **planted}.items()
        }
        recall = float(np.mean([share for kind, share in alarms.items() if kind != "no fault"]))
        table[name] = {
            **alarms,
            "recall": recall,
            "precision": recall / (recall + alarms["no fault"]),
        }
    print(pd.DataFrame(table).T.map("{:.1%}".format).to_markdown())


if __name__ == "__main__":
    main(*sys.argv[1:])
