"""The series of a table, found and checked: a row is a step."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstm_ae.core.errors import InputError
from lstm_ae.data.cells import place_of
from lstm_ae.data.clocks import check_order, fall, one_row_a_time, read_times, unbroken_rows
from lstm_ae.data.measured import check_far_numbers, filled, measured_values
from lstm_ae.data.reading import read_table
from lstm_ae.data.time_parts import joined_times
from lstm_ae.units.layout import SERIES, Layout
from lstm_ae.units.windows import Series

Array = NDArray[np.float64]
RowNumbers = NDArray[np.int64]

log = logging.getLogger(__name__)


def read_series(path: Path, layout: Layout) -> list[Series]:
    """The series of a table's file (`series_of`)."""
    return series_of(read_table(path), layout, path)


def series_of(
    table: pd.DataFrame,
    layout: Layout,
    path: Path,
    forgiving: bool = False,
) -> list[Series]:
    """The series of a table, sorted by name, in unbroken pieces. An error names the path.

    Parameters
    ----------
    forgiving
        For a model in use: a cell that is no number counts as missing and is said, and numbers far
        from all others are taken as they are.

    Raises
    ------
    InputError
        A column is missing; a cell holds something else than a number, or for log returns none
        above 0; a time is neither a date nor a number; the times of a series do not rise; there are
        no rows.
    """
    _check_columns(path, table, layout)
    if layout.columns_are == "steps":
        return row_sequences(path, table, layout, forgiving)
    columns = []
    for name in layout.columns:
        numbers = measured_values(
            path,
            table[name],
            layout,
            forgiving,
        )
        if not forgiving and layout.scaling != "none":
            check_far_numbers(path, table[name], numbers)
        columns.append(numbers)
    values = np.stack(columns, axis=1)
    clock, time_cells = None, cells_of_time(path, table, layout)
    if time_cells is not None:
        clock = read_times(path, time_cells, layout.time_format)
    series = []
    for name, rows, own in _rows_and_values(path, table, layout, values):
        times, turned = np.arange(len(rows)), rows
        if clock is not None and time_cells is not None:
            times = clock[rows]
            if fall(times):
                times, turned, own = times[::-1], rows[::-1], own[::-1]
            check_order(
                path,
                time_cells,
                turned,
                times,
                name,
                layout.duplicates,
            )
        series.append(_one_series(name, times, own, layout))
    return series


def row_sequences(
    path: Path,
    table: pd.DataFrame,
    layout: Layout,
    forgiving: bool,
) -> list[Series]:
    """Each row as a series of one window; rows with a missing value are left out and said.

    Raises
    ------
    InputError
        There are more or fewer columns of values than a window has numbers, or no row is whole.
    """
    columns = step_columns(table, layout)
    needed = layout.window * layout.features
    if len(columns) != needed:
        raise InputError(
            f"{path}: found {len(columns)} columns of values; this model reads rows of {needed}, "
            f"which are {layout.window} steps of {layout.features}, beside a column {SERIES} of "
            "names if you like"
        )
    numbers = [measured_values(path, table[name], layout, forgiving) for name in columns]
    sequences = np.stack(numbers, axis=1).reshape(-1, layout.window, layout.features)
    names = list(map(str, table[SERIES] if SERIES in table else range(1, len(table) + 1)))
    times = np.arange(layout.window)
    series = []
    for name, values in zip(names, sequences, strict=True):
        if np.isfinite(values).all():
            series.append(Series(name, times, values))
        else:
            log.warning("%s: row %s has a missing value and is left out", path, name)
    if not series:
        raise InputError(f"{path}: every row has a missing value; at least one without is needed")
    return series


def step_columns(table: pd.DataFrame, layout: Layout) -> list[str]:
    """The columns of values of a table whose rows are whole sequences."""
    return layout.columns or [str(name) for name in table.columns if name != SERIES]


def cells_of_time(
    path: Path,
    table: pd.DataFrame,
    layout: Layout,
) -> pd.Series | None:
    """The column of times, put together where it stands in several; None where the rows count."""
    if layout.time is None:
        return None
    if layout.time_parts is None:
        return table[layout.time]
    return joined_times(
        path,
        table,
        layout.time_parts,
        layout.time,
    )


def _rows_and_values(
    path: Path,
    table: pd.DataFrame,
    layout: Layout,
    values: Array,
) -> Iterator[tuple[str, RowNumbers, Array]]:
    """The name of each series, its rows in the table, and its values (L, m)."""
    all_rows = np.arange(len(table))
    if layout.columns_are == "series":
        for place, name in enumerate(layout.columns):
            yield name, all_rows, values[:, [place]]
    elif layout.series is None:
        yield "", all_rows, values
    else:
        for name, rows in _rows_by_name(path, table[layout.series]).items():
            yield name, rows, values[rows]


def _one_series(
    name: str,
    times: NDArray[Any],
    values: Array,
    layout: Layout,
) -> Series:
    """A series whose times do not fall: one row a time, filled, in pieces."""
    if layout.duplicates:
        times, values = one_row_a_time(times, values, layout.duplicates)
    values = filled(values, layout.fill)
    pieces = unbroken_rows(times, values, layout.longest_step)
    return Series(name, times, values, pieces)


def _check_columns(
    path: Path,
    table: pd.DataFrame,
    layout: Layout,
) -> None:
    optional = [layout.series] if layout.time_parts else [layout.series, layout.time]
    needed = [*layout.columns, *(layout.time_parts or [])]
    needed += [name for name in optional if name is not None]
    for name in needed:
        if name not in table.columns:
            raise InputError(f"{path}: column {name} is missing; found {', '.join(table.columns)}")
    if table.empty:
        raise InputError(f"{path}: found no rows; at least a window of them is needed")


def _rows_by_name(path: Path, cells: pd.Series) -> dict[str, RowNumbers]:
    """The rows of each series, sorted by its name."""
    names = cells.astype(str).where(cells.notna(), "")
    empty = (names == "").to_numpy()
    if empty.any():
        place = place_of(path, cells, int(empty.argmax()))
        raise InputError(f"{place}: found nothing; the name of a series is needed")
    codes, unique_names = pd.factorize(names, sort=True)
    ends = np.cumsum(np.bincount(codes))[:-1]
    rows = np.split(np.argsort(codes, kind="stable"), ends)
    return dict(zip(map(str, unique_names), rows, strict=True))
