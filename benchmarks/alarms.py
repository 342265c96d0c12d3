"""Faults planted in test windows: what `score` finds, beside PCA and a moving z-score.

python -m benchmarks.alarms snp

For a section whose windows have one variable. Each test window is scored as it is and with one
fault of each kind. All thresholds are those of `score`: the error that 5 % of the validation
windows exceed. The size of a fault is counted in standard deviations of the changes from step to
step of its window.
"""

import sys
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from lstm_ae.core import paths
from lstm_ae.core.splits import load_split
from lstm_ae.evaluation.baselines import pca_reconstruction
from lstm_ae.package.answers import compute_answers
from lstm_ae.package.calibration import Calibration, window_errors
from lstm_ae.package.loading import load_package

Array = NDArray[np.float64]
Score = Callable[[Array], Array]  # windows (N, T, 1) to errors (N,)

FALSE_ALARMS = 0.05
NO_FAULT = "no fault"
LAGS = 10  # steps of the moving mean and standard deviation
CPU = torch.device("cpu")


def faults(windows: Array, random: np.random.Generator) -> dict[str, Array]:
    """Windows (N, T, 1), each with a fault at a place drawn at random, by kind."""
    count, length, _ = windows.shape
    values = windows[:, :, 0]
    changes = np.diff(values, axis=1).std(axis=1)[:, None]
    sign = random.choice([-1.0, 1.0], (count, 1))
    begin = random.integers(LAGS, length - length // 4, (count, 1))
    steps = np.arange(length)
    spike = (steps >= begin) & (steps < begin + 2)
    quarter = (steps >= begin) & (steps < begin + length // 4)
    level = np.take_along_axis(values, begin, axis=1)
    noise = random.normal(size=values.shape)
    planted = {
        "two steps off by 6": values + sign * 6 * changes * spike,
        "two steps off by 12": values + sign * 12 * changes * spike,
        "a quarter off by 6": values + sign * 6 * changes * quarter,
        "a quarter stands still": np.where(quarter, level, values),
        "noise of 3 over a quarter": values + 3 * changes * noise * quarter,
    }
    return {kind: faulty[:, :, None] for kind, faulty in planted.items()}


def moving_z_score(windows: Array) -> Array:
    """The largest distance of a step from the mean of those before it.

    Returns
    -------
    (N,) in standard deviations of the steps before.
    """
    values = windows[:, :, 0]
    past = sliding_window_view(values, LAGS, axis=1)[:, :-1]
    distances = np.abs(values[:, LAGS:] - past.mean(axis=2))
    deviations = past.std(axis=2).clip(1e-9)
    return np.asarray((distances / deviations).max(axis=1))


def methods(section: str) -> dict[str, Score]:
    """What gives a window an error, by name: the model, PCA of its size, the moving z-score."""
    package = load_package(paths.model(section), CPU)
    train = load_split(paths.prepared(section), "train").values()
    code_size = package.model.architecture.code_size

    def by_model(windows: Array) -> Array:
        answers = compute_answers(package.model, windows.astype(np.float32), CPU)
        return window_errors(windows, answers.reconstruction)

    def by_pca(windows: Array) -> Array:
        return window_errors(windows, pca_reconstruction(train, windows, code_size))

    return {
        "lstm-ae score": by_model,
        f"PCA, {code_size} numbers": by_pca,
        f"moving z-score, {LAGS} steps": moving_z_score,
    }


def alarm_shares(score: Score, validation: Array, tests: Mapping[str, Array]) -> dict[str, float]:
    """The share of alarms among the windows of each kind, and over kinds recall and precision."""
    threshold = Calibration(np.sort(score(validation)), None).threshold(FALSE_ALARMS)
    shares = {}
    for kind, windows in tests.items():
        shares[kind] = float((score(windows) > threshold).mean())
    recall = float(np.mean([share for kind, share in shares.items() if kind != NO_FAULT]))
    precision = recall / (recall + shares[NO_FAULT])
    return {**shares, "recall": recall, "precision": precision}


def main(section: str) -> None:
    prepared = paths.prepared(section)
    validation = load_split(prepared, "validation").values()
    test = load_split(prepared, "test").values()
    tests = {NO_FAULT: test, **faults(test, np.random.default_rng(0))}
    table = {}
    for name, score in methods(section).items():
        table[name] = alarm_shares(score, validation, tests)
    print(pd.DataFrame(table).T.map("{:.1%}".format).to_markdown())


if __name__ == "__main__":
    main(*sys.argv[1:])
