from dataclasses import replace

import numpy as np
import pytest
import torch

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import read_json, write_json
from lstm_ae.package import package as package_module
from lstm_ae.package.package import (
    Calibration,
    load_package,
    local_scale,
    save_package,
    window_errors,
)
from tests.packages import hourly_package, stocks_package

CPU = torch.device("cpu")


@pytest.fixture
def package(params, tmp_path):
    return hourly_package(params, tmp_path / "hourly.csv")


def test_a_package_comes_back_and_has_the_same_bytes_again(package, tmp_path) -> None:
    for name in ("first", "second"):
        save_package(package, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert files == [
        "about.json",
        "calibration.safetensors",
        "layout.json",
        "model.json",
        "weights.safetensors",
    ]
    assert all(
        (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
        for name in files
    )
    found = load_package(tmp_path / "first", CPU)
    assert (
        found.layout == package.layout
        and found.rows == package.rows
        and found.about == package.about
    )
    assert np.array_equal(found.calibration.errors, package.calibration.errors)
    assert np.array_equal(found.calibration.widths, package.calibration.widths)


def test_the_threshold_is_exceeded_by_the_stated_share_of_windows_like_those_of_validation() -> (
    None
):
    random = np.random.default_rng(0)
    shares = []
    for _ in range(300):
        calibration = Calibration(np.sort(random.exponential(size=199)), None)
        shares.append((random.exponential(size=500) > calibration.threshold(0.05)).mean())
    assert np.mean(shares) == pytest.approx(0.05, abs=0.005)


def test_an_alarm_is_a_small_p_value() -> None:
    random = np.random.default_rng(0)
    calibration = Calibration(np.sort(random.exponential(size=99)), None)
    errors = np.concatenate([random.exponential(size=1000), calibration.errors])
    for false_alarms in (0.01, 0.05, 0.2):
        assert np.array_equal(
            errors > calibration.threshold(false_alarms),
            calibration.p_values(errors) <= false_alarms,
        )


@pytest.mark.parametrize("false_alarms", [0.0, 0.009, 1.0, -1.0, float("nan")])
def test_fewer_false_alarms_than_validation_can_tell_are_refused(false_alarms: float) -> None:
    with pytest.raises(
        InputError,
        match="at least 1 in 100, one more than there are validation windows, and less than 1",
    ):
        Calibration(np.arange(99.0), None).threshold(false_alarms)


def test_intervals_are_wider_at_a_higher_level(package) -> None:
    widths = package.calibration.widths
    assert widths.shape == (50, 12, 2)
    assert (widths[1:] >= widths[:-1]).all() and (widths > 0).all()
    assert np.array_equal(package.calibration.half_widths(0.9), widths[40])


def test_a_level_reaches_as_far_as_validation_tells_it(package) -> None:
    """The farthest step was forecast once in each of 96 windows: a score that 99 % stay below is beyond all of them."""
    widths = package.calibration.widths
    assert np.isinf(widths[49, -1]).all() and np.isfinite(widths[48, -1]).all()
    assert (
        len(package.calibration.half_widths(0.98))
        == 12
        > len(package.calibration.half_widths(0.99))
        > 0
    )


@pytest.mark.parametrize("level", [0.49, 1.0, 0.905, 90.0, float("nan"), float("inf")])
def test_a_level_without_widths_is_refused(package, level: float) -> None:
    with pytest.raises(InputError, match="level: found"):
        package.calibration.half_widths(level)


def test_the_scale_of_a_stock_is_the_volatility_of_its_close(params, prices_csv) -> None:
    package, prepared = stocks_package(params, "snp_forecast", prices_csv)
    split = prepared.splits["test"]
    returns = np.diff(split.extras["log_close"][:, :60], axis=1)[:, -20:]
    found = local_scale(split.sequences[:, :60], package.layout)
    assert np.allclose(found[:, 1], np.sqrt(np.square(returns).mean(axis=1)), rtol=1e-4)
    assert np.array_equal(found[:, 0], found[:, 3])


def test_intervals_are_calibrated_on_steps_that_the_model_has_not_read(
    params, prices_csv, monkeypatch
) -> None:
    """Of each window the model is given the steps before those it forecasts, and these end with the window's next."""
    stocks, prepared = stocks_package(params, "snp_forecast", prices_csv)
    validation, length = prepared.splits["validation"], stocks.layout.window
    steps, reach = np.concatenate([validation.sequences, validation.following[:, None]], axis=1), []

    def rolled(model, past, horizon, device) -> np.ndarray:
        fed = past.shape[1]
        assert fed + horizon == length + 1 and all(
            (steps[:, :fed] == row).all(axis=(1, 2)).any() for row in past[:3]
        )
        reach.append(horizon)
        return np.zeros((len(past), horizon, past.shape[2]))

    monkeypatch.setattr(package_module, "rolled", rolled)
    widths = package_module.interval_widths(stocks.model, validation, stocks.layout, CPU)
    assert (
        max(reach) == widths.shape[1] == length - int(validation.first_scored.min())
        and min(reach) >= 1
    )


def test_the_error_of_a_window_is_the_mean_square_of_all_its_steps() -> None:
    assert window_errors(np.zeros((2, 3, 1)), np.array([[[1.0]] * 3, [[2.0]] * 3])).tolist() == [
        1,
        4,
    ]


@pytest.mark.parametrize(
    "name",
    ["about.json", "calibration.safetensors", "layout.json", "model.json", "weights.safetensors"],
)
def test_a_file_that_is_missing_or_broken_is_named(package, tmp_path, name: str) -> None:
    save_package(replace(package), tmp_path / "model")
    path = tmp_path / "model" / name
    path.write_bytes(b"{")
    with pytest.raises(InputError, match="model"):
        load_package(tmp_path / "model", CPU)
    path.unlink()
    with pytest.raises(InputError, match="not found"):
        load_package(tmp_path / "model", CPU)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("window", "24"),
        ("window", 23),
        ("stride", 0),
        ("predict", 1),
        ("scaling", "z"),
        ("centre", [0.0]),
        ("scale", [1.0, None]),
        ("more", 1),
    ],
)
def test_a_layout_that_is_not_the_models_is_refused(
    package, tmp_path, key: str, value: object
) -> None:
    save_package(package, tmp_path)
    path = tmp_path / "layout.json"
    write_json(path, read_json(path) | {key: value})
    with pytest.raises(InputError, match=f"{key}|not that of model.json") as found:
        load_package(tmp_path, CPU)
    assert "\n" not in str(found.value)


def test_a_folder_that_is_no_model_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="not a folder; one that"):
        load_package(tmp_path / "nowhere", CPU)
    with pytest.raises(InputError, match=r"model.json: not found"):
        load_package(tmp_path, CPU)
