"""A picture of the alarms of a table."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lstm_ae.evaluation import figures
from lstm_ae.units.layout import SERIES, to_units
from lstm_ae.use.new_data import NewData, stitched

Array = NDArray[np.float64]

MOST = 4  # series or rows that are shown


def draw_alarms(
    data: NewData,
    reconstruction: Array,
    scores: pd.DataFrame,
    false_alarms: float,
    path: Path,
) -> None:
    """Draw the alarms over time of the series that have most, or the rows with the largest errors.

    Parameters
    ----------
    reconstruction
        (N, T, m), scaled as the model reads the windows.
    scores
        What `lstm_ae.score` gives.
    """
    kind = "rows" if data.rows_are_sequences else "windows"
    alarms = f"{scores['alarm'].sum()} of {len(scores)} {kind} are alarms"
    title = f"{alarms}; {false_alarms:.2%} of {kind} like those of validation would be"
    draw = _row_figure if data.rows_are_sequences else _series_figure
    figures.save(draw(data, reconstruction, scores, title), path)


def _row_figure(
    data: NewData,
    reconstruction: Array,
    scores: pd.DataFrame,
    title: str,
) -> Figure:
    errors = scores["error"].to_numpy()
    values = to_units(reconstruction, data.windows.base, data.layout)
    worst = np.argsort(-errors, kind="stable")[:MOST]
    shown = {}
    for row in worst:
        name = f"{scores[SERIES][row]}, error {errors[row]:.3g}"
        shown[name] = (data.series[row].values.ravel(), values[row].ravel())
    alarm, threshold = scores["alarm"].to_numpy(), scores.attrs["threshold"]
    return figures.row_alarms(errors, alarm, threshold, shown, title)


def _series_figure(
    data: NewData,
    reconstruction: Array,
    scores: pd.DataFrame,
    title: str,
) -> Figure:
    windows, layout = data.windows, data.layout
    errors, alarm = scores["error"].to_numpy(), scores["alarm"].to_numpy()
    values = stitched(data, to_units(reconstruction, windows.base, layout))
    squares = np.square(reconstruction - windows.sequences)
    step_errors = stitched(data, squares.mean(axis=2, keepdims=True))
    panels = []
    for place in _most_alarmed(data, errors, alarm):
        series = data.series[place]
        rows = windows.series == place
        worst_window = squares[rows][errors[rows].argmax()]
        variable = int(worst_window.mean(axis=0).argmax())
        column = series.name if layout.columns_are == "series" else layout.columns[variable]
        panels.append(
            figures.AlarmPanel(
                series=series.name,
                column=column,
                times=series.times,
                values=series.values[:, variable],
                reconstruction=values[place][:, variable],
                steps=step_errors[place][:, 0],
                ends=windows.times[rows][:, [0, -1]],
                errors=errors[rows],
                alarm=alarm[rows],
            )
        )
    return figures.alarms(panels, scores.attrs["threshold"], title)


def _most_alarmed(
    data: NewData,
    errors: Array,
    alarm: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """The places of the series with most alarms; of equals, those with the largest error first."""
    places = data.windows.series
    counts = np.bincount(places, weights=alarm, minlength=len(data.series))
    with_windows = np.unique(places)
    largest = np.array([errors[places == place].max() for place in with_windows])
    order = np.lexsort((-largest, -counts[with_windows]))
    return with_windows[order][:MOST]
