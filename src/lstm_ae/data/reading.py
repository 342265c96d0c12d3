"""A person's table: where it lies, and how a file of it is read."""

import bz2
import csv
import gzip
import io
import lzma
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from lstm_ae.core.errors import InputError
from lstm_ae.core.paths import TABLES

TEXTS = (".csv", ".tsv", ".txt")
PACKED = (".gz", ".bz2", ".xz", ".zip", ".zst")
FRAMES = (".parquet", ".feather", ".jsonl", ".xlsx")
SUFFIXES = (*TEXTS, *(text + packed for text in TEXTS for packed in PACKED), *FRAMES)
SHOWN_SUFFIXES = ".csv, .tsv, .csv.gz, .csv.zip, .csv.zst, .parquet, .feather, .jsonl or .xlsx"
WRITTEN_SUFFIXES = (".csv", ".csv.gz", ".parquet")
DELIMITERS = ",;\t"
SEPARATOR_LINE = re.compile(r"(?i)sep=([,;\t])")  # as spreadsheets write it
DECIMAL_COMMA = r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?([eE][+-]?\d+)?"
LEADING_ZERO = r"0\d+"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
FIRST_ROWS = 1000  # that tell which columns of digits are names
HEADER = 1 << 20  # bytes among which the names stand

UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    csv.Error,
    pa.ArrowException,
)


def table_suffix(path: Path) -> str:
    """The suffix of a table's file, one of `SUFFIXES`; a folder holds parts in Parquet.

    Raises
    ------
    InputError
        It is another.
    """
    if path.is_dir():
        return ".parquet"
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if path.name.lower().endswith(suffix):
            return suffix
    raise InputError(f"{path}: found the suffix {path.suffix!r}; give a table as {SHOWN_SUFFIXES}")


def find_table(name: str) -> Path:
    """The table of a section under `TABLES`.

    Raises
    ------
    InputError
        There is none, or more than one.
    """
    candidates = [TABLES / f"{name}{suffix}" for suffix in SUFFIXES]
    tables = [path for path in candidates if path.exists()]
    if len(tables) == 1:
        return tables[0]
    if tables:
        both = " and ".join(path.name for path in tables)
        raise InputError(f"{TABLES}: found {both}; keep one of them")
    raise InputError(
        f"{TABLES}: found no table of the section; put {name}.csv or {name}.parquet there"
    )


def read_table(path: Path) -> pd.DataFrame:
    """Read a table: numbers as numbers, and what else a text holds as text.

    The index of the frame is the line or row where a person finds it, and is called so. The first
    line of a CSV names the columns (lines that begin with # or read sep=; may stand above it); the
    delimiter is whichever of comma, semicolon and tab that line has most of. Where it is not the
    comma, numbers like 1.234,5 are read as 1234.5. Digits behind a zero are text. An unnamed first
    column, as pandas writes its index, is called index, and a last one without a name or a cell is
    not there. The named levels of the index of a Parquet file are columns.

    Raises
    ------
    InputError
        The file is missing, of another format or encoding, or empty; its columns have no or equal
        names, or numbers instead of names; or rows have more fields than there are names.
    """
    suffix = table_suffix(path)
    try:
        table = _read_frame(path, suffix) if suffix in FRAMES else _read_csv(path, suffix)
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: found the byte {error.object[error.start]:#04x}, which is not UTF-8; convert "
            "it, say by iconv -f latin1 -t utf-8"
        ) from error
    except ImportError as error:
        raise InputError(f"{path}: {error.name} reads such files; pip install it") from error
    except UNREADABLE as error:
        problem = " ".join(str(error).split())
        raise InputError(f"{path}: not a {suffix.removeprefix('.')} table ({problem})") from error
    _check_names(path, [str(name) for name in table.columns])
    return table


def _check_names(path: Path, names: list[str]) -> None:
    for place, name in enumerate(names, 1):
        if not name or names.count(name) > 1:
            problem = f"the name {name} again" if name else "no name"
            raise InputError(f"{path}: column {place}: found {problem}; give it a name of its own")
    numbers = pd.to_numeric(pd.Series(names, dtype=str), errors="coerce")
    counts = (numbers.diff().dropna() == 1).all()  # as pandas names columns without a name
    if names and numbers.notna().all() and not counts:
        raise InputError(
            f"{path}: found numbers instead of names in the first line ({', '.join(names[:3])}); "
            "write a line of names above it"
        )


def _read_frame(path: Path, suffix: str) -> pd.DataFrame:
    """A file that pandas knows as a data frame."""
    if suffix == ".parquet":
        return framed(pd.read_parquet(path))
    if suffix == ".feather":
        return framed(pd.read_feather(path))
    if suffix == ".xlsx":
        return framed(pd.read_excel(path))
    lines = pd.read_json(
        path,
        lines=True,
        dtype=False,
        convert_dates=False,
    )
    return framed(lines)


