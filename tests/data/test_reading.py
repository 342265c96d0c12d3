"""Tables as people write them: their separators, names and numbers."""

from pathlib import Path

import pandas as pd
import pytest

from lstm_ae.core.errors import InputError
from lstm_ae.data.reading import read_table


def read(tmp_path: Path, text: str, encoding: str = "utf-8") -> pd.DataFrame:
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))
    return read_table(path)


@pytest.mark.parametrize(
    "text",
    [
        "time,load\n1,2.5\n2,3\n",
        "time, load\n1, 2.5\n2, 3\n",
        "time,load,\n1,2.5,\n2,3,\n",
        "sep=;\ntime;load\n1;2,5\n2;3\n",
        "sep=,\r\ntime,load\r\n1,2.5\r\n2,3\r\n",
        "\ufefftime;load\n1;2,5\n2;3\n",
        "time\tload\n1\t2,5\n2\t3\n\n\n",
    ],
)
def test_the_same_table_is_read_however_it_is_written(tmp_path, text: str) -> None:
    table = read(tmp_path, text)
    assert list(table.columns) == ["time", "load"]
    assert [float(cell) for cell in table["load"]] == [2.5, 3.0]
    assert table.index.name == "line" and table.index[0] == (3 if text.startswith("sep") else 2)


def test_thousands_have_points_where_decimals_have_commas(tmp_path) -> None:
    table = read(tmp_path, "a;b;c\n1.234,5;x,y;1.5\n-12,25;;2\n")
    assert list(table["a"]) == ["1234.5", "-12.25"]
    assert list(table["b"].fillna("")) == ["x,y", ""]
    assert list(table["c"]) == [1.5, 2]


def test_the_unnamed_index_of_a_data_frame_is_a_column(tmp_path) -> None:
    assert list(read(tmp_path, ",load\n2021-01-01,1\n").columns) == ["index", "load"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0,9.99,10.6\n1,11.07,10.9\n", "found numbers instead of names in the first line"),
        ("time,,load\n1,2,3\n", "column 2: found no name"),
        ("time,load,\n1,2,3\n", "column 3: found no name"),
        ("time,load,load\n1,2,3\n", "column 2: found the name load again"),
    ],
)
def test_a_header_that_names_no_columns_is_an_error(tmp_path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tmp_path, text)


def test_columns_may_be_named_by_their_numbers(tmp_path) -> None:
    assert list(read(tmp_path, "0,1,2\n5,6,7\n").columns) == ["0", "1", "2"]


def test_another_encoding_is_an_error_that_says_how_to_convert(tmp_path) -> None:
    with pytest.raises(InputError, match=r"found the byte 0xe9, which is not UTF-8; .* iconv"):
        read(tmp_path, "caf\u00e9,load\n1,2\n", "latin-1")


def test_the_named_levels_of_an_index_are_columns(tmp_path) -> None:
    path = tmp_path / "table.parquet"
    index = pd.date_range("2021", periods=3, freq="h", name="time")
    pd.DataFrame({"load": [1.0, 2.0, 3.0]}, index=index).to_parquet(path)
    assert list(read_table(path).columns) == ["time", "load"]
