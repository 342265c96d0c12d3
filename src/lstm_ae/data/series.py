"""The series of a table, found and checked.

A row is a step. Times order the rows and label the steps; the clock between two rows is not read.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstm_ae.core.errors import InputError
from lstm_ae.data.reading import read_table
from lstm_ae.units.layout import Layout
from lstm_ae.units.windows import Series, time_label

Array = NDArray[np.float64]


def read_series(path: Path, layout: Layout) -> list[Series]:
    """The series of a table's file (`series_of`)."""
    return series_of(read_table(path), layout, path)


def series_of(
    table: pd.DataFrame,
    layout: Layout,
    path: Path,
) -> list[Series]:
    """The series of a table, sorted by name, each number checked. An error names the path.

    Raises
    ------
    InputError
        A column is missing; a cell holds no finite number, or for log returns none above 0; a time
        is neither a date nor a number; the times of a series do not rise; there are no rows.
    """
    _check_columns(path, table, layout)
    above_zero = layout.scaling == "log_return"
    columns = [finite_numbers(path, table[name], above_zero) for name in layout.columns]
    values = np.stack(columns, axis=1)
    all_rows = np.arange(len(table))
    rows_of: dict[str, NDArray[np.int64]] = {}
    values_of: dict[str, Array] = {}
    if layout.columns_are == "series":
        rows_of = dict.fromkeys(layout.columns, all_rows)
        values_of = {name: values[:, [place]] for place, name in enumerate(layout.columns)}
    elif layout.series is None:
        rows_of = {"": all_rows}
        values_of = {"": values}
    else:
        rows_of = _rows_by_name(path, table[layout.series])
        values_of = {name: values[rows] for name, rows in rows_of.items()}

    times = None if layout.time is None else _times(path, table[layout.time])
    series = []
    for name, rows in rows_of.items():
        times_of_series = np.arange(len(rows)) if times is None else times[rows]
        if layout.time is not None:
            _check_order(
                path,
                table[layout.time].iloc[rows],
                times_of_series,
                name,
            )
        series.append(Series(name, times_of_series, values_of[name]))
    return series


def finite_numbers(
    path: Path,
    cells: pd.Series,
    above_zero: bool,
) -> Array:
    """The cells of a column as numbers.

    Raises
    ------
    InputError
        A cell is no finite number, or not above 0 where that is asked for.
    """
    numbers = _numbers(cells)
    wrong = ~np.isfinite(numbers)
    needed = "a number is needed"
    if above_zero:
        wrong |= ~(numbers > 0)
        needed = "a number above 0 is needed for log returns"
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(f"{_place(path, cells, row)}: found {_shown(cells.iloc[row])}; {needed}")
    return numbers


def _check_columns(
    path: Path,
    table: pd.DataFrame,
    layout: Layout,
) -> None:
    needed = [*layout.columns, layout.series, layout.time]
    for name in needed:
        if name is not None and name not in table.columns:
            raise InputError(f"{path}: column {name} is missing; found {', '.join(table.columns)}")
    if table.empty:
        raise InputError(f"{path}: found no rows; at least a window of them is needed")


def _check_order(
    path: Path,
    cells: pd.Series,
    times: NDArray[Any],
    name: str,
) -> None:
    """Raise an error where times do not rise."""
    falls = np.flatnonzero(times[1:] <= times[:-1])
    if not falls.size:
        return
    row = falls[0] + 1
    series = f" in series {name}" if name else ""
    raise InputError(
        f"{_place(path, cells, row)}: found {time_label(times[row])} after "
        f"{time_label(times[row - 1])}{series}; sort the rows by time, each time once"
    )


def _rows_by_name(path: Path, cells: pd.Series) -> dict[str, NDArray[np.int64]]:
    """The rows of each series, sorted by its name."""
    names = cells.astype(str).where(cells.notna(), "")
    empty = (names == "").to_numpy()
    if empty.any():
        place = _place(path, cells, int(empty.argmax()))
        raise InputError(f"{place}: found nothing; the name of a series is needed")
    codes, unique_names = pd.factorize(names, sort=True)
    ends = np.cumsum(np.bincount(codes))[:-1]
    rows = np.split(np.argsort(codes, kind="stable"), ends)
    return dict(zip(map(str, unique_names), rows, strict=True))


def _numbers(cells: pd.Series) -> Array:
    """Cells as numbers, NaN where one is none.

    A date or a duration is none: its number would depend on its unit.
    """
    if cells.dtype.kind in "mM":
        return np.full(len(cells), np.nan)
    return pd.to_numeric(cells, errors="coerce").to_numpy(np.float64, na_value=np.nan)


def _times(path: Path, cells: pd.Series) -> NDArray[Any]:
    """Cells as times: all of them numbers, or all of them dates."""
    numbers = _numbers(cells)
    if np.isfinite(numbers).all():
        return numbers
    texts = cells if pd.api.types.is_datetime64_any_dtype(cells) else cells.astype(str)
    dates = pd.to_datetime(
        texts,
        format="ISO8601",
        utc=True,
        errors="coerce",
    )
    if dates.notna().all():
        return dates.dt.tz_localize(None).to_numpy("datetime64[us]")
    no_date, no_number = dates.isna().to_numpy(), ~np.isfinite(numbers)
    wrong = no_date if no_date.sum() <= no_number.sum() else no_number  # most cells are right
    row = int(wrong.argmax())
    raise InputError(
        f"{_place(path, cells, row)}: found {_shown(cells.iloc[row])}; all rows need dates like "
        "2014-01-02 or 2014-01-02 13:30, or all need numbers"
    )


def _place(path: Path, cells: pd.Series, row: int) -> str:
    return f"{path}: column {cells.name}, {cells.index.name} {cells.index[row]}"


def _shown(cell: Any) -> str:
    if isinstance(cell, str):
        return repr(cell) if cell else "nothing"
    missing = pd.api.types.is_scalar(cell) and pd.isna(cell)
    return "nothing" if missing else str(cell)
