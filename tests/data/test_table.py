import datetime
import gzip
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Prepared, load_description, load_split, save_prepared
from lstm_ae.data import table
from lstm_ae.params import TableData

DATA = {
    "dataset": "table",
    "columns": ["x", "y"],
    "columns_are": "variables",
    "series": "shop",
    "time": "day",
    "window": 12,
    "stride": 5,
    "split_by": "time",
    "split": {"train": 0.6, "validation": 0.2, "test": 0.2},
    "scaling": "zscore",
    "predict": False,
    "group_by_time": False,
}
SCALINGS = ("none", "minmax", "zscore", "log_return")
DAYS = 200
BORDERS = (120, 160)  # the first days of validation and of test


def data(**changed: object) -> TableData:
    return TableData.model_validate(DATA | changed)


def shops(names: str = "abcdef", days: int = DAYS) -> pd.DataFrame:
    """Two random walks above zero of each shop."""
    random = np.random.default_rng(0)
    dates = pd.date_range("2020-01-01", periods=days).strftime("%Y-%m-%d")
    walks = np.exp(random.normal(0, 0.05, (len(names), days, 2)).cumsum(axis=1))
    return pd.concat(
        [
            pd.DataFrame({"day": dates, "shop": name, "x": x, "y": y})
            for name, (x, y) in zip(names, walks.transpose(0, 2, 1), strict=True)
        ]
    )


@pytest.fixture
def path(tmp_path) -> Path:
    shops().to_csv(tmp_path / "shops.csv", index=False)
    return tmp_path / "shops.csv"


def prepare(path: Path, **changed: object) -> Prepared:
    return table.prepare(path, data(**changed), 0, "shops")


def days_of(prepared: Prepared, split: str) -> np.ndarray:
    """The number of the day of every step of a split's windows, the following one's last."""
    times = prepared.splits[split].extras["times"].view(prepared.description["clock"])
    return (times - np.datetime64("2020-01-01")) // np.timedelta64(1, "D")


@pytest.mark.parametrize("predict", [False, True])
@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_stored_split_and_its_description_give_the_table_back(
    tmp_path, path, scaling: str, predict: bool
) -> None:
    save_prepared(prepare(path, scaling=scaling, predict=predict), tmp_path)
    description, split = load_description(tmp_path), load_split(tmp_path, "test")
    layout = table.Layout.stored(description)
    series = table.read_series(path, layout)
    times = split.extras["times"].view(description["clock"])
    found = table.unscaled(split.sequences, split.extras["base"], layout)
    for values, place, steps in zip(found, split.extras["series"], times, strict=True):
        rows = np.searchsorted(series[place].times, steps[: layout.window])
        np.testing.assert_allclose(values, series[place].values[rows], rtol=1e-5)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_predictions_and_forecasts_come_back_in_units(path, scaling: str) -> None:
    prepared = prepare(path, scaling=scaling, predict=True)
    layout, split = table.Layout.stored(prepared.description), prepared.splits["test"]
    base, past = split.extras["base"], split.sequences[:, :8]
    truth = table.unscaled(split.sequences, base, layout)
    ahead = table.unscaled_next(split.sequences[:, 1:], split.sequences[:, :-1], base, layout)
    np.testing.assert_allclose(ahead, truth[:, 1:], rtol=1e-5)
    after = table.unscaled(split.sequences[:, 8:], table.last_base(past, base, layout), layout)
    np.testing.assert_allclose(after, truth[:, 8:], rtol=1e-5)


def test_zscore_leaves_training_windows_at_mean_0_and_deviation_1(path) -> None:
    sequences = prepare(path, scaling="zscore").splits["train"].values()
    np.testing.assert_allclose(sequences.mean(axis=(0, 1)), 0, atol=1e-6)
    np.testing.assert_allclose(sequences.std(axis=(0, 1)), 1, rtol=1e-5)


def test_minmax_leaves_training_windows_between_0_and_1(path) -> None:
    sequences = prepare(path, scaling="minmax").splits["train"].values()
    assert np.array_equal(sequences.min(axis=(0, 1)), [0, 0]) and np.array_equal(
        sequences.max(axis=(0, 1)), [1, 1]
    )


