"""Vector autoregression by least squares: the start of a prediction head, and a baseline."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Autoregression:
    """x_(t+1) = intercept + sum over lags of x_(t-lag) @ coefficients[lag].

    Parameters
    ----------
    intercept
        (m,).
    coefficients
        (lags, m, m).
    """

    intercept: Array
    coefficients: Array

    @property
    def lags(self) -> int:
        return len(self.coefficients)

    def predict(self, sequences: Array) -> Array:
        """Predict the step after each of the last T - lags + 1 steps.

        Sequences are (N, T, m), predictions (N, T - lags + 1, m).
        """
        steps = sequences.shape[1] - self.lags + 1
        terms = []
        for lag in range(self.lags):
            begin = self.lags - 1 - lag
            end = begin + steps
            lagged = sequences[:, begin:end]
            terms.append(lagged @ self.coefficients[lag])
        return self.intercept + sum(terms)

    def roll_forward(self, sequences: Array, steps: int) -> Array:
        """Predict `steps` steps, each from the predictions before it: (N, steps, m)."""
        for _ in range(steps):
            following = self.predict(sequences[:, -self.lags :])
            sequences = np.concatenate([sequences, following], axis=1)
        return sequences[:, -steps:]


def least_squares(
    sequences: Array,
    following: Array,
    lags: int,
    group: NDArray[np.int64] | None = None,
) -> Autoregression:
    """Fit a vector autoregression by ordinary least squares (Luetkepohl 2005, ch. 3).

    All steps count that have `lags` steps behind them.

    Parameters
    ----------
    sequences, following
        (N, T, m) and the step after the last, (N, m).
    group
        (N,) sequences of one group cover the same days: the slopes are then fitted within each day
        (fixed effects of time, Baltagi 2021, ch. 3), so that what moved all of a day's sequences
        alike counts for nothing. None fits over all.
    """
    count, length, features = sequences.shape
    inputs = lags * features
    later = sequences[:, lags:]
    targets = np.concatenate([later, following[:, None]], axis=1)
    steps = length - lags + 1
    if group is not None:
        member, averages = _group_averages(group)

    width = inputs + features
    total = np.zeros(width)
    moments = np.zeros((width, width))
    for t in range(steps):
        lagged = sequences[:, t : t + lags]
        latest_first = lagged[:, ::-1].reshape(count, inputs)
        target = targets[:, t]
        rows = np.concatenate([latest_first, target], axis=1)
        total += rows.sum(axis=0)
        if group is not None:
            means = averages @ rows
            rows = rows - means[member]
        moments += rows.T @ rows
    mean = total / (steps * count)
    if group is None:
        moments -= steps * count * np.outer(mean, mean)

    of_inputs = moments[:inputs, :inputs]
    with_targets = moments[:inputs, inputs:]
    slopes, *_ = np.linalg.lstsq(of_inputs, with_targets, rcond=None)
    intercept = mean[inputs:] - mean[:inputs] @ slopes
    return Autoregression(intercept, slopes.reshape(lags, features, features))


def _group_averages(group: NDArray[np.int64]) -> tuple[NDArray[np.intp], Array]:
    """The number of each row's group, (N,), and the matrix (groups, N) that averages each group."""
    _, member = np.unique(group, return_inverse=True)
    numbers = np.arange(member.max() + 1)
    sizes = np.bincount(member)
    belongs = member == numbers[:, None]
    return member, belongs / sizes[:, None]
