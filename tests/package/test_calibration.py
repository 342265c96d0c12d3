"""Thresholds, p-values and intervals: by their definitions, from validation alone."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Split
from lstm_ae.package import calibration as calibration_module
from lstm_ae.package.calibration import Calibration, error_growth, interval_ends, window_errors
from lstm_ae.units.layout import local_scale
from tests.packages import hourly_package, stocks_package

CPU = torch.device("cpu")


@pytest.fixture
def package(params, tmp_path):
    return hourly_package(params, tmp_path / "hourly.csv")


def test_the_threshold_is_exceeded_by_the_stated_share_of_windows_like_those_of_validation() -> (
    None
):
    random = np.random.default_rng(0)
    shares = []
    for _ in range(300):
        calibration = Calibration(np.sort(random.exponential(size=199)))
        shares.append((random.exponential(size=500) > calibration.threshold(0.05)).mean())
    assert np.mean(shares) == pytest.approx(0.05, abs=0.005)


def test_an_alarm_is_a_small_p_value() -> None:
    random = np.random.default_rng(0)
    calibration = Calibration(np.sort(random.exponential(size=99)))
    errors = np.concatenate([random.exponential(size=1000), calibration.errors])
    for false_alarms in (0.01, 0.05, 0.2):
        is_alarm = errors > calibration.threshold(false_alarms)
        assert np.array_equal(is_alarm, calibration.p_values(errors) <= false_alarms)


@pytest.mark.parametrize("false_alarms", [0.0, 0.009, 1.0, -1.0, float("nan")])
def test_fewer_false_alarms_than_validation_can_tell_are_refused(false_alarms: float) -> None:
    message = r"99 validation windows can tell shares of at least 0\.01 \(1 in 100\), and below 1"
    with pytest.raises(InputError, match=message):
        Calibration(np.arange(99.0)).threshold(false_alarms)


def test_intervals_are_wider_at_a_higher_level(package) -> None:
    ends = package.calibration.ends
    assert ends.shape == (50, 2, 12, 2)
    low, high = ends[:, 0], ends[:, 1]
    assert (low[1:] <= low[:-1]).all() and (high[1:] >= high[:-1]).all()
    assert (low < high).all()
    assert np.array_equal(package.calibration.interval(0.9), ends[40])


def test_a_level_reaches_as_far_as_validation_tells_it(package) -> None:
    """The farthest step was forecast once in each of 96 windows.

    A score that 99 % stay below is beyond all of them.
    """
    calibration = package.calibration
    assert np.isinf(calibration.ends[48, :, -1]).all()
    assert np.isfinite(calibration.ends[47, :, -1]).all()
    assert calibration.interval(0.97).shape[1] == 12 > calibration.interval(0.98).shape[1] > 0


def test_as_much_lies_below_an_interval_as_above(package, monkeypatch) -> None:
    random = np.random.default_rng(0)
    layout = replace(package.layout, centre=[0.0], scale=[1.0], columns=["load"])
    sequences = np.zeros((4000, layout.window, 1), np.float32)
    errors = random.exponential(size=(4000, 1)).astype(np.float32)
    first_scored = np.full(4000, layout.window - 1)
    validation = Split(sequences, following=errors, first_scored=first_scored)
    monkeypatch.setattr(
        calibration_module,
        "roll_forward",
        lambda model, past, horizon, device: np.zeros((len(past), horizon, 1)),
    )
    ends, growth = interval_ends(package.model, validation, layout, CPU)
    low, high = ends[40, :, 0, 0] * growth.sum()
    assert (errors < low).mean() == pytest.approx(0.05, abs=0.001)
    assert (errors > high).mean() == pytest.approx(0.05, abs=0.001)


def test_errors_grow_with_the_local_scale_as_a_line() -> None:
    scales = np.random.default_rng(0).uniform(1, 2, size=(200, 3))
    sizes = scales * [0.5, 2.0, -1.0] + [1.0, -2.0, 3.0]
    signs = np.where(np.arange(200) % 2, 1, -1)[:, None]
    still, slope = error_growth(signs * sizes, scales)
    assert still == pytest.approx([1.0, 0.0, sizes[:, 2].mean()])
    assert slope[[0, 2]] == pytest.approx([0.5, 0.0])
    assert slope[1] > 0


def test_forecasts_without_an_error_have_intervals_of_no_width() -> None:
    still, slope = error_growth(np.zeros((9, 1)), np.ones((9, 1)))
    assert (still, slope) == (1, 0)


@pytest.mark.parametrize("level", [0.49, 1.0, 0.905, 90.0, float("nan"), float("inf")])
def test_a_level_without_an_interval_is_refused(package, level: float) -> None:
    with pytest.raises(InputError, match="level: found"):
        package.calibration.interval(level)


def test_the_scale_of_a_stock_is_the_volatility_of_its_close(params, prices_csv) -> None:
    package, prepared = stocks_package(params, "snp_forecast", prices_csv)
    split, description = prepared.splits["test"], prepared.description
    table = pd.read_csv(prices_csv, parse_dates=["date"])
    closes = table.pivot(index="date", columns="Name", values="close")
    days = description.read_times(split.times)[:, 40:60]
    returns = np.empty((len(split), 20))
    for row, place in enumerate(split.series):
        symbol = description.series[place]
        log_closes = np.log(closes[symbol])
        returns[row] = log_closes.diff()[days[row]]
    scale = local_scale(split.sequences[:, :60], package.layout)[:, -1]
    assert np.allclose(scale[:, 1], np.sqrt(np.square(returns).mean(axis=1)), rtol=1e-4)
    assert np.array_equal(scale[:, 0], scale[:, 3])


def test_intervals_are_calibrated_on_steps_that_the_model_has_not_read(
    params, prices_csv, monkeypatch
) -> None:
    """Of each window the model reads the steps before those it forecasts.

    These end with the step after the window.
    """
    package, prepared = stocks_package(params, "snp_forecast", prices_csv)
    validation, length = prepared.splits["validation"], package.layout.window
    steps = np.concatenate([validation.sequences, validation.following[:, None]], axis=1)
    horizons = []

    def roll_forward(model, past, horizon, device) -> np.ndarray:
        fed = past.shape[1]
        assert fed + horizon == length + 1
        for row in past[:3]:
            assert (steps[:, :fed] == row).all(axis=(1, 2)).any()
        horizons.append(horizon)
        return np.zeros((len(past), horizon, past.shape[2]))

    monkeypatch.setattr(calibration_module, "roll_forward", roll_forward)
    ends, _ = interval_ends(package.model, validation, package.layout, CPU)
    assert max(horizons) == ends.shape[2] == length - int(validation.first_scored.min())
    assert min(horizons) >= 1


def test_the_error_of_a_window_is_the_mean_square_of_all_its_steps() -> None:
    reconstruction = np.array([[[1.0]] * 3, [[2.0]] * 3])
    assert window_errors(np.zeros((2, 3, 1)), reconstruction).tolist() == [1, 4]
