import datetime
import gzip
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_ae.core.errors import InputError
from lstm_ae.data.measured import filled, measured_values
from lstm_ae.data.prepared import PARTS
from lstm_ae.data.series import read_series, series_of
from lstm_ae.units.layout import Fill, Layout
from tests.tables import DAYS, prepare_shops, shops, table_data


def write_shops(folder: Path, name: str) -> Path:
    """Write the shops in one of the ways a table may be written."""
    frame, path = shops(), folder / name
    text = frame.to_csv(index=False)
    if name.endswith(".parquet"):
        frame.assign(day=pd.to_datetime(frame["day"])).to_parquet(path)
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        delimiter = {"semicolon.csv": ";", "tab.csv": "\t"}[name]
        path.write_text(text.replace(",", delimiter) + "\n\n")
    return path


@pytest.mark.parametrize("name", ["semicolon.csv", "tab.csv", "packed.csv.gz", "columns.parquet"])
def test_a_table_may_be_written_in_several_ways(tmp_path, shops_csv, name: str) -> None:
    plain, other = prepare_shops(shops_csv), prepare_shops(write_shops(tmp_path, name))
    assert (plain.description, plain.layout) == (other.description, other.layout)
    for split in PARTS:
        assert np.array_equal(plain.splits[split].sequences, other.splits[split].sequences)


@pytest.mark.parametrize("kind", ["Int64", "Float64", "int64[pyarrow]"])
def test_a_missing_time_of_a_nullable_column_is_an_error(tmp_path, kind: str) -> None:
    steps: Any = [1, 2, None, 4]
    frame = pd.DataFrame({"step": pd.array(steps, dtype=kind), "x": [1.0, 2.0, 3.0, 4.0]})
    frame.to_parquet(tmp_path / "a.parquet")
    layout = Layout.of_table(table_data(columns=["x"], series=None, time="step"))
    with pytest.raises(InputError, match=r"a.parquet: column step, row 3: found "):
        read_series(tmp_path / "a.parquet", layout)
    with pytest.raises(InputError, match="here: column step, row 2: found "):
        series_of(frame.rename_axis("row"), layout, Path("here"))


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
    layout = Layout.of_table(table_data(columns=["y" if series else "x"], series=series, time=None))
    needed = "found nothing; the name of a series" if series else "found .*; a number"
    row = 1 if series else 0
    with pytest.raises(InputError, match=f"here: column x, row {row}: {needed} is needed"):
        series_of(frame, layout, Path("here"))


