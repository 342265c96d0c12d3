"""Gradient boosting of the next step from the last ones (Friedman 2001; Ke et al. 2017).

Shapes: N sequences, T steps, m variables, F numbers that are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np
from numpy.typing import NDArray

from lstm_ae.core.files import read_json, write_json, write_text
from lstm_ae.core.splits import Split
from lstm_ae.model.regression import AVERAGES, LAGS

Array = NDArray[np.float64]

ROUNDS = 500  # at most; validation chooses
WINDOWS = 10_000  # of training that are learnt from
PATIENCE = 20  # rounds without a better validation loss
SETTINGS = {
    "objective": "regression",
    "learning_rate": 0.05,
    "num_leaves": 31,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}


@dataclass(frozen=True)
class Boosting:
    """A booster for each variable.

    Parameters
    ----------
    recent
        How many of the last steps are read.
    averages
        Over how many last steps each variable is averaged beside them.
    """

    boosters: Sequence[lightgbm.Booster]
    recent: int
    averages: Sequence[int]

    @property
    def lags(self) -> int:
        """How many steps must be known."""
        return max(self.recent, *self.averages)

    def predict(self, sequences: Array) -> Array:
        """Predict the step after each of the last T - lags + 1 steps of (N, T, m)."""
        read = numbers_read(sequences, self.recent, self.averages)
        count, steps, numbers = read.shape
        flat = read.reshape(-1, numbers)
        predictions = [booster.predict(flat) for booster in self.boosters]
        by_variable = np.stack(predictions, axis=1)
        return by_variable.reshape(count, steps, -1)


def numbers_read(
    sequences: Array,
    recent: int,
    averages: Sequence[int],
) -> Array:
    """The last steps and the running means at each step that has enough behind it.

    Returns
    -------
    (N, T - lags + 1, F)
    """
    longest = max(recent, *averages)
    length = sequences.shape[1]
    parts = []
    for lag in range(recent):
        first = longest - 1 - lag
        parts.append(sequences[:, first : length - lag])
    before_all = np.zeros_like(sequences[:, :1])
    padded = np.concatenate([before_all, sequences], axis=1)
    sums = padded.cumsum(axis=1)
    ends = sums[:, longest:]
    for steps in averages:
        first = longest - steps
        begins = sums[:, first : length + 1 - steps]
        parts.append((ends - begins) / steps)
    return np.concatenate(parts, axis=2)


def fit_boosting(
    train: Split,
    validation: Split,
    seed: int,
) -> Boosting:
    """Fit a booster for each variable to what the lines read; validation tells when to stop."""
    assert validation.first_scored is not None
    first_scored = validation.first_scored.min()
    known = int(first_scored) + 1
    recent = min(LAGS, known)
    averages = [steps for steps in AVERAGES if steps <= known]
    inputs, targets = _rows(train.thinned(WINDOWS), recent, averages)
    held_out, held_out_targets = _rows(validation, recent, averages)
    boosters = []
    for of_training, of_validation in zip(targets.T, held_out_targets.T, strict=True):
        learnt = lightgbm.Dataset(inputs, of_training.copy())
        judge = lightgbm.Dataset(held_out, of_validation.copy(), reference=learnt)
        booster = lightgbm.train(
            SETTINGS | {"seed": seed},
            learnt,
            num_boost_round=ROUNDS,
            valid_sets=[judge],
            callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
        )
        boosters.append(booster)
    return Boosting(boosters, recent, averages)


def save_boosting(boosting: Boosting, directory: Path) -> None:
    """Write LightGBM's text of each booster, by the number of its variable."""
    for variable, booster in enumerate(boosting.boosters):
        write_text(directory / f"{variable}.txt", booster.model_to_string())
    read = {"recent": boosting.recent, "averages": list(boosting.averages)}
    write_json(directory / "read.json", read)


def load_boosting(directory: Path) -> Boosting:
    """Read what `save_boosting` wrote."""
    read = read_json(directory / "read.json")
    count = len(list(directory.glob("*.txt")))
    paths = [directory / f"{variable}.txt" for variable in range(count)]
    boosters = [lightgbm.Booster(model_file=str(path)) for path in paths]
    return Boosting(boosters, read["recent"], read["averages"])


def _rows(
    split: Split,
    recent: int,
    averages: Sequence[int],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What is read and what follows it, (K, F) and (K, m), at the K scored steps."""
    assert split.following is not None
    values = split.values()
    length = values.shape[1]
    read = numbers_read(values, recent, averages)
    first_step = length - read.shape[1]
    later = values[:, first_step + 1 :]
    targets = np.concatenate([later, split.following[:, None]], axis=1)
    steps = np.arange(first_step, length)
    scored = np.ones((len(split), steps.size), bool)
    if split.first_scored is not None:
        scored = steps >= split.first_scored[:, None]
    inputs = read[scored].astype(np.float32)
    return inputs, targets[scored].astype(np.float32)
