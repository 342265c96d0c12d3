"""A new table as windows of a model, and arrays back in the columns of the table."""

import numpy as np
import pandas as pd
import pytest

from lstm_ae.use.new_data import read_new_data, stitched
from lstm_ae.use.times import exact_times, following_times
from tests.packages import hourly, hourly_package


def test_business_days_keep_their_time_of_day() -> None:
    days = pd.bdate_range("2024-01-01", periods=20).to_numpy("datetime64[us]")
    times = days + np.timedelta64(16, "h")
    assert following_times(times, 2).astype(str).tolist() == [
        "2024-01-29T16:00:00.000000",
        "2024-01-30T16:00:00.000000",
    ]


def test_days_with_weekends_go_on_over_weekends() -> None:
    days = np.arange("2024-01-01", "2024-01-21", dtype="datetime64[D]").astype("datetime64[us]")
    following = following_times(days, 2).astype("datetime64[D]")
    assert following.astype(str).tolist() == ["2024-01-21", "2024-01-22"]


@pytest.mark.parametrize("frequency", ["MS", "ME", "QS", "QE", "YS", "W-SUN", "B", "h", "15min"])
def test_times_go_on_by_the_calendar(frequency: str) -> None:
    times = pd.date_range("2020-01-01", periods=30, freq=frequency).to_numpy("datetime64[us]")
    assert following_times(times[:-3], 3).tolist() == times[-3:].tolist()


def test_business_hours_go_on_the_next_morning() -> None:
    hours = pd.date_range("2024-01-01", "2024-01-26 23:00", freq="h")
    open_hours = hours[(hours.hour >= 9) & (hours.hour < 17) & (hours.weekday < 5)]
    following = following_times(open_hours.to_numpy("datetime64[us]"), 2)
    assert following.astype("datetime64[h]").astype(str).tolist() == [
        "2024-01-29T09",
        "2024-01-29T10",
    ]


def test_a_month_that_is_missing_does_not_move_the_others() -> None:
    times = pd.date_range("2020-01-01", periods=30, freq="MS").delete(3)
    following = following_times(times.to_numpy("datetime64[us]"), 2)
    assert following.astype("datetime64[D]").astype(str).tolist() == ["2022-07-01", "2022-08-01"]


def test_times_go_on_at_the_usual_distance() -> None:
    assert following_times(np.array([0.0, 1.0, 2.0, 9.0, 10.0]), 2).tolist() == [11.0, 12.0]


def test_whole_times_are_integers_and_others_stay() -> None:
    assert exact_times(np.array([1.0, 2.0])).dtype == np.int64
    assert exact_times(np.array([1.0, 2.5])).tolist() == [1.0, 2.5]


def test_where_two_windows_meet_the_first_counts(params, tmp_path) -> None:
    package = hourly_package(params, tmp_path / "hourly.csv")
    data = read_new_data(package, hourly(meters=2, hours=60))
    numbers = np.arange(len(data.windows))[:, None, None]
    arrays = stitched(data, np.broadcast_to(numbers, data.windows.sequences.shape))
    assert [array.shape for array in arrays] == [(60, 2), (60, 2)]
    assert arrays[0][:, 0].tolist() == [0] * 24 + [1] * 24 + [2] * 12
    assert arrays[1][:, 0].tolist() == [3] * 24 + [4] * 24 + [5] * 12