def test_rows_of_several_series_may_alternate(tmp_path, shops_csv) -> None:
    shops().sort_values("day", kind="stable").to_csv(tmp_path / "alternating.csv", index=False)
    assert np.array_equal(
        prepare_shops(tmp_path / "alternating.csv").splits["train"].sequences,
        prepare_shops(shops_csv).splits["train"].sequences,
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
    lines = [f"step{delimiter}x"]
    lines += [f"{step}{delimiter}{value!r}" for step, value in enumerate(values)]
    path.write_bytes((end.join(lines) + end).encode())
    layout = Layout.of_table(table_data(columns=["x"], series=None, time="step", scaling="none"))
    (series,) = read_series(path, layout)
    assert series.values[:, 0].tolist() == values


@settings(deadline=None)
@given(content=st.binary(max_size=200), name=st.sampled_from(["a.csv", "a.csv.gz", "a.parquet"]))
def test_any_bytes_give_a_table_or_one_line(tmp_path_factory, content: bytes, name: str) -> None:
    path = tmp_path_factory.mktemp("table") / name
    path.write_bytes(content)
    try:
        read_series(path, Layout.of_table(table_data()))
    except InputError as error:
        assert "\n" not in str(error) and str(path) in str(error)


@settings(deadline=None)
@given(
    row=st.integers(0, 2 * DAYS - 1),
    column=st.sampled_from(["x", "y"]),
    cell=st.sampled_from(["bad", "inf", "3,5", "1.2.3", "0x1F"]),
)
def test_a_cell_that_is_no_number_is_named(
    tmp_path_factory, row: int, column: str, cell: str
) -> None:
    frame = shops("ab").astype({column: str})
    frame.iloc[row, frame.columns.get_loc(column)] = cell
    path = tmp_path_factory.mktemp("table") / "shops.csv"
    frame.to_csv(path, index=False)
    shown = cell if cell == "inf" else re.escape(repr(cell))
    place = rf"column {column}, line {row + 2}"
    with pytest.raises(InputError, match=rf"{place}: found '?{shown}'?; a number is needed"):
        prepare_shops(path)


@pytest.mark.parametrize("cell", ["", "NA", "nan", "NaN", "-", "?", "null", "N/A", "None"])
def test_a_missing_value_cuts_its_series_in_two(tmp_path, cell: str) -> None:
    frame = shops("ab").astype({"x": str})
    frame.iloc[30, frame.columns.get_loc("x")] = cell
    frame.to_csv(tmp_path / "shops.csv", index=False)
    series = read_series(tmp_path / "shops.csv", Layout.of_table(table_data()))
    assert [one_series.unbroken for one_series in series] == [[(0, 30), (31, DAYS)], [(0, DAYS)]]
    train = prepare_shops(tmp_path / "shops.csv").splits["train"]
    assert np.isfinite(train.sequences).all()


def test_a_jump_of_the_clock_cuts_a_series_in_two(tmp_path) -> None:
    shops("a").drop(index=[50, 51, 120]).to_csv(tmp_path / "shops.csv", index=False)
    layout = Layout.of_table(table_data(longest_step=2 * 86_400.0))
    (series,) = read_series(tmp_path / "shops.csv", layout)
    assert series.unbroken == [(0, 50), (50, DAYS - 3)]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("previous", [1, 1, 1, 4, np.nan, np.nan, np.nan, 8]),
        ("linear", [1, 2, 3, 4, *[np.nan] * 3, 8]),
    ],
)
def test_runs_of_missing_values_are_filled_up_to_a_limit(method, expected) -> None:
    values = np.array([[1.0], [np.nan], [np.nan], [4.0], [np.nan], [np.nan], [np.nan], [8.0]])
    np.testing.assert_array_equal(filled(values, Fill(method, 2))[:, 0], expected)


@pytest.mark.parametrize(("which", "expected"), [("first", 1.0), ("last", 3.0), ("mean", 2.0)])
def test_of_rows_of_one_time_one_counts_where_that_is_wanted(which: str, expected: float) -> None:
    frame = pd.DataFrame({"step": [1, 2, 2], "x": [0.0, 1.0, 3.0]}).rename_axis("row")
    data = table_data(columns=["x"], series=None, time="step", duplicates=which)
    (series,) = series_of(frame, Layout.of_table(data), Path("here"))
    assert series.times.tolist() == [1, 2] and series.values[1, 0] == expected
    with pytest.raises(
        InputError,
        match=r"column step, row 2: found 2 again .rows whose time stood before: 1",
    ):
        series_of(
            frame,
            Layout.of_table(table_data(columns=["x"], series=None, time="step")),
            Path("here"),
        )


def test_a_bad_cell_costs_its_windows_alone_where_a_model_is_used(caplog) -> None:
    frame = pd.DataFrame({"x": [1.0, "bad", 0.0, 4.0]}, dtype=object).rename_axis("row")
    layout = Layout.of_table(
        table_data(columns=["x"], series=None, time=None, scaling="log_return")
    )
    (series,) = series_of(frame, layout, Path("here"), forgiving=True)
    assert series.unbroken == [(0, 1), (3, 4)]
    assert "column x, row 1: found 'bad' and 1 more such cells" in caplog.text


def test_a_date_among_the_numbers_is_shown(tmp_path) -> None:
    cells = pd.Series([datetime.date(2014, 1, 2)], index=pd.RangeIndex(1, name="row"), name="x")
    with pytest.raises(InputError, match="column x, row 0: found 2014-01-02"):
        measured_values(tmp_path, cells, Layout.of_sequences(1, 1), forgiving=False)
