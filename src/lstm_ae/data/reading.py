"""A person's table: where it lies, and how a CSV or Parquet file of it is read."""

import csv
import gzip
import io
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from lstm_ae.core.errors import InputError
from lstm_ae.core.paths import TABLES

SUFFIXES = (".csv", ".csv.gz", ".parquet")
DELIMITERS = ",;\t"


def table_suffix(path: Path) -> str:
    """The suffix of a table's file, one of `SUFFIXES`.

    Raises
    ------
    InputError
        It is another.
    """
    for suffix in SUFFIXES:
        if path.name.lower().endswith(suffix):
            return suffix
    raise InputError(
        f"{path}: found the suffix {path.suffix!r}; give a table as one of {', '.join(SUFFIXES)}"
    )


def find_table(name: str) -> Path:
    """The table of a section under `TABLES`.

    Raises
    ------
    InputError
        There is none, or more than one.
    """
    candidates = [TABLES / f"{name}{suffix}" for suffix in SUFFIXES]
    tables = [path for path in candidates if path.is_file()]
    if len(tables) == 1:
        return tables[0]
    names = ", ".join(path.name for path in candidates)
    if tables:
        both = " and ".join(path.name for path in tables)
        raise InputError(f"{TABLES}: found {both}; keep one of them")
    raise InputError(f"{TABLES}: found no table of the section; put one of {names} there")


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV, its cells as text, or a Parquet file.

    The index of the frame is the line or row where a person finds it, and is called so. The first
    line of a CSV names the columns; the delimiter is whichever of comma, semicolon and tab that
    line has most of.

    Raises
    ------
    InputError
        The file is missing, of another format, or empty; its columns have no or equal names, or
        rows more fields than there are names.
    """
    suffix = table_suffix(path)
    try:
        table, header = _read_parquet(path) if suffix == ".parquet" else _read_csv(path, suffix)
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found") from error
    except (OSError, ValueError, EOFError, zlib.error, csv.Error) as error:
        problem = " ".join(str(error).split())
        raise InputError(f"{path}: not a {suffix.removeprefix('.')} table ({problem})") from error
    if not isinstance(table.index, pd.RangeIndex):
        raise InputError(
            f"{path}: the first lines have more fields than the header; give each column a name"
        )
    for place, name in enumerate(header, 1):
        if not name or header.count(name) > 1:
            problem = f"the name {name} again" if name else "no name"
            raise InputError(f"{path}: column {place}: found {problem}; give it a name of its own")
    table.columns = pd.Index(header)
    if suffix == ".parquet":
        table.index = pd.RangeIndex(1, len(table) + 1, name="row")
        return table
    table.index = pd.RangeIndex(2, len(table) + 2, name="line")
    return _without_empty_end(table)


def _read_parquet(path: Path) -> tuple[pd.DataFrame, list[str]]:
    table = pd.read_parquet(path).reset_index(drop=True)
    return table, [str(name) for name in table.columns]


def _read_csv(path: Path, suffix: str) -> tuple[pd.DataFrame, list[str]]:
    content = path.read_bytes()
    if suffix == ".csv.gz":
        content = gzip.decompress(content)
    text = content.decode("utf-8-sig")
    first_line = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first_line.count)
    header = next(csv.reader([first_line.rstrip("\r")], delimiter=delimiter), [])
    table = pd.read_csv(
        io.StringIO(text),
        dtype=str,
        keep_default_na=False,
        na_values=[],
        sep=delimiter,
        skip_blank_lines=False,
        header=0,
    )
    return table, header


def _without_empty_end(table: pd.DataFrame) -> pd.DataFrame:
    """The lines up to the last one that holds anything."""
    has_text = table.fillna("") != ""
    filled = np.flatnonzero(has_text.any(axis=1).to_numpy())
    return table.iloc[: filled[-1] + 1 if len(filled) else 0]