def test_log_returns_count_from_the_first_of_a_window_or_from_the_step_before_where_that_is_predicted(
    path,
) -> None:
    whole, stepwise = (
        prepare(path, scaling="log_return", predict=predict) for predict in (False, True)
    )
    assert not whole.splits["train"].sequences[:, 0].any()
    layout = table.Layout.stored(stepwise.description)
    series = table.read_series(path, layout)[0].values
    returns = (
        np.log(series[1 : layout.window + 1] / series[: layout.window]) - layout.centre
    ) / layout.scale
    np.testing.assert_allclose(stepwise.splits["train"].sequences[0], returns, rtol=1e-4, atol=1e-5)


def test_windows_of_a_split_by_time_stay_on_their_side_of_the_borders(path) -> None:
    prepared = prepare(path)
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
def test_each_step_after_a_border_is_scored_once_for_each_series(path, scaling: str) -> None:
    prepared = prepare(path, scaling=scaling, predict=True)
    assert days_of(prepared, "train").max() < BORDERS[0]
    for split, begin, end in (("validation", *BORDERS), ("test", BORDERS[1], DAYS)):
        first = prepared.splits[split].first_scored
        targets = [
            tuple(days[step + 1 :])
            for days, step in zip(days_of(prepared, split), first, strict=True)
        ]
        for place in range(6):
            scored = [
                day
                for days, of in zip(targets, prepared.splits[split].extras["series"], strict=True)
                if of == place
                for day in days
            ]
            assert sorted(scored) == list(range(begin, end))


@pytest.mark.parametrize("predict", [False, True])
@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize(
    ("border", "unmoved"), [(BORDERS[0], ["train"]), (BORDERS[1], ["train", "validation"])]
)
def test_the_future_moves_nothing_before_it_and_no_scaler(
    tmp_path, path, scaling: str, predict: bool, border: int, unmoved: list[str]
) -> None:
    other = shops()
    later = other["day"] >= str(np.datetime64("2020-01-01") + border)
    other.loc[later, ["x", "y"]] *= 7
    other.to_csv(tmp_path / "other.csv", index=False)
    found = [prepare(of, scaling=scaling, predict=predict) for of in (path, tmp_path / "other.csv")]
    assert found[0].description == found[1].description
    assert (
        not np.array_equal(found[0].splits["test"].sequences, found[1].splits["test"].sequences)
        or scaling == "log_return"
    )
    for split in unmoved:
        one, two = (prepared.splits[split] for prepared in found)
        assert np.array_equal(one.sequences, two.sequences)
        assert not predict or np.array_equal(one.following, two.following)


@pytest.mark.parametrize("predict", [False, True])
@pytest.mark.parametrize("scaling", SCALINGS)
def test_an_unseen_series_moves_nothing_that_training_sees(
    tmp_path, path, scaling: str, predict: bool
) -> None:
    before = prepare(path, scaling=scaling, predict=predict, split_by="series")
    members = before.description["members"]
    assert sorted(name for part in members.values() for name in part) == list("abcdef")
    other = shops()
    other.loc[other["shop"].isin(members["test"]), ["x", "y"]] **= 3
    other.to_csv(tmp_path / "other.csv", index=False)
    after = prepare(tmp_path / "other.csv", scaling=scaling, predict=predict, split_by="series")
    assert before.description == after.description
    for split, same in (("train", True), ("validation", True), ("test", False)):
        assert np.array_equal(before.splits[split].sequences, after.splits[split].sequences) == same
    for split, names in members.items():
        assert {
            before.description["names"][place] for place in before.splits[split].extras["series"]
        } == set(names)


def test_windows_of_one_time_have_one_group_where_that_is_wanted(path) -> None:
    prepared = prepare(path, predict=True, group_by_time=True)
    train = prepared.splits["train"]
    for key in np.unique(train.group):
        assert len(set(days_of(prepared, "train")[train.group == key, 0])) == 1
        assert sorted(train.extras["series"][train.group == key]) == list(range(6))
    assert prepare(path, predict=True).splits["train"].group is None


