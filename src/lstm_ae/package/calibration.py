"""What the validation split says of a model's errors: thresholds, p-values, intervals."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Split
from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.package.answers import compute_answers, roll_forward
from lstm_ae.units.layout import Layout, local_scale, to_comparable, to_units

Array = NDArray[np.float64]

PERCENTS = range(50, 100)  # the levels of prediction intervals
ORIGINS = 20_000  # forecasts that calibrate them: more tell no more


@dataclass(frozen=True)
class Calibration:
    """What the validation split, which no weight was fitted to, says of a model's errors.

    Where it lies after training in time and the next step is predicted, its first windows begin
    with steps of training.

    Parameters
    ----------
    errors
        (n,) of its windows (`window_errors`), rising.
    ends
        (50, 2, H, m) lower and upper ends of the prediction intervals of 50 % to 99 %, by horizon
        and variable (`interval_ends`), as truth less forecast in units of `expected_error`;
        infinite where validation is too short to tell. None: the model does not predict.
    growth
        (2, m) of each variable the expected error where nothing moves, and how it grows with
        `local_scale`. None: the model does not predict.
    """

    errors: Array
    ends: Array | None = None
    growth: Array | None = None

    def threshold(self, false_alarms: float) -> float:
        """The error that at most this share of windows like those of validation exceeds.

        It is the split-conformal quantile of the validation errors (Vovk et al. 2005).

        Raises
        ------
        InputError
            The share is not above 0 and below 1, or less than one in n + 1.
        """
        count = len(self.errors)
        if not 1 / (count + 1) <= false_alarms < 1:
            smallest = math.ceil(10_000 / (count + 1)) / 10_000
            raise InputError(
                f"false alarms: found {false_alarms:g}; {count} validation windows can tell shares "
                f"of at least {smallest:g} (1 in {count + 1}), and below 1"
            )
        return float(self.errors[conformal_rank(count, 1 - false_alarms) - 1])

    def p_values(self, errors: Array) -> Array:
        """The share of validation windows with an error at least as large, for each of (N,).

        The window itself is counted with them (Bates et al. 2023).
        """
        above = len(self.errors) - np.searchsorted(self.errors, errors, side="left")
        return np.asarray((1 + above) / (1 + len(self.errors)))

    def interval(self, level: float) -> Array:
        """The ends (2, h, m) of the intervals of a level, in units of `expected_error`.

        There are as many horizons h as validation can tell.

        Raises
        ------
        InputError
            The level is no whole per cent from 50 to 99.
        """
        assert self.ends is not None
        percent = round(100 * level) if 0 <= level <= 1 else 0
        if percent not in PERCENTS or abs(100 * level - percent) > 1e-9:
            raise InputError(
                f"level: found {level:g}; intervals are known for 0.5, 0.51 and so on to 0.99"
            )
        ends = self.ends[percent - PERCENTS[0]]
        is_known = np.isfinite(ends).all(axis=(0, 2))
        return np.asarray(ends[:, is_known])

    def expected_error(self, scale: Array) -> Array:
        """The expected absolute error of the next step where the `local_scale` is (..., m)."""
        assert self.growth is not None
        still, slope = self.growth
        return np.asarray(still + slope * scale)


def calibrate(
    model: LSTMAutoencoder,
    validation: Split,
    layout: Layout,
    device: torch.device,
) -> Calibration:
    """Errors of the validation windows, and intervals where the model predicts."""
    reconstruction = compute_answers(model, validation.sequences, device).reconstruction
    errors = np.sort(window_errors(validation.values(), reconstruction))
    if not layout.predict:
        return Calibration(errors)
    return Calibration(errors, *interval_ends(model, validation, layout, device))


def window_errors(sequences: Array, reconstruction: Array) -> Array:
    """Mean squared error (N,) of each window (N, T, m), scaled as the model reads it."""
    return np.asarray(np.square(reconstruction - sequences).mean(axis=(1, 2)))


def interval_ends(
    model: LSTMAutoencoder,
    validation: Split,
    layout: Layout,
    device: torch.device,
) -> tuple[Array, Array]:
    """Ends of prediction intervals and the growth of errors: `ends` and `growth` of `Calibration`.

    The intervals are split conformal (Lei et al. 2018), with as much beyond them below as above,
    for errors in units of what is expected of them. The model is rolled forward from steps of the
    validation windows, evenly spaced, over the scored steps after each; H is how far those reach.
    These days chose the epoch and the search, so that their errors are a little small, and series
    that move together are no independent observations: evaluate states the coverage on test.
    """
    residuals = _residuals(model, validation, layout, device)
    growth = error_growth(residuals[0].errors, residuals[0].scales)
    still, slope = growth
    unseen = np.full((1, layout.features), np.inf)  # worse than all that were seen
    ends = np.empty((len(PERCENTS), 2, len(residuals), layout.features))
    for horizon, found in enumerate(residuals):
        scores = found.errors / (still + slope * found.scales)
        above = np.sort(np.concatenate([scores, unseen]), axis=0)
        below = np.sort(np.concatenate([-scores, unseen]), axis=0)
        for place, percent in enumerate(PERCENTS):
            within = (1 + percent / 100) / 2  # of one end
            rank = conformal_rank(len(scores), within) - 1
            ends[place, 0, horizon] = -below[rank]
            ends[place, 1, horizon] = above[rank]
    return ends, growth


def error_growth(errors: Array, scales: Array) -> Array:
    """Absolute errors as a line over scales, both (n, m), by least squares: (2, m).

    Intercept and slope are at least 0.
    """
    sizes = np.abs(errors)
    size = sizes.mean(axis=0)
    scale = scales.mean(axis=0)
    spread = np.square(scales - scale).mean(axis=0)
    together = (sizes * (scales - scale)).mean(axis=0)
    grows = together > 0
    slope = np.where(grows, together, 0) / np.where(grows, spread, 1)
    still = size - slope * scale
    through_zero = (sizes * scales).sum(axis=0) / np.square(scales).sum(axis=0)
    slope = np.where(still < 0, through_zero, slope)
    still = still.clip(0)
    has_errors = size > 0
    return np.stack([np.where(has_errors, still, 1), slope])


@dataclass(frozen=True)
class _Residuals:
    """Errors, truth less forecast, and the local scale where each forecast began, (n, m)."""

    errors: Array
    scales: Array


def _residuals(
    model: LSTMAutoencoder,
    validation: Split,
    layout: Layout,
    device: torch.device,
) -> list[_Residuals]:
    """The errors of forecasts from steps of the validation windows, by horizon."""
    assert validation.following is not None and validation.first_scored is not None
    steps = np.concatenate([validation.sequences, validation.following[:, None]], axis=1)
    first = int(validation.first_scored.min()) + 1
    end = layout.window + 1
    stride = math.ceil(len(steps) * (end - first) / ORIGINS)
    errors: list[list[Array]] = [[] for _ in range(end - first)]
    scales: list[list[Array]] = [[] for _ in range(end - first)]
    for fed in tqdm(range(first, end, stride), "intervals", disable=None):
        rows = steps[validation.first_scored < fed]
        past, future = rows[:, :fed], rows[:, fed:]
        forecast = roll_forward(model, past, end - fed, device)
        found = _log_or_scaled(future, layout) - _log_or_scaled(forecast, layout)
        scale = local_scale(past, layout)[:, -1]
        for horizon in range(end - fed):
            errors[horizon].append(found[:, horizon])
            scales[horizon].append(scale)
    residuals = []
    for of_errors, of_scales in zip(errors, scales, strict=True):
        joined = _Residuals(
            errors=np.concatenate(of_errors),
            scales=np.concatenate(of_scales),
        )
        residuals.append(joined)
    return residuals


def _log_or_scaled(steps: NDArray[Any], layout: Layout) -> Array:
    """Steps (N, t, m) after a common origin, as `to_comparable` measures them."""
    origin = np.zeros((len(steps), layout.features))
    return to_comparable(to_units(steps, origin, layout), layout)


def conformal_rank(count: int, level: float) -> int:
    """Rank k, from 1, of the split-conformal quantile among `count` sorted scores.

    It is the smallest k with k / (count + 1) >= level; count + 1 means that there is none.
    """
    return math.ceil(round((count + 1) * level, 9))
