"""What a trained model answers to new data: a table in, a table out, in the units of the input."""

import json
import logging
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from lstm_ae.core.errors import InputError
from lstm_ae.package.answers import compute_answers, roll_forward
from lstm_ae.package.calibration import window_errors
from lstm_ae.package.loading import load_package
from lstm_ae.package.package import Package
from lstm_ae.units.layout import SERIES, Layout, local_scale, to_units
from lstm_ae.units.windows import Series, cut, time_label
from lstm_ae.use.extras import needs_extra
from lstm_ae.use.new_data import (
    NewData,
    Table,
    read_new_data,
    steps_frame,
    windows_frame,
    written_name,
)
from lstm_ae.use.times import following_times

log = logging.getLogger(__name__)


def load_model(directory: str | Path, device: str = "cpu") -> Package:
    """Read a packaged model, a folder under models/.

    Raises
    ------
    InputError
        The folder holds no packaged model, or the device is not there.
    """
    try:
        torch_device = torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"device: found {device!r}, which is not here ({reason}); 'cpu' always is"
        ) from error
    return load_package(Path(directory), torch_device)


def reconstruct(model: Package, table: Table) -> pd.DataFrame:
    """The table after it went through the code.

    Parameters
    ----------
    table
        A .csv, .csv.gz or .parquet file or a data frame, of the form the model was trained on: a
        row a step of a series, or a row a whole sequence. Windows cover each series one after the
        other, the last one ending on its last row; where two meet, the first counts.

    Returns
    -------
    pd.DataFrame
        A row for each row of the table, sorted by series, in the columns and the units of the
        table; empty where no window lies.

    Raises
    ------
    InputError
        The table is not of that form, or no series has a window.
    """
    data = read_new_data(model, table)
    answers = compute_answers(model.model, data.windows.sequences, model.device)
    return steps_frame(data, to_units(answers.reconstruction, data.windows.base, model.layout))


def encode(model: Package, table: Table) -> pd.DataFrame:
    """The code of each window of the table (`reconstruct`).

    Returns
    -------
    pd.DataFrame
        A row a window: its series, the times of its first and last step, `code_1` to `code_k`, and
        where the model tells classes `class` and its `probability`.
    """
    data = read_new_data(model, table)
    answers = compute_answers(model.model, data.windows.sequences, model.device)
    names = [f"code_{number}" for number in range(1, answers.codes.shape[1] + 1)]
    codes = pd.DataFrame(answers.codes, columns=names)
    frame = pd.concat([windows_frame(data), codes], axis=1)
    if answers.probabilities is not None:
        frame["class"] = answers.probabilities.argmax(axis=1)
        frame["probability"] = answers.probabilities.max(axis=1)
    return frame


def forecast(
    model: Package,
    table: Table,
    horizon: int | None = None,
    level: float = 0.9,
) -> pd.DataFrame:
    """The steps after the end of each series: the model reads its last window and then its own.

    Parameters
    ----------
    horizon
        Steps, at most as far as validation tells how wide the intervals are; None is as far.
    level
        Of the prediction intervals: 0.5, 0.51 to 0.99. They are split conformal (Lei et al. 2018),
        calibrated on the validation split, with as much beyond them below as above.

    Returns
    -------
    pd.DataFrame
        A row a step and variable: series, time, step from 1, column, forecast, low, high. Dates go
        on at the usual distance of the series, over weekends where it has none. Series and times
        that the table calls `step`, `low` or the like are named `series` and `time`.

    Raises
    ------
    InputError
        The model does not predict, or the horizon or the level is out of range.
    """
    ends = _interval(model, horizon, level)
    horizon = ends.shape[1]
    layout = model.layout
    data = read_new_data(model, table)
    known = _up_to_last_windows(data)
    last_windows = [[len(series) - layout.window] for series in known]
    windows = cut(known, layout, last_windows)
    base = np.zeros((len(known), layout.features))
    if layout.scaling == "log_return":
        base = np.log([series.values[-1] for series in known])
    ahead = roll_forward(model.model, windows.sequences, horizon, model.device)
    middle = to_units(ahead, base, layout)
    scale = local_scale(windows.sequences, layout)[:, -1, None]
    reach = ends[:, None] * model.calibration.expected_error(scale)
    if layout.scaling == "log_return":
        low, high = middle * np.exp(reach)
    else:
        low, high = middle + reach * layout.scale
    frame = _forecast_frame(data, known, horizon)
    frame["forecast"] = middle.ravel()
    frame["low"] = low.ravel()
    frame["high"] = high.ravel()
    return frame


