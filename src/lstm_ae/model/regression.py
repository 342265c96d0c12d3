"""Vector autoregression by least squares: the start of a prediction head, and a baseline."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LAGS = 10  # last steps that a baseline reads
AVERAGES = (20, 60)  # steps; the mean of five is spanned by the lags (Corsi 2009)


@dataclass(frozen=True)
class Autoregression:
    """x_(t+1) = intercept + sum over K numbers of (sum over lags of w x_(t-lag)) @ slope.

    Parameters
    ----------
    intercept
        (m,).
    slopes
        (K, m, m), of the K numbers that are read of each variable.
    weights
        (lags, K) of each step before, the latest first, in each of these numbers.
    """

    intercept: Array
    slopes: Array
    weights: Array

    @property
    def lags(self) -> int:
        return len(self.weights)

    @property
    def coefficients(self) -> Array:
        """(lags, m, m), of each step before."""
        return np.einsum("lk,kij->lij", self.weights, self.slopes)

    def predict(self, sequences: Array) -> Array:
        """Predict the step after each of the last T - lags + 1 steps.

        Sequences are (N, T, m), predictions (N, T - lags + 1, m).
        """
        steps = sequences.shape[1] - self.lags + 1
        terms = []
        for lag, coefficients in enumerate(self.coefficients):
            begin = self.lags - 1 - lag
            end = begin + steps
            lagged = sequences[:, begin:end]
            terms.append(lagged @ coefficients)
        return self.intercept + sum(terms)

    def roll_forward(self, sequences: Array, steps: int) -> Array:
        """Predict `steps` steps, each from the predictions before it: (N, steps, m)."""
        for _ in range(steps):
            following = self.predict(sequences[:, -self.lags :])
            sequences = np.concatenate([sequences, following], axis=1)
        return sequences[:, -steps:]


def last_steps(lags: int) -> Array:
    """Weights (lags, lags) that read the last steps as they are."""
    return np.eye(lags)


def moving_averages(lengths: Sequence[int]) -> Array:
    """Weights (longest, averages) that read means over the last steps."""
    steps = np.arange(max(lengths))[:, None]
    spans = np.array(lengths)
    return (steps < spans) / spans


def exponential_averages(spans: Sequence[int], steps: int) -> Array:
    """Weights (steps, averages) that shrink by 1 - 1 / span with every step before."""
    share = 1 / np.array(spans, float)
    before = np.arange(steps)[:, None]
    weights: Array = share * (1 - share) ** before
    return weights


def beside(first: Array, second: Array) -> Array:
    """The weights of the numbers of both, over the longer of the two pasts."""
    longest = max(len(first), len(second))
    numbers = first.shape[1]
    both = np.zeros((longest, numbers + second.shape[1]))
    both[: len(first), :numbers] = first
    both[: len(second), numbers:] = second
    return both


def least_squares(
    sequences: Array,
    following: Array,
    weights: Array,
    group: NDArray[np.int64] | None = None,
) -> Autoregression:
    """Fit a vector autoregression by ordinary least squares (Luetkepohl 2005, ch. 3).

    All steps count that have as many steps behind them as are read.

    Parameters
    ----------
    sequences, following
        (N, T, m) and the step after the last, (N, m).
    weights
        (lags, K) of the last steps in the K numbers that are read of each variable: `last_steps`,
        and beside them averages of many, for series with a long memory (Corsi 2009).
    group
        (N,) sequences of one group cover the same days: the slopes are then fitted within each day
        (fixed effects of time, Baltagi 2021, ch. 3), so that what moved all of a day's sequences
        alike counts for nothing. None fits over all.
    """
    count, length, features = sequences.shape
    longest, numbers = weights.shape
    inputs = longest * features
    later = sequences[:, longest:]
    targets = np.concatenate([later, following[:, None]], axis=1)
    steps = length - longest + 1
    if group is not None:
        member, group_means = _group_averages(group)

    width = inputs + features
    total = np.zeros(width)
    moments = np.zeros((width, width))
    for t in range(steps):
        lagged = sequences[:, t : t + longest]
        latest_first = lagged[:, ::-1].reshape(count, inputs)
        target = targets[:, t]
        rows = np.concatenate([latest_first, target], axis=1)
        total += rows.sum(axis=0)
        if group is not None:
            means = group_means @ rows
            rows = rows - means[member]
        moments += rows.T @ rows
    mean = total / (steps * count)
    if group is None:
        moments -= steps * count * np.outer(mean, mean)

    of_inputs = moments[:inputs, :inputs]
    with_targets = moments[:inputs, inputs:]
    read = np.kron(weights, np.eye(features))
    of_read = read.T @ of_inputs @ read
    slopes, *_ = np.linalg.lstsq(of_read, read.T @ with_targets, rcond=None)
    intercept = mean[inputs:] - mean[:inputs] @ read @ slopes
    by_number = slopes.reshape(numbers, features, features)
    return Autoregression(intercept, by_number, weights)


def _group_averages(group: NDArray[np.int64]) -> tuple[NDArray[np.intp], Array]:
    """The number of each row's group, (N,), and the matrix (groups, N) that averages each group."""
    _, member = np.unique(group, return_inverse=True)
    numbers = np.arange(member.max() + 1)
    sizes = np.bincount(member)
    belongs = member == numbers[:, None]
    return member, belongs / sizes[:, None]
