"""What a trained model says of new data: a table in, a table out, in the units of the input."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from lstm_ae.core.errors import InputError
from lstm_ae.data.table import (
    Layout,
    Series,
    Windows,
    cut,
    finite_numbers,
    read_table,
    series_of,
    tiled,
    tiles,
    unscaled,
)
from lstm_ae.package.answers import Answers, compute_answers, roll_forward
from lstm_ae.package.package import Package, load_package, local_scale, window_errors

Array = NDArray[np.float64]
Table = str | Path | pd.DataFrame

SERIES = "series"  # the column that names a row which is a whole sequence
# Columns that are written; a series or a time that the table calls so is named "series" or "time".
OURS = (
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
        Of the values, as the table names them.
    named
        The table names its series.
    """

    series: list[Series]
    windows: Windows
    columns: list[str]
    named: bool


def load_model(directory: str | Path, device: str = "cpu") -> Package:
    """Read a packaged model, a folder under models/.

    Raises
    ------
    InputError
        The folder holds no packaged model, or the device is not there.
    """
    try:
        there = torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"device: found {device!r}, which is not here ({str(error).splitlines()[0]}); 'cpu' is allowed"
        ) from error
    return load_package(Path(directory), there)


def reconstruct(model: Package, table: Table) -> pd.DataFrame:
    """The table after it went through the code.

    Parameters
    ----------
    table
        A .csv, .csv.gz or .parquet file or a data frame, of the form the model was trained on: a row a step of a series, or a row a whole
        sequence. Windows cover each series one after the other, the last one ending on its last row; where two meet, the first counts.

    Returns
    -------
    A row for each row of the table that a window covers, sorted by series, in the columns and the units of the table.

    Raises
    ------
    InputError
        The table is not of that form, or a series is shorter than a window.
    """
    data = _read(model, table)
    said = compute_answers(model.model, data.windows.sequences, model.device)
    values = unscaled(said.reconstruction, data.windows.base, model.layout)
    if model.rows:
        frame = pd.DataFrame(values.reshape(len(values), -1), columns=data.columns)
        if data.named:
            frame.insert(0, SERIES, [one.name for one in data.series])
        return frame
    return _long(data, _stitched(data, values, model.layout), model.layout)


def encode(model: Package, table: Table) -> pd.DataFrame:
    """The code of each window of the table (`reconstruct`).

    Returns
    -------
    A row a window: its series, the times of its first and last step, `code_1` to `code_k`, and where the model tells classes `class` and
    its `probability`.
    """
    data = _read(model, table)
    said = compute_answers(model.model, data.windows.sequences, model.device)
    frame = _windows(data, model)
    codes = pd.DataFrame(said.codes, columns=[f"code_{k + 1}" for k in range(said.codes.shape[1])])
    frame = pd.concat([frame, codes], axis=1)
    if said.probabilities is not None:
        frame["class"], frame["probability"] = (
            said.probabilities.argmax(axis=1),
            said.probabilities.max(axis=1),
        )
    return frame


def forecast(
    model: Package, table: Table, horizon: int | None = None, level: float = 0.9
) -> pd.DataFrame:
    """The steps after the end of each series: the model reads its last window and then its own predictions.

    Parameters
    ----------
    horizon
        Steps, at most as far as validation tells how wide the intervals are; None is as far.
    level
        Of the prediction intervals: 0.5, 0.51 to 0.99. They are split conformal (Lei et al. 2018), calibrated on the validation split.

    Returns
    -------
    A row a step and variable: series, time, step from 1, column, forecast, low, high. Dates go on at the usual distance of the series,
    over weekends where it has none. Series and times that the table calls `step`, `low` or the like are named `series` and `time`.

    Raises
    ------
    InputError
        The model does not predict, or the horizon or the level is out of range.
    """
    layout, calibration = model.layout, model.calibration
    if calibration.widths is None:
        raise InputError(
            f"model {model.about['section']}: found one that does not predict the next step; one that does is allowed"
        )
    half = calibration.half_widths(level)
    if not len(half):
        raise InputError(
            f"level: found {level:g}; validation is too short to tell such intervals, a lower one is allowed"
        )
    horizon = len(half) if horizon is None else horizon
    if not 1 <= horizon <= len(half):
        raise InputError(
            f"horizon: found {horizon}; 1 to {len(half)} is allowed, as far as validation tells intervals of {level:.0%}"
        )
    half = half[:horizon]
    data = _read(model, table)
    ends = cut(data.series, layout, [[len(one.times) - layout.window] for one in data.series])
    base = np.stack(
        [
            np.log(one.values[-1])
            if layout.scaling == "log_return"
            else np.zeros(one.values.shape[1])
            for one in data.series
        ]
    )
    said = unscaled(roll_forward(model.model, ends.sequences, horizon, model.device), base, layout)
    reach = half * local_scale(ends.sequences, layout)[:, None]
    if layout.scaling == "log_return":
        low, high = said * np.exp(-reach), said * np.exp(reach)
    else:
        low, high = said - reach * layout.scale, said + reach * layout.scale
    count, variables = len(data.series), layout.variables
    return pd.DataFrame(
        {
            **_series_column(
                data,
                _ours(layout.series, SERIES),
                np.repeat(np.arange(count), horizon * len(variables)),
            ),
            _ours(layout.time, "time" if layout.time else "row"): _exact(
                np.concatenate(
                    [
                        np.repeat(_following(one.times, horizon), len(variables))
                        for one in data.series
                    ]
                )
            ),
            "step": np.tile(np.repeat(np.arange(1, horizon + 1), len(variables)), count),
            **(
                {"column": np.tile(variables, count * horizon)}
                if layout.columns_are == "variables"
                else {}
            ),
            "forecast": said.ravel(),
            "low": low.ravel(),
            "high": high.ravel(),
        }
    )


