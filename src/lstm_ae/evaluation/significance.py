"""Whether one forecast is better than another: tests and intervals over days."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

Array = NDArray[np.float64]

BLOCK = 5  # days that are drawn together
DRAWS = 2000
LEVEL = 0.95


def diebold_mariano(differences: Array) -> float:
    """Two-sided p-value of a mean of zero for one-step loss differences (days,).

    The test is that of Diebold and Mariano (1995). It is biased against the larger of two nested
    models (`clark_west`). The p-value is 1 where all errors are the same.
    """
    statistic = _statistic(differences)
    return float(2 * stdtr(len(differences) - 1, -abs(statistic)))


def clark_west(
    small: Array,
    large: Array,
    apart: Array,
) -> float:
    """One-sided p-value that a larger model forecasts no better than a smaller one nested in it.

    The test is that of Clark and West (2007): the larger model's squared error is made smaller by
    the noise that its parameters bring where the smaller model is the true one.

    Parameters
    ----------
    small, large
        (days,) mean squared errors of each day.
    apart
        (days,) mean squared differences of the two forecasts.
    """
    statistic = _statistic(small - (large - apart))
    return float(stdtr(len(small) - 1, -statistic))


def skill_interval(
    model: Array,
    reference: Array,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % interval of the skill 1 - MSE / MSE of a reference, by drawing blocks of days.

    The bootstrap is the circular one of blocks (Politis and Romano 1992), of five days.

    Parameters
    ----------
    model, reference
        (days,) sums of squared errors of each day, in order.
    """
    days = len(model)
    random = np.random.default_rng(seed)
    blocks = -(-days // BLOCK)
    begins = random.integers(days, size=(DRAWS, blocks, 1))
    in_blocks = (begins + np.arange(BLOCK)) % days
    drawn = in_blocks.reshape(DRAWS, -1)[:, :days]
    of_model = model[drawn].sum(axis=1)
    of_reference = reference[drawn].sum(axis=1)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(1 - of_model / of_reference, [tail, 1 - tail])
    return float(low), float(high)


def _statistic(differences: Array) -> float:
    """The mean over its standard error, which allows for autocorrelation; 0 where nothing varies.

    The variance is that of Newey and West (1987) with floor(4 (n / 100)^(2 / 9)) lags, the
    statistic corrected for a small n (Harvey, Leybourne and Newbold 1997); refer it to Student's t
    with n - 1 degrees of freedom.
    """
    n = len(differences)
    centred = differences - differences.mean()
    lags = int(4 * (n / 100) ** (2 / 9))
    variance = centred @ centred / n
    for lag in range(1, lags + 1):
        covariance = centred[lag:] @ centred[:-lag] / n
        weight = 1 - lag / (lags + 1)
        variance += 2 * weight * covariance
    if not variance > 0:
        return 0.0
    standard_error = np.sqrt(variance / n)
    correction = np.sqrt((n - 1) / n)
    return float(differences.mean() / standard_error * correction)
