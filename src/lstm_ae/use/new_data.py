"""A table cut into the windows of a model, and frames in its columns."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstm_ae.core.errors import InputError
from lstm_ae.data.reading import read_table
from lstm_ae.data.series import finite_numbers, series_of
from lstm_ae.package.package import Package
from lstm_ae.units.layout import Layout
from lstm_ae.units.windows import Series, Windows, tiled, tiles

Array = NDArray[np.float64]
Table = str | Path | pd.DataFrame

SERIES = "series"  # the column that names a row which is a whole sequence
# Columns that are written; a series or a time that the table calls so is named "series" or "time".
WRITTEN = (
    SERIES,
    "time",
    "row",
    "start",
    "end",
    "error",
    "p_value",
    "alarm",
    "class",
    "probability",
    "step",
    "column",
    "forecast",
    "low",
    "high",
)


@dataclass(frozen=True)
class NewData:
    """A table cut into the windows of a model.

    Parameters
    ----------
    columns
        The columns of values, as the table names them.
    named
        The table names its series.
    """

    series: list[Series]
    windows: Windows
    layout: Layout
    columns: list[str]
    named: bool

    @property
    def rows_are_sequences(self) -> bool:
        """Each row of the table is a whole sequence, not a step of a series."""
        return self.layout.columns_are == "steps"


def read_new_data(model: Package, table: Table) -> NewData:
    """Read a file or data frame as the model's training data were read.

    Raises
    ------
    InputError
        The table is not of that form, or a series is shorter than a window.
    """
    path, frame = _framed(table)
    layout = model.layout
    if layout.columns_are == "steps":
        series, columns = _sequences(frame, layout, path)
        return NewData(
            series,
            tiled(series, layout),
            layout,
            columns,
            SERIES in frame.columns,
        )
    series = series_of(frame, layout, path)
    try:
        windows = tiled(series, layout)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    named = layout.series is not None or layout.columns_are == "series"
    return NewData(series, windows, layout, layout.columns, named)


def stitched(data: NewData, values: Array) -> list[Array]:
    """Windows (N, T, m) as one array (L - before, m) for each series.

    Where two windows meet, the first counts.
    """
    layout = data.layout
    arrays = []
    for place, series in enumerate(data.series):
        array = np.empty((len(series) - layout.before, values.shape[2]))
        first_rows = tiles(layout.before, len(series), layout.window)
        windows = values[data.windows.series == place]
        for first_row, window in zip(reversed(first_rows), windows[::-1], strict=True):
            start = first_row - layout.before
            array[start : start + layout.window] = window
        arrays.append(array)
    return arrays


def steps_frame(data: NewData, values: Array) -> pd.DataFrame:
    """Windows (N, T, m) in the columns of the table: a row a step, or a row a whole sequence."""
    if data.rows_are_sequences:
        frame = pd.DataFrame(values.reshape(len(values), -1), columns=data.columns)
        if data.named:
            frame.insert(0, SERIES, [series.name for series in data.series])
        return frame
    layout = data.layout
    arrays = stitched(data, values)
    times = [series.times[layout.before :] for series in data.series]
    columns: dict[str, Any] = {}
    if layout.columns_are == "series":
        if layout.time is not None:
            columns[layout.time] = exact_times(times[0])
        for series, array in zip(data.series, arrays, strict=True):
            columns[series.name] = array[:, 0]
        return pd.DataFrame(columns)
    lengths = [len(times_of_series) for times_of_series in times]
    places = np.repeat(np.arange(len(times)), lengths)
    columns |= series_column(data, layout.series or SERIES, places)
    if layout.time is not None:
        columns[layout.time] = exact_times(np.concatenate(times))
    joined = np.concatenate(arrays)
    for place, name in enumerate(layout.columns):
        columns[name] = joined[:, place]
    return pd.DataFrame(columns)


def windows_frame(data: NewData) -> pd.DataFrame:
    """A row a window: its series, first and last time.

    A row that is a whole sequence has its name or number alone.
    """
    if data.rows_are_sequences:
        return pd.DataFrame({SERIES: [series.name for series in data.series]})
    windows = data.windows
    columns = series_column(data, written_name(data.layout.series, SERIES), windows.series)
    columns["start"] = exact_times(windows.times[:, 0])
    columns["end"] = exact_times(windows.times[:, -1])
    return pd.DataFrame(columns)


def series_column(
    data: NewData,
    name: str,
    places: NDArray[np.int64],
) -> dict[str, Any]:
    """The names of the series at these places as a column; none where the table names none."""
    if not data.named:
        return {}
    names = np.array([series.name for series in data.series], object)
    return {name: names[places]}


def written_name(name: str | None, otherwise: str) -> str:
    """A column's name in a table that has columns of ours: another one where ours is the same."""
    return otherwise if name is None or name in WRITTEN else name


def exact_times(times: NDArray[Any]) -> NDArray[Any]:
    """Whole times as integers, which a text file keeps to the last digit."""
    if times.dtype.kind != "f":
        return times
    is_whole = times == times.round()
    is_exact = np.abs(times) < 2**53
    whole = (is_whole & is_exact).all()
    return times.astype(np.int64) if whole else times


def following_times(times: NDArray[Any], count: int) -> NDArray[Any]:
    """The times (count,) after those of a series, at its median distance.

    Days go on over weekends where the series has none.
    """
    distances = np.diff(times)
    distance = np.sort(distances)[len(distances) // 2]
    if np.issubdtype(times.dtype, np.datetime64) and distance == np.timedelta64(1, "D"):
        days = times.astype("datetime64[D]")
        if np.is_busday(days).all() and (distances > distance).any():
            hour = times[-1] - days[-1]
            return np.busday_offset(days[-1], np.arange(1, count + 1)) + hour
    return times[-1] + distance * np.arange(1, count + 1)


def _framed(table: Table) -> tuple[Path, pd.DataFrame]:
    """The table as a frame whose index is the line or row, and its name for errors."""
    if not isinstance(table, pd.DataFrame):
        path = Path(table)
        return path, read_table(path)
    path = Path("table")
    frame = table.set_axis(table.columns.astype(str), axis=1)
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise InputError(
            f"{path}: found column {repeated[0]!r} more than once; give each a name of its own"
        )
    return path, frame.set_axis(pd.RangeIndex(1, len(frame) + 1, name="row"), axis=0)


def _sequences(
    table: pd.DataFrame,
    layout: Layout,
    path: Path,
) -> tuple[list[Series], list[str]]:
    """Each row as a series of one window, and the columns of the values."""
    columns = [str(name) for name in table.columns if name != SERIES]
    needed = layout.window * layout.features
    if len(columns) != needed:
        raise InputError(
            f"{path}: found {len(columns)} columns of values; this model reads rows of {needed}, "
            f"which are {layout.window} steps of {layout.features}, beside a column {SERIES} of "
            "names if you like"
        )
    if table.empty:
        raise InputError(f"{path}: found no rows; at least one is needed")
    numbers = [finite_numbers(path, table[name], above_zero=False) for name in columns]
    sequences = np.stack(numbers, axis=1).reshape(-1, layout.window, layout.features)
    names = map(str, range(1, len(table) + 1))
    if SERIES in table.columns:
        names = map(str, table[SERIES])
    times = np.arange(layout.window)
    series = [Series(name, times, values) for name, values in zip(names, sequences, strict=True)]
    return series, columns