def score(
    model: Package, table: Table, false_alarms: float = 0.01, figure: str | Path | None = None
) -> pd.DataFrame:
    """The reconstruction error of each window of the table (`reconstruct`), and whether it is an alarm.

    Parameters
    ----------
    false_alarms
        The share of windows like those of the validation split that are alarms: an error is one if its p-value is at most this (conformal
        p-values, Bates et al. 2023).
    figure
        A .png file where the alarms are drawn.

    Returns
    -------
    A row a window: its series, the times of its first and last step, `error` (mean square, of values scaled as the model reads them),
    `p_value`, `alarm`. `attrs["threshold"]` of the frame is the error above which a window is an alarm.

    Raises
    ------
    InputError
        There are too few validation windows for so few false alarms.
    """
    threshold = model.calibration.threshold(false_alarms)
    if figure is not None and Path(figure).suffix.lower() != ".png":
        raise InputError(f"{figure}: found the suffix {Path(figure).suffix!r}; .png is allowed")
    data = _read(model, table)
    said = compute_answers(model.model, data.windows.sequences, model.device)
    errors = window_errors(data.windows.sequences.astype(np.float64), said.reconstruction)
    frame = _windows(data, model)
    frame["error"], frame["p_value"], frame["alarm"] = (
        errors,
        model.calibration.p_values(errors),
        errors > threshold,
    )
    frame.attrs["threshold"] = threshold
    if figure is not None:
        _draw(model, data, said, frame, false_alarms, Path(figure))
    return frame


def export(model: Package, path: str | Path) -> None:
    """Write the model as ONNX: `sequences` (B, T, m), scaled, to reconstruction, code and what else the model says.

    The metadata `layout` of the file says in JSON how values are scaled.
    """
    from lstm_ae.use import onnx  # its packages take a second

    onnx.export(
        model.model,
        Path(path),
        {"layout": json.dumps(asdict(model.layout)), "section": model.about["section"]},
    )


def _read(model: Package, table: Table) -> NewData:
    if isinstance(table, pd.DataFrame):
        path = Path("table")
        table = table.set_axis(table.columns.astype(str), axis=1).set_axis(
            pd.RangeIndex(1, len(table) + 1, name="row"), axis=0
        )
        if len(repeated := table.columns[table.columns.duplicated()]):
            raise InputError(
                f"{path}: found column {repeated[0]!r} more than once; each name once is allowed"
            )
    else:
        path = Path(table)
        table = read_table(path)
    layout = model.layout
    if model.rows:
        series, columns = _sequences(table, layout, path)
        return NewData(series, tiled(series, layout), columns, SERIES in table.columns)
    series = series_of(table, layout, path)
    try:
        windows = tiled(series, layout)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return NewData(
        series, windows, layout.columns, layout.series is not None or layout.columns_are == "series"
    )


def _sequences(table: pd.DataFrame, layout: Layout, path: Path) -> tuple[list[Series], list[str]]:
    """Each row as a series of one window, step after step and in a step variable after variable, and the columns of the values."""
    columns = [name for name in table.columns if name != SERIES]
    features = len(layout.scale)
    if len(columns) != layout.window * features:
        needed = f"{layout.window * features}, a sequence of {layout.window} steps of {features}"
        raise InputError(
            f"{path}: found {len(columns)} columns of values; {needed}, is allowed, beside a column {SERIES}"
        )
    if table.empty:
        raise InputError(f"{path}: found no rows")
    values = np.stack(
        [finite_numbers(path, table[name], False) for name in columns], axis=1
    ).reshape(-1, layout.window, features)
    names = (
        table[SERIES].astype(str) if SERIES in table.columns else map(str, range(1, len(table) + 1))
    )
    times = np.arange(layout.window)
    return [
        Series(name, times, sequence) for name, sequence in zip(names, values, strict=True)
    ], columns


def _stitched(data: NewData, values: Array, layout: Layout) -> list[Array]:
    """Windows (N, T, m) as one array (L - before, m) for each series."""
    stitched = []
    for place, one in enumerate(data.series):
        whole = np.empty((len(one.times) - layout.before, values.shape[2]))
        starts = tiles(layout.before, len(one.times), layout.window)
        for start, window in zip(
            reversed(starts), values[data.windows.series == place][::-1], strict=True
        ):
            whole[start - layout.before : start - layout.before + layout.window] = window
        stitched.append(whole)
    return stitched