def test_columns_that_are_series_are_cut_like_a_row_for_each(tmp_path, path) -> None:
    shops().pivot(index="day", columns="shop", values="x").to_csv(tmp_path / "wide.csv")
    wide = prepare(tmp_path / "wide.csv", columns=list("abcdef"), columns_are="series", series=None)
    rows = prepare(path, columns=["x"])
    for split in table.PARTS:
        assert np.array_equal(wide.splits[split].sequences, rows.splits[split].sequences)
    assert wide.description["names"] == rows.description["names"]


def test_series_of_different_lengths_share_the_borders_of_time(tmp_path) -> None:
    ragged = shops()
    ragged = ragged[(ragged["shop"] != "a") | (ragged["day"] >= "2020-04-01")]
    ragged = ragged[(ragged["shop"] != "b") | (ragged["day"] < "2020-02-01")]
    ragged.to_csv(tmp_path / "ragged.csv", index=False)
    prepared = prepare(tmp_path / "ragged.csv")
    assert prepared.description["first_times"] == {"validation": "2020-04-30", "test": "2020-06-09"}
    assert (
        days_of(prepared, "train").max() < BORDERS[0]
        and days_of(prepared, "test").min() >= BORDERS[1]
    )
    assert 1 not in prepared.splits["test"].extras["series"]


def test_a_new_table_is_cut_and_scaled_as_the_training_table_was(tmp_path, path) -> None:
    layout = table.Layout.stored(prepare(path).description)
    shops("gh", 30).to_csv(tmp_path / "new.csv", index=False)
    series = table.read_series(tmp_path / "new.csv", layout)
    windows = table.tiled(series, layout)
    assert [series[place].name for place in windows.series] == ["g", "g", "g", "h", "h", "h"]
    assert windows.times[2, -1] == np.datetime64("2020-01-30") and windows.times.shape == (6, 12)
    np.testing.assert_allclose(
        windows.sequences[0], (series[0].values[:12] - layout.centre) / layout.scale, rtol=1e-5
    )


def test_a_new_series_shorter_than_a_window_is_an_error(tmp_path, path) -> None:
    layout = table.Layout.stored(prepare(path).description)
    shops("g", 11).to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(InputError, match="series g: found 11 rows; a window needs 12"):
        table.tiled(table.read_series(tmp_path / "new.csv", layout), layout)


def written(folder: Path, name: str) -> Path:
    """The shops in one of the ways a table may be written."""
    frame, path = shops(), folder / name
    text = frame.to_csv(index=False)
    if name.endswith(".parquet"):
        frame.assign(day=pd.to_datetime(frame["day"])).to_parquet(path)
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(
            {"semicolon.csv": text.replace(",", ";"), "tab.csv": text.replace(",", "\t")}[name]
            + "\n\n"
        )
    return path


@pytest.mark.parametrize("name", ["semicolon.csv", "tab.csv", "packed.csv.gz", "columns.parquet"])
def test_a_table_may_be_written_in_several_ways(tmp_path, path, name: str) -> None:
    one, two = prepare(path), prepare(written(tmp_path, name))
    assert one.description == two.description
    assert all(
        np.array_equal(one.splits[split].sequences, two.splits[split].sequences)
        for split in table.PARTS
    )


@pytest.mark.parametrize("kind", ["Int64", "Float64", "int64[pyarrow]"])
def test_a_missing_time_of_a_nullable_column_is_an_error(tmp_path, kind: str) -> None:
    frame = pd.DataFrame({"step": pd.array([1, 2, None, 4], dtype=kind), "x": [1.0, 2.0, 3.0, 4.0]})
    frame.to_parquet(tmp_path / "a.parquet")
    layout = table.Layout.of(data(columns=["x"], series=None, time="step"))
    with pytest.raises(InputError, match=r"a.parquet: column step, row 3: found "):
        table.read_series(tmp_path / "a.parquet", layout)
    with pytest.raises(InputError, match="here: column step, row 2: found "):
        table.series_of(frame.rename_axis("row"), layout, Path("here"))


