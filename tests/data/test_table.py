import numpy as np
import pytest

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import load_description, load_split
from lstm_ae.data.prepared import PARTS, Prepared, save_prepared
from lstm_ae.data.series import read_series
from lstm_ae.units.layout import load_layout, to_units
from tests.tables import BORDERS, DAYS, SCALINGS, prepare_shops, shops


def days_of(prepared: Prepared, split: str) -> np.ndarray:
    """The number of the day of every step of a split's windows, the following one's last."""
    times = prepared.description.read_times(prepared.splits[split].times)
    return (times - np.datetime64("2020-01-01")) // np.timedelta64(1, "D")


@pytest.mark.parametrize("predict", [False, True])
@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_stored_split_and_its_layout_give_the_table_back(
    tmp_path, shops_csv, scaling: str, predict: bool
) -> None:
    save_prepared(prepare_shops(shops_csv, scaling=scaling, predict=predict), tmp_path)
    description, layout = load_description(tmp_path), load_layout(tmp_path)
    split = load_split(tmp_path, "test")
    series = read_series(shops_csv, layout)
    assert [one_series.name for one_series in series] == description.series
    times = description.read_times(split.times)
    windows = to_units(split.sequences, split.base, layout)
    for values, place, steps in zip(windows, split.series, times, strict=True):
        rows = np.searchsorted(series[place].times, steps[: layout.window])
        np.testing.assert_allclose(values, series[place].values[rows], rtol=1e-5)


def test_windows_of_a_split_by_time_stay_on_their_side_of_the_borders(shops_csv) -> None:
    prepared = prepare_shops(shops_csv)
    for split, begin, end in (
        ("train", 0, BORDERS[0]),
        ("validation", *BORDERS),
        ("test", BORDERS[1], DAYS),
    ):
        days = days_of(prepared, split)
        assert begin <= days.min() and days.max() < end
        if split != "train":
            assert set(days.flat) == set(range(begin, end))


@pytest.mark.parametrize("scaling", ["zscore", "log_return"])
def test_each_step_after_a_border_is_scored_once_for_each_series(shops_csv, scaling: str) -> None:
    prepared = prepare_shops(shops_csv, scaling=scaling, predict=True)
    assert days_of(prepared, "train").max() < BORDERS[0]
    for name, begin, end in (("validation", *BORDERS), ("test", BORDERS[1], DAYS)):
        split, days = prepared.splits[name], days_of(prepared, name)
        for place in range(6):
            scored: list[int] = []
            for row in np.flatnonzero(split.series == place):
                scored += days[row, split.first_scored[row] + 1 :].tolist()
            assert sorted(scored) == list(range(begin, end))


@pytest.mark.parametrize("predict", [False, True])
@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize(
    ("border", "unmoved"), [(BORDERS[0], ["train"]), (BORDERS[1], ["train", "validation"])]
)
def test_the_future_moves_nothing_before_it_and_no_scaler(
    tmp_path, shops_csv, scaling: str, predict: bool, border: int, unmoved: list[str]
) -> None:
    frame = shops()
    later = frame["day"] >= str(np.datetime64("2020-01-01") + border)
    frame.loc[later, ["x", "y"]] *= 7
    frame.to_csv(tmp_path / "other.csv", index=False)
    before, after = (
        prepare_shops(path, scaling=scaling, predict=predict)
        for path in (shops_csv, tmp_path / "other.csv")
    )
    assert (before.description, before.layout) == (after.description, after.layout)
    same = np.array_equal(before.splits["test"].sequences, after.splits["test"].sequences)
    assert not same or scaling == "log_return"
    for name in unmoved:
        first, second = before.splits[name], after.splits[name]
        assert np.array_equal(first.sequences, second.sequences)
        assert not predict or np.array_equal(first.following, second.following)


@pytest.mark.parametrize("predict", [False, True])
@pytest.mark.parametrize("scaling", SCALINGS)
def test_an_unseen_series_moves_nothing_that_training_sees(
    tmp_path, shops_csv, scaling: str, predict: bool
) -> None:
    changed = {"scaling": scaling, "predict": predict, "split_by": "series"}
    before = prepare_shops(shops_csv, **changed)
    members = before.description.members
    assert sorted(name for part in members.values() for name in part) == list("abcdef")
    frame = shops()
    frame.loc[frame["shop"].isin(members["test"]), ["x", "y"]] **= 3
    frame.to_csv(tmp_path / "other.csv", index=False)
    after = prepare_shops(tmp_path / "other.csv", **changed)
    assert (before.description, before.layout) == (after.description, after.layout)
    for name, same in (("train", True), ("validation", True), ("test", False)):
        assert np.array_equal(before.splits[name].sequences, after.splits[name].sequences) == same
    for name, names in members.items():
        places = np.unique(before.splits[name].series)
        assert {before.description.series[place] for place in places} == set(names)


def test_windows_of_one_time_have_one_group_where_that_is_wanted(shops_csv) -> None:
    prepared = prepare_shops(shops_csv, predict=True, group_by_time=True)
    train, days = prepared.splits["train"], days_of(prepared, "train")
    for key in np.unique(train.group):
        assert len(set(days[train.group == key, 0])) == 1
        assert sorted(train.series[train.group == key]) == list(range(6))
    assert prepare_shops(shops_csv, predict=True).splits["train"].group is None


def test_columns_that_are_series_are_cut_like_a_row_for_each(tmp_path, shops_csv) -> None:
    shops().pivot(index="day", columns="shop", values="x").to_csv(tmp_path / "wide.csv")
    wide = prepare_shops(
        tmp_path / "wide.csv", columns=list("abcdef"), columns_are="series", series=None
    )
    rows = prepare_shops(shops_csv, columns=["x"])
    for split in PARTS:
        assert np.array_equal(wide.splits[split].sequences, rows.splits[split].sequences)
    assert wide.description.series == rows.description.series


def test_series_of_different_lengths_share_the_borders_of_time(tmp_path) -> None:
    ragged = shops()
    ragged = ragged[(ragged["shop"] != "a") | (ragged["day"] >= "2020-04-01")]
    ragged = ragged[(ragged["shop"] != "b") | (ragged["day"] < "2020-02-01")]
    ragged.to_csv(tmp_path / "ragged.csv", index=False)
    prepared = prepare_shops(tmp_path / "ragged.csv")
    first_times = {"validation": "2020-04-30", "test": "2020-06-09"}
    assert prepared.description.first_times == first_times
    assert days_of(prepared, "train").max() < BORDERS[0]
    assert days_of(prepared, "test").min() >= BORDERS[1]
    assert 1 not in prepared.splits["test"].series


def test_a_part_shorter_than_what_is_forecast_is_an_error(shops_csv) -> None:
    split = {"train": 0.6, "validation": 0.38, "test": 0.02}
    with pytest.raises(InputError, match="test has no window, since no series has 6 rows there"):
        prepare_shops(shops_csv, predict=True, split=split)
