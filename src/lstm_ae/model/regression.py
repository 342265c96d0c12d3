"""Vector autoregression by least squares: where a prediction head starts, and what it stands beside."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Autoregression(NamedTuple):
    """x_(t+1) = intercept + sum over lags of x_(t-lag) @ coefficients[lag]."""

    intercept: Array  # (m,)
    coefficients: Array  # (lags, m, m)

    @property
    def lags(self) -> int:
        return len(self.coefficients)

    def predict(self, sequences: Array) -> Array:
        """(N, T, m) to the prediction of the step after each of the last T - lags + 1 steps, (N, T - lags + 1, m)."""
        steps = sequences.shape[1] - self.lags + 1
        return self.intercept + sum(
            sequences[:, self.lags - 1 - lag : self.lags - 1 - lag + steps] @ self.coefficients[lag]
            for lag in range(self.lags)
        )

    def roll_forward(self, sequences: Array, steps: int) -> Array:
        """Iterated on its own predictions: (N, steps, m)."""
        for _ in range(steps):
            sequences = np.concatenate(
                [sequences, self.predict(sequences[:, -self.lags :])], axis=1
            )
        return sequences[:, -steps:]


def least_squares(
    sequences: Array, following: Array, lags: int, group: NDArray[np.int64] | None = None
) -> Autoregression:
    """Vector autoregression by ordinary least squares over all steps with that many days behind them (Luetkepohl 2005, ch. 3).

    Parameters
    ----------
    sequences, following
        (N, T, m) and the step after the last, (N, m).
    group
        (N,) sequences of one group cover the same days: the slopes are then fitted within each day (fixed effects of time, Baltagi 2021,
        ch. 3), so that what moved all of a day's sequences alike counts for nothing. None fits over all.
    """
    count, length, features = sequences.shape
    targets = np.concatenate([sequences[:, lags:], following[:, None]], axis=1)
    steps, k = length - lags + 1, lags * features
    member = np.unique(np.zeros(count) if group is None else group, return_inverse=True)[1]
    averages = (member == np.arange(member.max() + 1)[:, None]) / np.bincount(member)[
        :, None
    ]  # of each group, (groups, N)
    total, moments = np.zeros(k + features), np.zeros((k + features, k + features))
    for t in range(steps):
        rows = np.concatenate(
            [sequences[:, t : t + lags][:, ::-1].reshape(count, k), targets[:, t]], axis=1
        )
        total += rows.sum(axis=0)
        if group is not None:
            rows = rows - (averages @ rows)[member]
        moments += rows.T @ rows
    mean = total / (steps * count)
    if group is None:
        moments -= steps * count * np.outer(mean, mean)
    slopes = np.linalg.lstsq(moments[:k, :k], moments[:k, k:], rcond=None)[0]
    return Autoregression(mean[k:] - mean[:k] @ slopes, slopes.reshape(lags, features, features))
