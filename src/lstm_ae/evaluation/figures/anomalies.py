"""Alarms: what a model reconstructs worse than it should."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import matplotlib.ticker as mticker
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lstm_ae.evaluation.figures.style import (
    FOURTH,
    MODEL,
    ORIGINAL,
    SECOND,
    Array,
    date_axis,
    legend_below,
    plain,
    plain_log,
    plain_numbers,
    titled,
)


@dataclass(frozen=True)
class AlarmPanel:
    """One variable of one series of L steps that n windows cover.

    Parameters
    ----------
    series, column
        The names of the series and of the variable.
    times
        (L,) datetime64, or numbers.
    values, reconstruction
        (L,), of the variable.
    steps
        (L,), the error of each step over all variables.
    ends
        (n, 2), the times of the first and the last step of each window.
    errors
        (n,), the error of each window over all variables.
    alarm
        (n,), whether a window is an alarm.
    """

    series: str
    column: str
    times: NDArray[Any]
    values: Array
    reconstruction: Array
    steps: Array
    ends: NDArray[Any]
    errors: Array
    alarm: NDArray[np.bool_]


def alarms(
    panels: Sequence[AlarmPanel],
    threshold: float,
    title: str,
) -> Figure:
    """Draw series with their alarms shaded, each above the errors of its windows.

    Parameters
    ----------
    panels
        The series.
    threshold
        The error above which a window is an alarm.
    title
        The finding.
    """
    figure = plt.figure(figsize=(8.0, 2.5 * len(panels) + 0.8))
    rows = figure.subplots(2 * len(panels), 1, height_ratios=(5, 3) * len(panels))
    for panel, above, below in zip(panels, rows[::2], rows[1::2], strict=True):
        _draw_series(above, panel)
        _draw_errors(below, panel, threshold)
        below.set_xlim(above.get_xlim())
        if np.issubdtype(panel.times.dtype, np.datetime64):
            date_axis(below)
    series_lines, _ = above.get_legend_handles_labels()
    error_lines, _ = below.get_legend_handles_labels()
    figure.legend(
        handles=[*series_lines, *error_lines],
        loc="outside lower center",
        ncols=6,
        columnspacing=1.2,
        handlelength=1.6,
    )
    figure.align_ylabels(rows)
    return titled(figure, title)


def _draw_series(axes: Axes, panel: AlarmPanel) -> None:
    """Draw a series and its reconstruction, with the windows that are alarms shaded."""
    for start, end in panel.ends[panel.alarm]:
        axes.axvspan(
            start,
            end,
            color=MODEL,
            alpha=0.25,
            linewidth=0,
        )
    axes.plot(panel.times, panel.values, color=ORIGINAL, label="data")
    axes.plot(
        panel.times,
        panel.reconstruction,
        color=SECOND,
        linestyle="--",
        linewidth=1.0,
        label="reconstruction",
    )
    axes.set_ylabel(plain(panel.column))
    if panel.series != panel.column:
        axes.set_title(plain(panel.series))
    axes.tick_params(labelbottom=False)


def _draw_errors(
    axes: Axes,
    panel: AlarmPanel,
    threshold: float,
) -> None:
    """Draw the errors of steps and of windows, and the threshold of an alarm."""
    axes.plot(
        panel.times,
        panel.steps,
        color=FOURTH,
        linewidth=0.6,
        label="error of a step",
    )
    quiet = ~panel.alarm
    _draw_windows(
        axes,
        panel,
        quiet,
        color=ORIGINAL,
        linewidth=2.0,
        label="of a window",
    )
    _draw_windows(
        axes,
        panel,
        panel.alarm,
        color=MODEL,
        linewidth=4.0,
        label="that is an alarm",
    )
    axes.axhline(
        threshold,
        color=MODEL,
        linestyle="--",
        linewidth=1.0,
        label="threshold of an alarm",
    )
    lowest = min(panel.errors.min(), threshold) / 5
    highest = 1.5 * max(panel.steps.max(), threshold)
    axes.set(
        yscale="log",
        ylabel="error",
        ylim=(lowest, highest),
    )
    axes.yaxis.set_major_locator(mticker.LogLocator(numticks=4))
    axes.yaxis.set_major_formatter(plain_numbers())
    axes.yaxis.set_minor_formatter(mticker.NullFormatter())


def _draw_windows(axes: Axes, panel: AlarmPanel, windows: NDArray[np.bool_], **look: Any) -> None:
    """Draw the error of some windows as a line over the steps of each."""
    starts, ends = panel.ends[windows].T
    axes.hlines(panel.errors[windows], starts, ends, **look)


def row_alarms(
    errors: Array,
    alarm: NDArray[np.bool_],
    threshold: float,
    shown: Mapping[str, tuple[Array, Array]],
    title: str,
) -> Figure:
    """Draw the error of each row with its alarms above some rows and their reconstructions.

    Parameters
    ----------
    errors, alarm
        (n,), the error of each row, and whether it is an alarm.
    threshold
        The error above which a row is an alarm.
    shown
        Rows and their reconstructions by name.
    title
        The finding.
    """
    figure = plt.figure(figsize=(8.0, 4.4))
    above, below = figure.subfigures(2, 1).flat  # type: ignore[union-attr]
    _draw_row_errors(above.subplots(), errors, alarm, threshold)
    grid = below.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, (name, (original, reconstruction)) in zip(grid, shown.items(), strict=True):
        axes.plot(original, color=ORIGINAL, label="data")
        axes.plot(
            reconstruction,
            color=SECOND,
            linestyle="--",
            label="reconstruction",
        )
        axes.set(xlabel="value of the row", title=plain(name))
    legend_below(figure, grid[-1], columns=2)
    return titled(figure, title)


def _draw_row_errors(
    axes: Axes,
    errors: Array,
    alarm: NDArray[np.bool_],
    threshold: float,
) -> None:
    """Draw the error of each row, and the threshold of an alarm."""
    row = np.arange(1, len(errors) + 1)
    axes.plot(
        row[~alarm],
        errors[~alarm],
        ".",
        color=ORIGINAL,
        markersize=3,
        label="no alarm",
    )
    axes.plot(
        row[alarm],
        errors[alarm],
        "D",
        color=MODEL,
        markersize=4,
        label="alarm",
    )
    axes.axhline(
        threshold,
        color=FOURTH,
        linestyle="--",
        label="threshold",
    )
    axes.set(
        xlabel="row",
        ylabel="error",
        yscale="log",
    )
    plain_log(axes)
    axes.legend(loc="upper right")
