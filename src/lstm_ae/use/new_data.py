"""A table cut into the windows of a model, and frames in its columns."""

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstm_ae.core.errors import InputError
from lstm_ae.data.clocks import usual_interval
from lstm_ae.data.reading import framed, read_table
from lstm_ae.data.series import cells_of_time, series_of, step_columns
from lstm_ae.package.package import Package
from lstm_ae.units.layout import SERIES, Layout
from lstm_ae.units.windows import Series, Windows, covering, cut, time_label
from lstm_ae.use.times import TimeForm, time_form

Array = NDArray[np.float64]
Table = str | Path | pd.DataFrame

log = logging.getLogger(__name__)

SAME_INTERVAL = 0.1  # as a share: what is closer is no other interval
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
    first_rows
        Of the windows of each series.
    form
        How the table writes its times.
    """

    series: list[Series]
    windows: Windows
    layout: Layout
    columns: list[str]
    named: bool
    first_rows: list[list[int]]
    form: TimeForm = TimeForm()

    @property
    def rows_are_sequences(self) -> bool:
        """Each row of the table is a whole sequence, not a step of a series."""
        return self.layout.columns_are == "steps"


def read_new_data(model: Package, table: Table) -> NewData:
    """Read a file or data frame as the model's training data were read.

    What no window covers is said: rows without a value, and pieces between jumps of the clock that
    are shorter than a window.

    Raises
    ------
    InputError
        The table is not of that form, or no series has a window.
    """
    path, frame = _framed(table)
    layout = model.layout
    if layout.columns_are == "steps":
        series = series_of(frame, layout, path, forgiving=True)
        every = [[0]] * len(series)
        return NewData(
            series,
            cut(series, layout, every),
            layout,
            step_columns(frame, layout),
            SERIES in frame.columns,
            every,
        )
    series = series_of(frame, layout, path, forgiving=True)
    first_rows = [covering(one_series, layout) for one_series in series]
    _check_windows(path, series, first_rows, layout)
    _warn_of_uncovered(path, series, first_rows, layout)
    _warn_of_interval(path, series, layout)
    windows = cut(series, layout, first_rows)
    named = layout.series is not None or layout.columns_are == "series"
    time_cells = cells_of_time(path, frame, layout)
    form = TimeForm() if time_cells is None else time_form(time_cells, layout.time_format)
    return NewData(
        series,
        windows,
        layout,
        layout.columns,
        named,
        first_rows,
        form,
    )


def stitched(data: NewData, values: Array) -> list[Array]:
    """Windows (N, T, m) as one array (L, m) for each series, NaN where no window lies.

    Where two windows meet, the first counts.
    """
    arrays = []
    for place, series in enumerate(data.series):
        array = np.full((len(series), values.shape[2]), np.nan)
        windows = values[data.windows.series == place]
        for first_row, window in zip(
            reversed(data.first_rows[place]),
            windows[::-1],
            strict=True,
        ):
            array[first_row : first_row + data.layout.window] = window
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
    times = [series.times for series in data.series]
    columns: dict[str, Any] = {}
    if layout.columns_are == "series":
        if layout.time is not None:
            columns[layout.time] = data.form.written(times[0])
        for series, array in zip(data.series, arrays, strict=True):
            columns[series.name] = array[:, 0]
        return pd.DataFrame(columns)
    lengths = [len(times_of_series) for times_of_series in times]
    places = np.repeat(np.arange(len(times)), lengths)
    columns |= series_column(data, layout.series or SERIES, places)
    if layout.time is not None:
        columns[layout.time] = data.form.written(np.concatenate(times))
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
    columns["start"] = data.form.written(windows.times[:, 0])
    columns["end"] = data.form.written(windows.times[:, -1])
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


def _check_windows(
    path: Path,
    series: list[Series],
    first_rows: list[list[int]],
    layout: Layout,
) -> None:
    """Raise an error where no series has a window."""
    if any(first_rows):
        return
    needed = layout.window + layout.before
    longest = max(len(one_series) for one_series in series)
    if longest < needed:
        raise InputError(
            f"{path}: found {longest} rows, fewer than the {needed} that a window of this model "
            "needs; add rows"
        )
    raise InputError(
        f"{path}: found no {needed} rows in a row, which a window of this model needs, without a "
        "missing value or a jump of the clock; add rows"
    )


def _warn_of_uncovered(
    path: Path,
    series: list[Series],
    first_rows: list[list[int]],
    layout: Layout,
) -> None:
    """Say which series and rows lie in no window."""
    for one_series, firsts in zip(series, first_rows, strict=True):
        name = f"{path}: series {one_series.name}" if one_series.name else f"{path}"
        if not firsts:
            log.warning(
                "%s: found no %d rows in a row, which a window needs; the series is left out",
                name,
                layout.window + layout.before,
            )
            continue
        covered = np.zeros(len(one_series), bool)
        covered[: layout.before] = True
        for first_row in firsts:
            covered[first_row : first_row + layout.window] = True
        outside = np.flatnonzero(~covered)
        if outside.size:
            log.warning(
                "%s: %d of %d rows lie in no window, the first at %s: a value is missing, or the "
                "piece between two gaps is shorter than %d rows",
                name,
                outside.size,
                len(one_series),
                time_label(one_series.times[outside[0]]),
                layout.window + layout.before,
            )


def _warn_of_interval(
    path: Path,
    series: list[Series],
    layout: Layout,
) -> None:
    """Say where rows follow each other faster or slower than those of training."""
    found = usual_interval(series, layout)
    trained = layout.interval
    if found is None or trained is None or math.isclose(found, trained, rel_tol=SAME_INTERVAL):
        return
    unit = " s" if series[0].times.dtype.kind == "M" else ""
    log.warning(
        "%s: found a row every %g%s; the model was trained on a row every %g%s",
        path,
        found,
        unit,
        trained,
        unit,
    )


def _framed(table: Table) -> tuple[Path, pd.DataFrame]:
    """The table as a frame whose index is the line or row, and its name for errors."""
    if not isinstance(table, pd.DataFrame):
        path = Path(table)
        return path, read_table(path)
    path = Path("table")
    frame = framed(table)
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise InputError(
            f"{path}: found column {repeated[0]!r} more than once; give each a name of its own"
        )
    return path, frame