def score(
    model: Package,
    table: Table,
    false_alarms: float = 0.01,
    figure: str | Path | None = None,
) -> pd.DataFrame:
    """The reconstruction error of each window of the table (`reconstruct`), and whether it alarms.

    Parameters
    ----------
    false_alarms
        The share of windows like those of the validation split that are alarms: an error is one if
        its p-value is at most this (conformal p-values, Bates et al. 2023).
    figure
        A .png file where the alarms are drawn.

    Returns
    -------
    pd.DataFrame
        A row a window: its series, the times of its first and last step, `error` (mean square, of
        values scaled as the model reads them), `p_value`, `alarm`. `attrs["threshold"]` of the
        frame is the error above which a window is an alarm.

    Raises
    ------
    InputError
        There are too few validation windows for so few false alarms.
    """
    threshold = model.calibration.threshold(false_alarms)
    if figure is not None and Path(figure).suffix.lower() != ".png":
        raise InputError(f"{figure}: found the suffix {Path(figure).suffix!r}; give a .png file")
    data = read_new_data(model, table)
    answers = compute_answers(model.model, data.windows.sequences, model.device)
    errors = window_errors(data.windows.sequences.astype(np.float64), answers.reconstruction)
    frame = windows_frame(data)
    frame["error"] = errors
    frame["p_value"] = model.calibration.p_values(errors)
    frame["alarm"] = errors > threshold
    frame.attrs["threshold"] = threshold
    if figure is not None:
        with needs_extra("study"):
            from lstm_ae.use.alarms import draw_alarms

        draw_alarms(
            data,
            answers.reconstruction,
            frame,
            false_alarms,
            Path(figure),
        )
    return frame


def export(model: Package, path: str | Path) -> None:
    """Write the model as ONNX.

    It maps `sequences` (B, T, m), scaled, to reconstruction, code and what else the model answers.
    The metadata `layout` of the file says in JSON how values are scaled.
    """
    with needs_extra("onnx"):
        from lstm_ae.use import onnx

    metadata = {"layout": json.dumps(asdict(model.layout)), "section": model.about["section"]}
    onnx.export(model.model, Path(path), metadata)


def _interval(
    model: Package,
    horizon: int | None,
    level: float,
) -> np.ndarray:
    """The ends (2, horizon, m) of the intervals of a level."""
    if model.calibration.ends is None:
        raise InputError(
            f"model {model.about['section']} was trained without a next step to predict, so it "
            "cannot forecast; use one trained with data.predict: true, such as models/snp_forecast"
        )
    ends = model.calibration.interval(level)
    furthest = ends.shape[1]
    if not furthest:
        raise InputError(
            f"level: found {level:g}; validation is too short to tell such intervals, so give a "
            "lower one"
        )
    if horizon is None:
        return ends
    if not 1 <= horizon <= furthest:
        raise InputError(
            f"horizon: found {horizon}; give 1 to {furthest}, which is as far as validation tells "
            f"intervals of {level:.0%}"
        )
    return ends[:, :horizon]


def _up_to_last_windows(data: NewData) -> list[Series]:
    """The series that have a window, each up to the end of its last one."""
    known = []
    for series, first_rows in zip(data.series, data.first_rows, strict=True):
        if not first_rows:
            continue
        end = first_rows[-1] + data.layout.window
        if end < len(series):
            name = f"series {series.name}: " if series.name else ""
            log.warning(
                "%sthe forecast goes on after %s, since the rows after it lie in no window",
                name,
                time_label(series.times[end - 1]),
            )
        until = slice(end)
        known.append(replace(series, times=series.times[until], values=series.values[until]))
    return known


def _forecast_frame(
    data: NewData,
    known: list[Series],
    horizon: int,
) -> pd.DataFrame:
    """Series, time, step and column of each forecast."""
    layout = data.layout
    count, variables = len(known), layout.variables
    times = [following_times(series.times, horizon) for series in known]
    steps = np.repeat(np.arange(1, horizon + 1), len(variables))
    columns: dict[str, Any] = {}
    if data.named:
        names = np.array([series.name for series in known], object)
        columns[written_name(layout.series, SERIES)] = names.repeat(horizon * len(variables))
    time = written_name(layout.time, _time_name(layout))
    columns[time] = data.form.written(np.concatenate(times).repeat(len(variables)))
    columns["step"] = np.tile(steps, count)
    if layout.columns_are == "variables":
        columns["column"] = np.tile(variables, count * horizon)
    return pd.DataFrame(columns)


def _time_name(layout: Layout) -> str:
    return "time" if layout.time else "row"