def _long(data: NewData, stitched: list[Array], layout: Layout) -> pd.DataFrame:
    """A row a step, in the columns of the table."""
    times = [one.times[layout.before :] for one in data.series]
    if layout.columns_are == "series":
        time = {} if layout.time is None else {layout.time: _exact(times[0])}
        return pd.DataFrame(
            {
                **time,
                **{
                    one.name: values[:, 0]
                    for one, values in zip(data.series, stitched, strict=True)
                },
            }
        )
    series = _series_column(
        data, layout.series or SERIES, np.repeat(np.arange(len(times)), [len(own) for own in times])
    )
    time = {} if layout.time is None else {layout.time: _exact(np.concatenate(times))}
    values = np.concatenate(stitched)
    return pd.DataFrame(
        {**series, **time, **{name: values[:, c] for c, name in enumerate(layout.columns)}}
    )


def _series_column(data: NewData, name: str, which: NDArray[np.int64]) -> dict[str, Any]:
    return {name: np.array([one.name for one in data.series], object)[which]} if data.named else {}


def _ours(name: str | None, else_name: str) -> str:
    """A column's name beside those that are written."""
    return else_name if name is None or name in OURS else name


def _exact(times: NDArray[Any]) -> NDArray[Any]:
    """Whole times as integers, which a text file keeps to the last digit."""
    whole = times.dtype.kind == "f" and bool(
        (times == times.round()).all() and (np.abs(times) < 2**53).all()
    )
    return times.astype(np.int64) if whole else times


def _windows(data: NewData, model: Package) -> pd.DataFrame:
    """A row a window: its series, first and last time; a row that is a whole sequence has its name or number alone."""
    if model.rows:
        return pd.DataFrame({SERIES: [one.name for one in data.series]})
    windows = data.windows
    series = _series_column(data, _ours(model.layout.series, SERIES), windows.series)
    return pd.DataFrame(
        {**series, "start": _exact(windows.times[:, 0]), "end": _exact(windows.times[:, -1])}
    )


def _draw(
    model: Package,
    data: NewData,
    said: Answers,
    frame: pd.DataFrame,
    false_alarms: float,
    path: Path,
) -> None:
    """The alarms over time, of the series that have most of them; or the rows with the largest errors."""
    from lstm_ae.evaluation import figures  # matplotlib takes a second

    layout, windows = model.layout, data.windows
    errors, alarm, threshold = (
        frame["error"].to_numpy(),
        frame["alarm"].to_numpy(),
        frame.attrs["threshold"],
    )
    values = unscaled(said.reconstruction, windows.base, layout)
    title = f"{alarm.sum()} of {len(alarm)} windows are alarms; {false_alarms:.2%} of windows like those of validation would be"
    if model.rows:
        worst = np.argsort(-errors, kind="stable")[:4]
        shown = {
            f"{frame[SERIES][row]}, error {errors[row]:.3g}": (
                data.series[row].values.ravel(),
                values[row].ravel(),
            )
            for row in worst
        }
        figures.save(
            figures.row_alarms(
                errors, alarm, threshold, shown, title.replace("windows", "rows", 1)
            ),
            path,
        )
        return
    squares = np.square(said.reconstruction - windows.sequences)
    stitched, steps = (
        _stitched(data, values, layout),
        _stitched(data, squares.mean(axis=2, keepdims=True), layout),
    )
    panels = []
    count = np.bincount(windows.series, weights=alarm, minlength=len(data.series))
    highest = [errors[windows.series == place].max() for place in range(len(data.series))]
    for place in np.lexsort((-np.array(highest), -count))[:4]:
        own = windows.series == place
        # The variable that is furthest off where the error is largest.
        column = int(squares[own][errors[own].argmax()].mean(axis=0).argmax())
        one, later = data.series[place], slice(layout.before, None)
        panels.append(
            figures.AlarmPanel(
                one.name,
                (layout.columns if layout.columns_are == "variables" else [one.name])[column],
                one.times[later],
                one.values[later, column],
                stitched[place][:, column],
                steps[place][:, 0],
                windows.times[own][:, [0, -1]],
                errors[own],
                alarm[own],
            )
        )
    figures.save(figures.alarms(panels, threshold, title), path)


def _following(times: NDArray[Any], count: int) -> NDArray[Any]:
    """The times (count,) after those of a series, at its median distance; days on which a week does not end where none is a weekend."""
    distances = np.diff(times)
    distance = np.sort(distances)[len(distances) // 2]
    if np.issubdtype(times.dtype, np.datetime64) and distance == np.timedelta64(1, "D"):
        days = times.astype("datetime64[D]")
        if np.is_busday(days).all() and (distances > distance).any():
            return np.busday_offset(days[-1], np.arange(1, count + 1)) + (times[-1] - days[-1])
    return times[-1] + distance * np.arange(1, count + 1)