def framed(table: pd.DataFrame) -> pd.DataFrame:
    """A data frame whose named levels of the index are columns, and whose index counts the rows."""
    levels = [name for name in table.index.names if name is not None]
    if levels:
        table = table.reset_index(level=levels)
    names = pd.Index([str(name) for name in table.columns])
    return table.set_axis(names, axis=1).set_axis(
        pd.RangeIndex(1, len(table) + 1, name="row"), axis=0
    )


def _unpacked(path: Path, suffix: str) -> bytes:
    """The content of a text file, unpacked."""
    content = path.read_bytes()
    packing = "." + suffix.split(".")[-1]
    if packing == ".zip":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (member,) = archive.namelist()
            return archive.read(member)
    if packing == ".zst":
        return pa.CompressedInputStream(pa.BufferReader(content), "zstd").read()
    unpack = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}
    return unpack.get(packing, bytes)(content)


def _read_csv(path: Path, suffix: str) -> pd.DataFrame:
    content = _unpacked(path, suffix)
    if content.startswith(UTF_16):
        raise InputError(f"{path}: found UTF-16; convert it, say by iconv -f utf-16 -t utf-8")
    lines_above, delimiter = _above_header(content)
    header_lines = content[:HEADER].decode("utf-8-sig", errors="replace").splitlines(True)
    reader = csv.reader(
        header_lines[lines_above:],
        delimiter=delimiter,
        skipinitialspace=True,
    )
    header = next(reader, [])
    table = _parsed(content, delimiter, lines_above)
    if not isinstance(table.index, pd.RangeIndex):
        raise InputError(
            f"{path}: the first lines have more fields than the header; give each column a name"
        )
    table.columns = pd.Index([" ".join(name.split()) for name in header])
    first = 1 + lines_above + reader.line_num
    table.index = pd.RangeIndex(first, len(table) + first, name="line")
    table = _without_empty_ends(table)
    if delimiter != ",":
        table = table.apply(_with_decimal_points)
    return table


def _above_header(content: bytes) -> tuple[int, str]:
    """How many lines stand above the header, and what delimits its names."""
    lines_above, delimiter = 0, None
    line = ""
    for line in content[:HEADER].decode("utf-8-sig", errors="replace").splitlines():
        named = SEPARATOR_LINE.fullmatch(line)
        if not named and not line.startswith("#"):
            break
        delimiter = named[1] if named else delimiter
        lines_above += 1
    return lines_above, delimiter or max(DELIMITERS, key=line.count)


def _parsed(
    content: bytes,
    delimiter: str,
    lines_above: int,
) -> pd.DataFrame:
    """Numbers as numbers, all else as text; the names are the parser's."""

    def read(rows: int | None, dtype: Any) -> pd.DataFrame:
        return pd.read_csv(
            io.BytesIO(content),
            sep=delimiter,
            skiprows=lines_above,
            nrows=rows,
            dtype=dtype,
            encoding="utf-8-sig",
            keep_default_na=False,
            na_values=[""],
            skipinitialspace=True,
            skip_blank_lines=False,
            float_precision="round_trip",
            low_memory=False,
        )

    first = read(FIRST_ROWS, str)
    names = {}
    for place, name in enumerate(first.columns):
        if first.iloc[:, place].str.fullmatch(LEADING_ZERO).any():
            names[name] = str
    return read(None, names)


def _without_empty_ends(table: pd.DataFrame) -> pd.DataFrame:
    """The lines up to the last one that holds anything, and unnamed columns at the borders.

    The first may be the index of a data frame, the last what stands behind a last delimiter.
    """
    has_text = table.notna()
    filled = np.flatnonzero(has_text.any(axis=1).to_numpy())
    table = table.iloc[: filled[-1] + 1 if len(filled) else 0]
    names = list(table.columns)
    if len(names) > 1 and not names[-1] and not has_text.iloc[:, -1].any():
        table = table.iloc[:, :-1]
        names.pop()
    if names and not names[0] and "index" not in names and has_text.iloc[:, 0].any():
        table.columns = pd.Index(["index", *names[1:]])
    return table


def _with_decimal_points(cells: pd.Series) -> pd.Series:
    """Cells of which all numbers have a decimal comma, with a point; other cells as they are."""
    if cells.dtype.kind in "biuf":
        return cells
    texts = cells.fillna("").astype(str).str.strip()
    filled = texts[texts != ""]
    if not filled.str.fullmatch(DECIMAL_COMMA).all() or not filled.str.contains(",").any():
        return cells
    return texts.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
