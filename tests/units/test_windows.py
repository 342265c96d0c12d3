import numpy as np
import pandas as pd
import pytest

from lstm_ae.core.errors import InputError
from lstm_ae.data.series import read_series
from lstm_ae.units.layout import Layout
from lstm_ae.units.windows import Series, covering, cut, log_returns, tiles, time_label
from tests.tables import prepare_shops, shops, table_data


def test_zscore_leaves_training_windows_at_mean_0_and_deviation_1(shops_csv) -> None:
    sequences = prepare_shops(shops_csv, scaling="zscore").splits["train"].values()
    np.testing.assert_allclose(sequences.mean(axis=(0, 1)), 0, atol=1e-6)
    np.testing.assert_allclose(sequences.std(axis=(0, 1)), 1, rtol=1e-5)


def test_minmax_leaves_training_windows_between_0_and_1(shops_csv) -> None:
    sequences = prepare_shops(shops_csv, scaling="minmax").splits["train"].values()
    assert np.array_equal(sequences.min(axis=(0, 1)), [0, 0])
    assert np.array_equal(sequences.max(axis=(0, 1)), [1, 1])


def test_log_returns_count_from_the_first_step_of_a_window(shops_csv) -> None:
    prepared = prepare_shops(shops_csv, scaling="log_return", predict=False)
    assert not prepared.splits["train"].sequences[:, 0].any()


def test_log_returns_count_from_the_step_before_where_that_is_predicted(shops_csv) -> None:
    prepared = prepare_shops(shops_csv, scaling="log_return", predict=True)
    layout = prepared.layout
    values = read_series(shops_csv, layout)[0].values
    returns = np.log(values[1 : layout.window + 1] / values[: layout.window])
    expected = (returns - layout.centre) / layout.scale
    sequences = prepared.splits["train"].sequences
    np.testing.assert_allclose(sequences[0], expected, rtol=1e-4, atol=1e-5)


def test_a_log_return_counts_from_the_variable_that_after_names() -> None:
    layout = Layout.of_table(table_data(scaling="log_return", predict=True))
    values = np.exp(np.array([[0.0, 1.0], [2.0, 4.0], [8.0, 16.0]]))
    series = Series("", np.arange(3), values)
    np.testing.assert_allclose(log_returns(series, layout), [[2, 3], [6, 12]], rtol=1e-12)
    crossed = Layout(**{**vars(layout), "after": [1, 0]})
    np.testing.assert_allclose(log_returns(series, crossed), [[1, 4], [4, 14]], rtol=1e-12)


def test_windows_begin_where_they_are_told_and_have_the_step_after_them() -> None:
    layout = Layout.of_table(table_data(scaling="none", window=3))
    first = Series("a", np.arange(9), np.arange(18.0).reshape(9, 2))
    second = Series("b", np.arange(100, 109), -first.values)
    windows = cut([first, second], layout, [[0, 5], [2]], following=True)
    assert windows.series.tolist() == [0, 0, 1] and len(windows) == 3
    assert windows.times.tolist() == [[0, 1, 2, 3], [5, 6, 7, 8], [102, 103, 104, 105]]
    assert windows.sequences[1].tolist() == [[10, 11], [12, 13], [14, 15]]
    assert windows.following.tolist() == [[6, 7], [16, 17], [-10, -11]]
    assert not windows.base.any()
    assert cut([first, second], layout, [[0, 5], [2]]).following is None


@pytest.mark.parametrize(
    ("begin", "end", "first_rows"),
    [(0, 12, [0, 4, 8]), (2, 12, [2, 6, 8]), (0, 4, [0]), (1, 4, []), (0, 0, [])],
)
def test_tiles_cover_the_rows_and_end_on_the_last(
    begin: int, end: int, first_rows: list[int]
) -> None:
    assert tiles(begin, end, 4) == first_rows


def test_a_new_table_is_cut_and_scaled_as_the_training_table_was(tmp_path, shops_csv) -> None:
    layout = prepare_shops(shops_csv).layout
    shops("gh", 30).to_csv(tmp_path / "new.csv", index=False)
    series = read_series(tmp_path / "new.csv", layout)
    windows = cut(series, layout, [covering(one_series, layout) for one_series in series])
    assert [series[place].name for place in windows.series] == ["g", "g", "g", "h", "h", "h"]
    assert windows.times[2, -1] == np.datetime64("2020-01-30") and windows.times.shape == (6, 12)
    expected = (series[0].values[:12] - layout.centre) / layout.scale
    np.testing.assert_allclose(windows.sequences[0], expected, rtol=1e-5)


def test_windows_lie_in_the_pieces_of_a_series() -> None:
    layout = Layout.of_table(table_data(scaling="none", window=4))
    series = Series("a", np.arange(20), np.zeros((20, 2)), [(0, 3), (4, 9), (9, 20)])
    assert covering(series, layout) == [4, 5, 9, 13, 16]


def test_a_step_far_outside_of_training_is_as_far_as_single_precision_can_tell() -> None:
    layout = Layout.of_table(table_data(scaling="none", window=2))
    series = Series("", np.arange(2), np.array([[1e300, 0.5], [-1e300, 1.5]]))
    assert cut([series], layout, [[0]]).sequences[0].tolist() == [[1e6, 0.5], [-1e6, 1.5]]


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_numbers_whose_squares_are_none_are_an_error(tmp_path, size: float) -> None:
    frame = shops()
    frame.assign(x=size * frame["x"]).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(
        InputError, match="column x has numbers too large or too small to be scaled"
    ):
        prepare_shops(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("time", "label"),
    [
        (np.datetime64("2014-01-02", "us"), "2014-01-02"),
        (np.datetime64("2014-01-02T13:30", "us"), "2014-01-02 13:30:00"),
        (pd.Timestamp("2014-01-02").to_datetime64(), "2014-01-02"),
        (np.float64(0.25), "0.25"),
        (np.int64(7), "7"),
    ],
)
def test_a_time_is_written_as_a_person_writes_it(time: object, label: str) -> None:
    assert time_label(time) == label
