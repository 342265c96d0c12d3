"""Windows of a table, in its units."""

import textwrap
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
    LOOKS,
    Array,
    date_axis,
    legend_below,
    plain,
    titled,
)

MOST_VARIABLES = 4  # of a figure


@dataclass(frozen=True)
class WindowPanel:
    """One window in the units of its table.

    Parameters
    ----------
    title
        What the window is.
    times
        (T,) datetime64, or numbers.
    lines
        (T, variables) by what they are, such as "original".
    """

    title: str
    times: NDArray[Any]
    lines: Mapping[str, Array]


def table_windows(
    panels: Sequence[WindowPanel],
    variables: Sequence[str],
    border: int | None,
    title: str,
) -> Figure:
    """Draw windows of a table: a column a window, a row a variable, at most four.

    Parameters
    ----------
    panels
        The windows. Their lines come in the same order and look alike.
    variables
        The names of the variables.
    border
        The step at which a vertical line stands, where there is one.
    title
        The finding.
    """
    shown = variables[:MOST_VARIABLES]
    figure, grid = plt.subplots(
        len(shown),
        len(panels),
        figsize=(8.0, 1.5 * len(shown) + 1.6),
        sharex="col",
        sharey="row",
        squeeze=False,
    )
    for column, panel in enumerate(panels):
        for row in range(len(shown)):
            _draw_variable(grid[row, column], panel, row, border)
        grid[0, column].set_title(plain(panel.title))
        _mark_times(grid[-1, column], panel.times)
    for row, name in enumerate(shown):
        grid[row, 0].set_ylabel(plain(textwrap.shorten(name, 24, placeholder="..")))
    figure.align_ylabels(grid[:, 0])
    legend_below(figure, grid[0, 0], columns=3)
    if len(variables) > len(shown):
        title += f"; the first {len(shown)} of {len(variables)} columns"
    return titled(figure, title)


def _draw_variable(
    axes: Axes,
    panel: WindowPanel,
    variable: int,
    border: int | None,
) -> None:
    for look, (name, values) in zip(LOOKS, panel.lines.items(), strict=False):
        width = 1.6 if look["linestyle"] == ":" else None  # dots need more ink
        axes.plot(
            panel.times,
            values[:, variable],
            label=name,
            linewidth=width,
            **look,
        )
    if border is not None:
        axes.axvline(panel.times[border], color=FOURTH, linewidth=0.8)


def _mark_times(axes: Axes, times: NDArray[Any]) -> None:
    if np.issubdtype(times.dtype, np.datetime64):
        date_axis(axes, minticks=2, maxticks=4)
    else:
        axes.xaxis.set_major_locator(mticker.MaxNLocator(4))