@pytest.mark.parametrize(
    ("series", "column"),
    [
        (None, pd.array([pd.Timestamp("2020-01-01"), pd.NaT])),
        (None, pd.to_timedelta([1, 2], unit="s")),
        ("x", pd.array([1, None], dtype="Int64")),
        ("x", pd.array([pd.Timestamp("2020-01-01"), pd.NaT])),
    ],
)
def test_dates_are_no_values_and_a_missing_name_is_an_error(
    series: str | None, column: object
) -> None:
    frame = pd.DataFrame({"x": column, "y": [1.0, 2.0]}).rename_axis("row")
    layout = table.Layout.of(data(columns=["y" if series else "x"], series=series, time=None))
    allowed = "found nothing; the name of a series" if series else "found .*; a number"
    with pytest.raises(
        InputError, match=f"here: column x, row {int(series is not None)}: {allowed} is allowed"
    ):
        table.series_of(frame, layout, Path("here"))


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_numbers_whose_squares_are_none_are_an_error(tmp_path, path, size: float) -> None:
    shops().assign(x=lambda frame: size * frame["x"].astype(float)).to_csv(
        tmp_path / "a.csv", index=False
    )
    with pytest.raises(
        InputError, match="column x has numbers too large or too small to be scaled"
    ):
        prepare(tmp_path / "a.csv")


def test_a_part_shorter_than_what_is_forecast_is_an_error(path) -> None:
    with pytest.raises(InputError, match="test has no window: no series has 6 rows there"):
        prepare(path, predict=True, split={"train": 0.6, "validation": 0.38, "test": 0.02})


def test_rows_of_several_series_may_alternate(tmp_path, path) -> None:
    shops().sort_values("day", kind="stable").to_csv(tmp_path / "alternating.csv", index=False)
    assert np.array_equal(
        prepare(tmp_path / "alternating.csv").splits["train"].sequences,
        prepare(path).splits["train"].sequences,
    )


NUMBERS = st.floats(
    allow_nan=False, allow_infinity=False, allow_subnormal=False
)  # which the processor may flush to zero


@settings(deadline=None)
@given(
    values=st.lists(NUMBERS, min_size=1, max_size=30),
    delimiter=st.sampled_from(",;\t"),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_every_finite_number_is_read_as_it_was_written(
    tmp_path_factory, values: list[float], delimiter: str, end: str
) -> None:
    path = tmp_path_factory.mktemp("table") / "numbers.csv"
    lines = [
        delimiter.join(("step", "x")),
        *(delimiter.join((str(step), repr(value))) for step, value in enumerate(values)),
    ]
    path.write_bytes((end.join(lines) + end).encode())
    layout = table.Layout.of(data(columns=["x"], series=None, time="step"))
    (series,) = table.read_series(path, layout)
    assert series.values[:, 0].tolist() == values


@settings(deadline=None)
@given(content=st.binary(max_size=200), name=st.sampled_from(["a.csv", "a.csv.gz", "a.parquet"]))
def test_any_bytes_give_a_table_or_one_line(tmp_path_factory, content: bytes, name: str) -> None:
    path = tmp_path_factory.mktemp("table") / name
    path.write_bytes(content)
    try:
        table.read_series(path, table.Layout.of(data()))
    except InputError as error:
        assert "\n" not in str(error) and str(path) in str(error)


@settings(deadline=None)
@given(
    row=st.integers(0, 2 * DAYS - 1),
    column=st.sampled_from(["x", "y"]),
    cell=st.sampled_from(["", "NA", "nan", "inf", "3,5", "1.2.3", "0x1F"]),
)
def test_a_cell_that_is_no_number_is_named(
    tmp_path_factory, row: int, column: str, cell: str
) -> None:
    frame = shops("ab").astype({column: str})
    frame.iloc[row, frame.columns.get_loc(column)] = cell
    path = tmp_path_factory.mktemp("table") / "shops.csv"
    frame.to_csv(path, index=False)
    found = re.escape(repr(cell)) if cell else "nothing"
    with pytest.raises(
        InputError, match=rf"column {column}, line {row + 2}: found {found}; a number is allowed"
    ):
        prepare(path)


def test_a_date_among_the_numbers_is_shown(tmp_path) -> None:
    cells = pd.Series([datetime.date(2014, 1, 2)], index=pd.RangeIndex(1, name="row"), name="x")
    with pytest.raises(InputError, match="column x, row 0: found 2014-01-02"):
        table.finite_numbers(tmp_path, cells, above_zero=False)
