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
from lstm_ae.data.prepared import PARTS
from lstm_ae.data.series import finite_numbers, read_series, series_of
from lstm_ae.units.layout import Layout
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
    layout = Layout.of_table(table_data(columns=["x"], series=None, time="step"))
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
    cell=st.sampled_from(["", "NA", "nan", "inf", "3,5", "1.2.3", "0x1F"]),
)
def test_a_cell_that_is_no_number_is_named(
    tmp_path_factory, row: int, column: str, cell: str
) -> None:
    frame = shops("ab").astype({column: str})
    frame.iloc[row, frame.columns.get_loc(column)] = cell
    path = tmp_path_factory.mktemp("table") / "shops.csv"
    frame.to_csv(path, index=False)
    shown = re.escape(repr(cell)) if cell else "nothing"
    place = rf"column {column}, line {row + 2}"
    with pytest.raises(InputError, match=rf"{place}: found {shown}; a number is needed"):
        prepare_shops(path)


def test_a_date_among_the_numbers_is_shown(tmp_path) -> None:
    cells = pd.Series([datetime.date(2014, 1, 2)], index=pd.RangeIndex(1, name="row"), name="x")
    with pytest.raises(InputError, match="column x, row 0: found 2014-01-02"):
        finite_numbers(tmp_path, cells, above_zero=False)
