"""What a trained model answers to new data, in the units of the input."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lstm_ae
from lstm_ae.core.errors import InputError
from lstm_ae.data.table import prepare_table
from lstm_ae.package.answers import Answers
from lstm_ae.use import inference
from tests.packages import (
    HOURLY,
    digits_package,
    hourly,
    hourly_package,
    packaged,
    stocks_package,
    toy_package,
)


@pytest.fixture
def package(params, tmp_path):
    return hourly_package(params, tmp_path / "hourly.csv")


@pytest.fixture
def perfect(monkeypatch):
    """A model that gives back what it reads."""

    def compute_answers(model, sequences, device) -> Answers:
        return Answers(sequences.astype(float), None, None, np.zeros((len(sequences), 1)))

    monkeypatch.setattr(inference, "compute_answers", compute_answers)


def sorted_rows(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(["meter", "hour"]).reset_index(drop=True)


def test_a_frame_with_equal_column_names_is_refused(package) -> None:
    with pytest.raises(InputError, match="table: found column 'load' more than once"):
        lstm_ae.reconstruct(package, hourly().set_axis(["hour", "meter", "load", "load"], axis=1))


@pytest.mark.parametrize("device", ["cuda:99", "gpu"])
def test_a_device_that_is_not_here_is_one_line(tmp_path, device: str) -> None:
    with pytest.raises(InputError, match=f"device: found '{device}', which is not here") as caught:
        lstm_ae.load_model(tmp_path, device)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("scaling", ["none", "minmax", "zscore", "log_return"])
@pytest.mark.parametrize("predict", [False, True])
def test_a_perfect_reconstruction_is_the_table(
    params, tmp_path, perfect, scaling: str, predict: bool
) -> None:
    package = hourly_package(params, tmp_path / "hourly.csv", scaling=scaling, predict=predict)
    table = hourly(seed=1, hours=100)  # not a whole number of windows
    reconstruction = lstm_ae.reconstruct(package, table)
    expected = sorted_rows(table)
    if package.layout.before:  # the returns of a meter's second row count from its first
        first = expected["hour"] == expected["hour"].min()
        assert reconstruction.loc[first, ["load", "heat"]].isna().all(axis=None)
        reconstruction, expected = reconstruction[~first], expected[~first]
    assert (reconstruction["hour"] == expected["hour"]).all()
    assert (reconstruction["meter"] == expected["meter"]).all()
    columns = ["load", "heat"]
    assert np.allclose(reconstruction[columns], expected[columns], rtol=1e-4)


def test_a_perfect_reconstruction_of_stocks_is_their_prices_and_volumes(
    params, prices_csv, perfect
) -> None:
    package, _ = stocks_package(params, "snp_forecast", prices_csv)
    table = pd.read_csv(prices_csv)
    reconstruction = lstm_ae.reconstruct(package, prices_csv)
    expected = table.sort_values(["Name", "date"])
    assert reconstruction["Name"].tolist() == expected["Name"].tolist()
    is_first = reconstruction.groupby("Name").cumcount() == 0
    reconstruction, expected = reconstruction[~is_first], expected[~is_first.to_numpy()]
    for column in ("open", "high", "low", "close", "volume"):
        assert np.allclose(reconstruction[column], expected[column], rtol=2e-3), column


def test_a_table_of_a_series_a_column_comes_back_in_its_columns(params, tmp_path, perfect) -> None:
    wide = hourly().pivot(index="hour", columns="meter", values="load").reset_index()
    package = hourly_package(params, tmp_path / "hourly.csv", columns=["load"], predict=False)
    layout = replace(package.layout, columns=["m0", "m1"], columns_are="series", series=None)
    reconstruction = lstm_ae.reconstruct(replace(package, layout=layout), wide)
    assert list(reconstruction) == ["hour", "m0", "m1"]
    assert np.allclose(reconstruction[["m0", "m1"]], wide[["m0", "m1"]], rtol=1e-4)


def test_a_trained_reconstruction_lies_near_the_table(package) -> None:
    table = sorted_rows(hourly(seed=1))
    reconstruction = lstm_ae.reconstruct(package, table)
    for column in ("load", "heat"):
        error = reconstruction[column] - table[column]
        assert error.std() < 0.2 * table[column].std()


def test_a_new_table_is_read_as_prepare_read_its_own(params, prices_csv) -> None:
    package, prepared = stocks_package(params, "snp", prices_csv)
    scored = lstm_ae.score(package, prices_csv, 0.5)
    validation = scored[scored["Name"].isin(prepared.description.members["validation"])]
    assert np.allclose(np.sort(validation["error"]), package.calibration.errors, rtol=1e-4)


def test_rows_that_are_whole_sequences_keep_their_columns_and_units(params, tmp_path) -> None:
    package, prepared = toy_package(params, tmp_path)
    values = prepared.splits["test"].sequences[:, :, 0]
    rows = pd.DataFrame(values, columns=[f"t{step}" for step in range(50)])
    rows.insert(0, "series", [f"s{row}" for row in range(len(rows))])
    reconstruction = lstm_ae.reconstruct(package, rows)
    assert list(reconstruction) == list(rows)
    assert reconstruction["series"].tolist() == rows["series"].tolist()
    errors = reconstruction.iloc[:, 1:].to_numpy() - values
    assert np.square(errors).mean() < values.var() / 2


def test_images_come_back_from_0_to_255_and_have_a_class(params, mirror) -> None:
    package, prepared = digits_package(params, "mnist_rows_class", mirror, 40)
    images = pd.DataFrame(prepared.splits["test"].sequences.reshape(-1, 784))
    pixels = images.to_numpy().astype(float)
    reconstruction = lstm_ae.reconstruct(package, images).to_numpy()
    assert reconstruction.std() > 60
    assert np.square(reconstruction - pixels).mean() < pixels.var() / 3
    codes = lstm_ae.encode(package, images)
    assert codes.shape == (200, 43)
    assert codes["class"].isin(range(10)).all()
    assert codes["probability"].between(0.1, 1).all()


def test_a_code_has_its_series_and_times(package) -> None:
    codes = lstm_ae.encode(package, hourly(meters=2, hours=60))
    assert list(codes) == ["meter", "start", "end", *(f"code_{k}" for k in range(1, 7))]
    assert codes["meter"].tolist() == ["m0"] * 3 + ["m1"] * 3
    hours = (codes["start"] - pd.Timestamp("2024-01-01")) / pd.Timedelta("1h")
    assert hours.tolist() == [0, 24, 36] * 2  # the last window ends on the last row
    assert (codes["end"] - codes["start"] == pd.Timedelta("23h")).all()


def test_alarms_have_the_stated_rate_on_data_like_those_of_validation(package) -> None:
    scored = lstm_ae.score(package, hourly(meters=8, hours=24 * 100, seed=5), 0.05)
    assert len(scored) == 800
    assert 0.02 < scored["alarm"].mean() < 0.09
    assert ((scored["p_value"] <= 0.05) == scored["alarm"]).all()


def test_a_fault_is_an_alarm_where_it_is_and_nowhere_else(package, tmp_path) -> None:
    table = hourly(meters=2, hours=24 * 20, seed=6)
    dropped = (table["meter"] == "m1") & table["hour"].between(
        "2024-01-11 09:00", "2024-01-11 11:00"
    )
    table.loc[dropped, "load"] = 0.0
    scored = lstm_ae.score(package, table, 0.011, tmp_path / "alarms.png")
    alarms = scored[scored["alarm"]]
    starts = set(zip(alarms["meter"], alarms["start"], strict=True))
    assert ("m1", pd.Timestamp("2024-01-11")) in starts
    assert len(alarms) <= 3
    assert (tmp_path / "alarms.png").stat().st_size > 10_000


def test_intervals_lie_around_the_forecast_and_hold_what_comes(package) -> None:
    table = sorted_rows(hourly(meters=12, hours=24 * 20, seed=7))
    is_past = table["hour"] < "2024-01-20 12:00"
    past, future = table[is_past], table[~is_past]
    forecast = lstm_ae.forecast(package, past, 12)
    assert (forecast["low"] < forecast["forecast"]).all()
    assert (forecast["forecast"] < forecast["high"]).all()
    truth = future.melt(["meter", "hour"], ["load", "heat"], "column", "truth")
    both = forecast.merge(truth, on=["meter", "hour", "column"], validate="one_to_one")
    assert len(both) == len(forecast) == 12 * 12 * 2
    assert 0.8 < both["truth"].between(both["low"], both["high"]).mean() < 0.98
    narrow = lstm_ae.forecast(package, past, 12, level=0.5)
    assert (narrow["high"] - narrow["low"] < forecast["high"] - forecast["low"]).all()


def test_a_forecast_reaches_as_far_as_its_intervals(package) -> None:
    assert lstm_ae.forecast(package, hourly())["step"].max() == 12
    longest = lstm_ae.forecast(package, hourly(), level=0.99)["step"].max()
    assert 1 <= longest < 12
    infinite = np.full_like(package.calibration.ends, np.inf)
    calibration = replace(package.calibration, ends=infinite)
    with pytest.raises(InputError, match=r"level: found 0\.9; validation is too short"):
        lstm_ae.forecast(replace(package, calibration=calibration), hourly())


def test_times_that_are_numbers_come_back_whole_and_never_under_a_name_of_ours(
    params, tmp_path
) -> None:
    seconds = 1_420_070_461 + 3600 * np.arange(24 * 30)
    data = HOURLY.model_copy(update={"columns": ["load"], "series": "time", "time": "step"})
    load = hourly(meters=1, hours=len(seconds))["load"]
    table = pd.DataFrame({"time": "north", "step": seconds.astype(float), "load": load})
    table.to_csv(tmp_path / "a.csv", index=False)
    prepared = prepare_table(tmp_path / "a.csv", data, 0, "a")
    package = packaged(params, "snp_forecast", prepared, 6)
    ahead = lstm_ae.forecast(package, table, 3)
    assert ahead.columns.tolist()[:3] == ["series", "time", "step"]
    assert set(ahead["series"]) == {"north"}
    assert ahead["time"].tolist() == [seconds[-1] + 3600 * step for step in (1, 2, 3)]
    assert ahead["step"].tolist() == [1, 2, 3]
    assert ahead["time"].dtype == lstm_ae.encode(package, table)["start"].dtype == np.int64
    assert lstm_ae.reconstruct(package, table)["step"].tolist() == seconds.tolist()


def test_a_forecast_of_stocks_goes_on_from_the_last_close_over_the_weekend(
    params, prices_csv
) -> None:
    package, _ = stocks_package(params, "snp_forecast", prices_csv)
    table = pd.read_csv(prices_csv)
    forecast = lstm_ae.forecast(package, table, 5)
    days = forecast["date"].drop_duplicates().dt.strftime("%Y-%m-%d")
    assert days.tolist() == [f"2018-01-0{day}" for day in range(1, 6)]
    last = table.groupby("Name").last()
    is_first = (forecast["step"] == 1) & (forecast["column"] == "close")
    first = forecast[is_first].set_index("Name")
    assert np.allclose(first["forecast"], last["close"], rtol=0.02)
    assert (forecast["low"] > 0).all()


def test_the_forecast_depends_on_the_last_window_alone(package) -> None:
    table = sorted_rows(hourly(meters=1, hours=100, seed=8))
    whole, end = (lstm_ae.forecast(package, part, 3) for part in (table, table[-24:]))
    assert np.allclose(whole["forecast"], end["forecast"])


BAD: dict[str, tuple[pd.DataFrame, str]] = {
    "a column is missing": (
        hourly().drop(columns="heat"),
        "table: column heat is missing; found hour, meter, load",
    ),
    "a series is too short": (
        hourly(hours=20),
        "table: found 20 rows, fewer than the 24 that a window of this model needs; add rows",
    ),
    "every cell is empty": (
        hourly().assign(load=np.nan),
        "table: found no 24 rows in a row, which a window of this model needs, without a missing "
        "value or a jump of the clock; add rows",
    ),
    "there are no rows": (
        hourly()[:0],
        "table: found no rows; at least a window of them is needed",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_table_of_another_form_is_one_line(package, name: str) -> None:
    table, line = BAD[name]
    with pytest.raises(InputError) as caught:
        lstm_ae.reconstruct(package, table)
    assert str(caught.value) == line


def test_what_a_model_cannot_do_is_one_line(params, package, tmp_path) -> None:
    toy, prepared = toy_package(params, tmp_path)
    rows = pd.DataFrame(prepared.splits["test"].sequences[:, :, 0])
    for call, line in (
        (
            lambda: lstm_ae.forecast(toy, rows),
            "model toy was trained without a next step to predict, so it cannot forecast; use one "
            "trained with data.predict: true, such as models/snp_forecast",
        ),
        (
            lambda: lstm_ae.encode(toy, rows.iloc[:, 1:]),
            "table: found 49 columns of values; this model reads rows of 50, which are 50 steps of "
            "1, beside a column series of names if you like",
        ),
        (
            lambda: lstm_ae.forecast(package, hourly(), 13),
            "horizon: found 13; give 1 to 12, which is as far as validation tells intervals of 90%",
        ),
        (
            lambda: lstm_ae.score(package, hourly(), 0.05, Path("alarms.svg")),
            "alarms.svg: found the suffix '.svg'; give a .png file",
        ),
    ):
        with pytest.raises(InputError) as caught:
            call()
        assert str(caught.value) == line
