"""Stocks in dollars over dates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lstm_ae.evaluation.figures.style import (
    FOURTH,
    LOOKS,
    MODEL,
    ORIGINAL,
    SECOND,
    Array,
    date_axis,
    legend_below,
    plain,
    titled,
)


def prices(
    days: Sequence[str],
    series: Mapping[str, Array],
    column: str,
    note: str | None,
) -> Figure:
    """Draw daily prices over dates.

    Parameters
    ----------
    days
        ISO dates.
    series
        Prices in dollars by symbol.
    column
        Which price of a day it is.
    note
        What must be said of the data, below the title.
    """
    figure, axes = plt.subplots(figsize=(7.5, 3.4))
    dates = pd.to_datetime(list(days))
    growth = []
    for (symbol, values), look in zip(series.items(), LOOKS, strict=False):
        axes.plot(dates, values, label=plain(symbol), **look)
        growth.append(f"{plain(symbol)} {values[-1] / values[0]:.1f}-fold")
    axes.set(ylabel=f"daily {column}, dollars")
    date_axis(axes)
    axes.legend(loc="upper left")
    return titled(figure, f"From {days[0]} to {days[-1]}: {', '.join(growth)}", note)


def stock_reconstructions(
    days: Sequence[str],
    series: Mapping[str, tuple[Array, Array]],
    window: int,
    title: str,
    note: str | None,
) -> Figure:
    """Draw prices and their reconstructions over dates, a panel a stock.

    Parameters
    ----------
    days
        ISO dates.
    series
        Prices and reconstructions in dollars by symbol.
    window
        Days that are reconstructed at a time.
    title, note
        The finding, and what must be said of the data.
    """
    figure, rows = _stack_panels(len(series))
    dates = pd.to_datetime(list(days))
    label = f"reconstruction, window by window of {window} days"
    for axes, (symbol, (original, reconstruction)) in zip(rows, series.items(), strict=True):
        axes.plot(dates, original, color=ORIGINAL, label="original")
        axes.plot(
            dates,
            reconstruction,
            color=MODEL,
            linestyle="--",
            label=label,
        )
        error = np.abs(reconstruction / original - 1).mean()
        axes.set(
            ylabel="dollars",
            title=f"{plain(symbol)}, off by {error:.2%} on average",
        )
    date_axis(rows[-1])
    legend_below(figure, rows[0], columns=2)
    return titled(figure, title, note)


def _stack_panels(count: int) -> tuple[Figure, NDArray[Any]]:
    """Return a figure of panels that share an x axis, one below the other."""
    figure, grid = plt.subplots(
        count,
        1,
        figsize=(7.5, 1.9 * count + 0.8),
        sharex=True,
        squeeze=False,
    )
    return figure, grid[:, 0]


@dataclass(frozen=True)
class ForecastPanel:
    """One stock in dollars.

    Parameters
    ----------
    days
        ISO dates of the days fed and of those forecast.
    truth
        The price of each day.
    one_step, multi_step
        Forecasts of the days after those fed: from the day before, and from predictions alone.
    interval
        The lowest and the highest price that the interval of each one-step forecast holds.
    fed
        How many days were fed.
    """

    days: Sequence[str]
    truth: Array
    one_step: Array
    interval: tuple[Array, Array]
    multi_step: Array
    fed: int


def forecasts(
    panels: Mapping[str, ForecastPanel],
    title: str,
    note: str | None,
) -> Figure:
    """Draw the truth, the one-step forecast in its 90 % interval and the multi-step forecast.

    A panel a stock, in dollars over dates.
    """
    figure, rows = _stack_panels(len(panels))
    for axes, (symbol, panel) in zip(rows, panels.items(), strict=True):
        _draw_forecast(axes, panel)
        axes.set(ylabel="dollars", title=plain(symbol))
    date_axis(rows[-1])
    legend_below(figure, rows[0], columns=4)
    return titled(figure, title, note)


def _draw_forecast(axes: Axes, panel: ForecastPanel) -> None:
    dates = pd.to_datetime(list(panel.days)).to_numpy()
    ahead = dates[panel.fed :]
    low, high = panel.interval
    axes.fill_between(
        ahead,
        low,
        high,
        color=SECOND,
        alpha=0.2,
        linewidth=0,
        label="its 90 % interval",
    )
    axes.plot(dates, panel.truth, color=ORIGINAL, label="truth")
    axes.plot(
        ahead,
        panel.one_step,
        color=SECOND,
        linestyle=":",
        linewidth=1.6,
        label="one step ahead",
    )
    axes.plot(
        ahead,
        panel.multi_step,
        color=MODEL,
        linestyle="--",
        label="multi-step, fed its own predictions",
    )
    axes.axvline(dates[panel.fed - 1], color=FOURTH, linewidth=0.8)
