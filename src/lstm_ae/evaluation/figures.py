"""A figure from arrays. Each is written under 100 KB, with the same bytes for the same arrays."""

import io
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib

matplotlib.use("Agg")

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import matplotlib.ticker as mticker
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from lstm_ae.core.files import replacing

Array = NDArray[np.float64]

# Okabe and Ito's colours, in an order whose lightness differs, each with a line style of its own.
ORIGINAL, MODEL, SECOND, THIRD, FOURTH, FIFTH = (
    "#000000",
    "#D55E00",
    "#0072B2",
    "#009E73",
    "#999999",
    "#CC79A7",
)
STYLE: dict[str, object] = {
    "figure.dpi": 100,
    "savefig.dpi": 100,
    "font.size": 9,
    "axes.titlesize": 9,
    "figure.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "lstm-ae",
    "axes.formatter.useoffset": False,
    "lines.linewidth": 1.2,
}
plt.rcParams.update(STYLE)  # type: ignore[arg-type]


def save(figure: Figure, path: Path) -> None:
    """Write a PNG of 256 colours without metadata and close the figure."""
    rendered = io.BytesIO()
    figure.savefig(rendered, format="png")
    plt.close(figure)
    with replacing(path) as temporary:
        image = Image.open(rendered).convert("RGB").quantize(256, dither=Image.Dither.NONE)
        image.save(temporary, format="png", optimize=True)


def save_vector(figure: Figure, path: Path) -> None:
    """Write an SVG without background and close the figure. Its title becomes that of the file, which stands in no drawing."""
    title = " ".join(figure.get_suptitle().replace(r"\$", "$").split())
    figure.suptitle("")
    with replacing(path) as temporary:
        metadata = {"Title": title, "Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(temporary, format="svg", transparent=True, metadata=metadata)
    plt.close(figure)


def titled(figure: Figure, title: str, note: str | None = None) -> Figure:
    width = int(figure.get_figwidth() * 11)  # characters that fit a line
    lines = textwrap.wrap(title, width) + ([note] if note else [])
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontweight="bold")
    return figure


def plain(name: str) -> str:
    """A name that data bring, as it is: between two $ matplotlib would read a formula."""
    return name.replace("$", r"\$")


def toy_examples(examples: Mapping[str, Array], sample: Array, centres: Array) -> Figure:
    """Examples of each split (n, T), and a sample of sequences (N, T) sorted by the centre of their dip."""
    figure = plt.figure(figsize=(7.5, 4.6))
    grid = figure.add_gridspec(3, 2, width_ratios=(3, 2))
    for row, (name, sequences) in enumerate(examples.items()):
        axes = figure.add_subplot(grid[row, 0])
        for i, (sequence, colour) in enumerate(zip(sequences, (ORIGINAL, MODEL), strict=False)):
            axes.plot(sequence, color=colour, linestyle=("-", "--")[i])
        axes.set(ylim=(0, 1), ylabel="value", title=name)
        axes.tick_params(labelbottom=row == len(examples) - 1)
    axes.set_xlabel("step")
    axes = figure.add_subplot(grid[:, 1])
    image = axes.imshow(
        sample[np.argsort(centres, kind="stable")],
        aspect="auto",
        cmap="Greys_r",
        vmin=0,
        vmax=1,
        interpolation="nearest",
    )
    axes.set(
        xlabel="step",
        ylabel=f"{len(sample)} test sequences, sorted by dip",
        title="what distinguishes them",
    )
    figure.colorbar(image, ax=axes, label="value", shrink=0.8)
    return titled(
        figure, "The splits are drawn alike; a sequence is its noise and the place of its dip"
    )


def sequence_reconstructions(groups: Mapping[str, tuple[Array, Array]], title: str) -> Figure:
    """Original and reconstruction (n, T) of each group, a row a group."""
    columns = max(len(originals) for originals, _ in groups.values())
    figure, grid = plt.subplots(
        len(groups),
        columns,
        figsize=(7.5, 1.9 * len(groups) + 0.6),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for axes_row, (name, (originals, reconstructions)) in zip(grid, groups.items(), strict=True):
        for i, (axes, original, reconstruction) in enumerate(
            zip(axes_row, originals, reconstructions, strict=True)
        ):
            axes.plot(original, color=ORIGINAL, label="original")
            axes.plot(reconstruction, color=MODEL, linestyle="--", label="reconstruction")
            axes.set_title(f"{name} {i + 1}, MSE {np.square(original - reconstruction).mean():.4f}")
        axes_row[0].set_ylabel("value")
    for axes in grid[-1]:
        axes.set_xlabel("step")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return titled(figure, title)


def digits(originals: Array, reconstructions: Array, title: str) -> Figure:
    """Images (n, 28, 28) in [0, 1] over their reconstructions and the error."""
    figure, grid = plt.subplots(3, len(originals), figsize=(7.5, 2.8))
    rows = (
        (originals, "Greys", (0, 1)),
        (reconstructions, "Greys", (0, 1)),
        (reconstructions - originals, "RdBu_r", (-1, 1)),
    )
    for axes_row, (images, colours, (low, high)), label in zip(
        grid, rows, ("original", "reconstruction", "difference"), strict=True
    ):
        for axes, image in zip(axes_row, images, strict=True):
            axes.imshow(image, cmap=colours, vmin=low, vmax=high)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        axes_row[0].set_ylabel(label, rotation=0, ha="right", va="center")
    return titled(figure, title)


def learning_curves(
    panels: Mapping[str, Mapping[str, pd.Series]],
    title: str,
    logarithmic: Sequence[str] = (),
    note: str | None = None,
) -> Figure:
    """Curves by epoch, a panel a measure: {axis name: {curve name: series indexed by epoch}}."""
    figure, grid = plt.subplots(
        1, len(panels), figsize=(max(3.75 * len(panels), 5.0), 3.2), squeeze=False
    )
    looks = ((ORIGINAL, "-", "o"), (MODEL, "--", "s"), (SECOND, ":", "^"), (THIRD, "-.", "v"))
    for axes, (measure, curves) in zip(grid[0], panels.items(), strict=True):
        for (name, series), (colour, line, marker) in zip(curves.items(), looks, strict=False):
            axes.plot(
                series.index,
                series,
                color=colour,
                linestyle=line,
                marker=marker if len(series) < 20 else None,
                markersize=3,
                label=name,
            )
        axes.set(xlabel="epoch", ylabel=measure)
        axes.xaxis.get_major_locator().set_params(integer=True)
        if measure in logarithmic:
            axes.set_yscale("log")
            plain_log(axes)
        axes.legend()
    return titled(figure, title, note)


def search(
    trials: pd.DataFrame, importances: pd.DataFrame, ranges: Mapping[str, Sequence[float]]
) -> Figure:
    """The history of a search, the importance of each parameter, and the loss over each parameter's range."""
    figure = plt.figure(figsize=(8.0, 5.2))
    above, below = figure.subfigures(2, 1).flat  # type: ignore[union-attr]
    complete, pruned = trials[trials["state"] == "complete"], trials[trials["state"] == "pruned"]
    looks = ((complete, ORIGINAL, "o", "complete"), (pruned, FOURTH, "x", "pruned"))
    history, importance = above.subplots(1, 2, width_ratios=(3, 2))
    for rows, colour, marker, label in looks:
        if len(rows):
            history.plot(
                rows["trial"], rows["loss"], marker, color=colour, markersize=4, label=label
            )
    history.step(
        complete["trial"], complete["loss"].cummin(), where="post", color=MODEL, label="best so far"
    )
    history.set(xlabel="trial", ylabel="validation loss", yscale="log", title="history")
    history.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(*history.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    importance.barh(importances["parameter"][::-1], importances["importance"][::-1], color=SECOND)
    importance.set(
        xlabel="share of the variance of the loss", title="importance (fANOVA)", xlim=(0, 1)
    )
    panels = below.subplots(1, len(ranges), sharey=True)
    for axes, (name, (low, high)) in zip(panels, ranges.items(), strict=True):
        for rows, colour, marker, _ in looks:
            axes.plot(rows[name], rows["loss"], marker, color=colour, markersize=4)
        logarithmic = name in ("lr", "gradient_clip")
        axes.set(xlabel=name, yscale="log", xscale="log" if logarithmic else "linear")
        axes.set_xlim(
            (low / 1.3, high * 1.3)
            if logarithmic
            else (low - 0.05 * (high - low), high + 0.05 * (high - low))
        )
        if name == "layers":
            axes.xaxis.get_major_locator().set_params(integer=True)
        axes.xaxis.set_minor_formatter(mticker.NullFormatter())
    panels[0].set_ylabel("validation loss")
    for axes in (history, panels[0]):
        plain_log(axes)
    best = complete.sort_values("loss", kind="stable").iloc[0]
    return titled(
        figure,
        f"The best of {len(trials)} trials: hidden size {best['hidden_size']:.0f}, lr {best['lr']:.2g}, "
        f"clip {best['gradient_clip']:.2g}, layers {best['layers']:.0f}",
    )


def plain_log(axes: Axes) -> None:
    """Numbers as people read them on a logarithmic y axis."""
    axes.yaxis.set_major_locator(mticker.LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(mticker.FuncFormatter(lambda value, _: f"{value:.4g}"))
    axes.yaxis.set_minor_formatter(mticker.NullFormatter())
    low, high = axes.get_ylim()
    if high < 5 * low:  # too narrow for 1, 2, 5
        axes.yaxis.set_major_locator(mticker.MaxNLocator(5))


def _date_axis(axes: Axes) -> None:
    locator = mdates.AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))


def prices(
    days: Sequence[str], series: Mapping[str, Array], column: str, note: str | None
) -> Figure:
    """Daily prices in dollars over dates."""
    figure, axes = plt.subplots(figsize=(7.5, 3.4))
    dates = pd.to_datetime(list(days))
    for (symbol, values), colour, line in zip(
        series.items(), (ORIGINAL, MODEL, SECOND), ("-", "--", ":"), strict=False
    ):
        axes.plot(dates, values, color=colour, linestyle=line, label=plain(symbol))
    axes.set(ylabel=f"daily {column}, dollars")
    _date_axis(axes)
    axes.legend(loc="upper left")
    growth = ", ".join(
        f"{plain(symbol)} {values[-1] / values[0]:.1f}-fold" for symbol, values in series.items()
    )
    return titled(figure, f"From {days[0]} to {days[-1]}: {growth}", note)


def stock_reconstructions(
    days: Sequence[str],
    series: Mapping[str, tuple[Array, Array]],
    window: int,
    title: str,
    note: str | None,
) -> Figure:
    """Original over reconstruction in dollars and dates, a panel a stock."""
    figure, grid = plt.subplots(
        len(series), 1, figsize=(7.5, 1.9 * len(series) + 0.8), sharex=True, squeeze=False
    )
    dates = pd.to_datetime(list(days))
    for axes, (symbol, (original, reconstruction)) in zip(grid[:, 0], series.items(), strict=True):
        axes.plot(dates, original, color=ORIGINAL, label="original")
        axes.plot(
            dates,
            reconstruction,
            color=MODEL,
            linestyle="--",
            label=f"reconstruction, window by window of {window} days",
        )
        axes.set(
            ylabel="dollars",
            title=f"{plain(symbol)}, off by {np.abs(reconstruction / original - 1).mean():.2%} on average",
        )
    _date_axis(grid[-1, 0])
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return titled(figure, title, note)


class ForecastPanel(NamedTuple):
    """One stock in dollars; the forecasts cover the days after those fed."""

    days: Sequence[str]
    truth: Array
    one_step: Array
    interval: tuple[Array, Array]  # of one_step, low and high
    multi_step: Array
    fed: int


def forecasts(panels: Mapping[str, ForecastPanel], title: str, note: str | None) -> Figure:
    """Truth, one-step forecast with its 90 % interval and multi-step forecast in dollars, a panel a stock."""
    figure, grid = plt.subplots(
        len(panels), 1, figsize=(7.5, 1.9 * len(panels) + 0.8), sharex=True, squeeze=False
    )
    for axes, (symbol, panel) in zip(grid[:, 0], panels.items(), strict=True):
        dates, fed = pd.to_datetime(list(panel.days)), panel.fed
        axes.fill_between(
            dates[fed:],
            *panel.interval,
            color=SECOND,
            alpha=0.2,
            linewidth=0,
            label="its 90 % interval",
        )
        axes.plot(dates, panel.truth, color=ORIGINAL, label="truth")
        axes.plot(
            dates[fed:],
            panel.one_step,
            color=SECOND,
            linestyle=":",
            linewidth=1.6,
            label="one step ahead",
        )
        axes.plot(
            dates[fed:],
            panel.multi_step,
            color=MODEL,
            linestyle="--",
            label="multi-step, fed its own predictions",
        )
        axes.axvline(dates[fed - 1], color=FOURTH, linewidth=0.8)
        axes.set(ylabel="dollars", title=plain(symbol))
    _date_axis(grid[-1, 0])
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return titled(figure, title, note)


class WindowPanel(NamedTuple):
    """One window in the units of its table: a name, its T steps, arrays (T, variables) by what they are."""

    title: str
    times: NDArray[Any]  # (T,) datetime64, or numbers
    lines: Mapping[str, Array]


MOST_VARIABLES = 4  # of a figure


def table_windows(
    panels: Sequence[WindowPanel], variables: Sequence[str], border: int | None, title: str
) -> Figure:
    """Windows in the units of their table: a column a window, a row a variable, at most four; lines of the same name look alike. A line
    stands at step `border`.
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
    looks: tuple[dict[str, Any], ...] = (
        {"color": ORIGINAL},
        {"color": MODEL, "linestyle": "--"},
        {"color": SECOND, "linestyle": ":", "linewidth": 1.6},
    )
    for c, panel in enumerate(panels):
        for r, name in enumerate(shown):
            axes = grid[r, c]
            for look, (line, values) in zip(looks, panel.lines.items(), strict=False):
                axes.plot(panel.times, values[:, r], label=line, **look)
            if border is not None:
                axes.axvline(panel.times[border], color=FOURTH, linewidth=0.8)
            if c == 0:
                axes.set_ylabel(plain(textwrap.shorten(name, 24, placeholder="..")))
        grid[0, c].set_title(plain(panel.title))
        if np.issubdtype(panel.times.dtype, np.datetime64):
            locator = mdates.AutoDateLocator(minticks=2, maxticks=4)
            grid[-1, c].xaxis.set_major_locator(locator)
            grid[-1, c].xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
        else:
            grid[-1, c].xaxis.set_major_locator(mticker.MaxNLocator(4))
    figure.align_ylabels(grid[:, 0])
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    more = (
        f"; the first {len(shown)} of {len(variables)} columns"
        if len(variables) > len(shown)
        else ""
    )
    return titled(figure, title + more)


def error_by_horizon(
    errors: Mapping[str, Array],
    single: Mapping[str, float],
    title: str,
    note: str | None,
    unit: str = "day",
    measure: str = "RMSE of the log high, per cent",
) -> Figure:
    """Root mean square error of multi-step forecasts by horizon, and their skill over persistence; the one-step errors stand at 1.

    Parameters
    ----------
    errors, single
        By forecaster: at each horizon, and one step ahead.
    unit
        Of the horizon.
    measure
        The axis of the errors.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.0, 3.8))
    looks: dict[str, tuple[str, Any]] = {
        "model": (MODEL, "-"),
        "persistence": (ORIGINAL, "--"),
        "drift": (FOURTH, "-."),
        "least squares": (SECOND, ":"),
        "least squares within days": (THIRD, (0, (5, 1))),
        "mean return": (FIFTH, (0, (1, 2))),
    }
    for name, values in errors.items():
        colour, line = looks[name]
        horizon = np.arange(1, len(values) + 1)
        left.plot(horizon, values, color=colour, linestyle=line, label=name)
        left.plot(1, single[name], marker="o", color=colour, fillstyle="none", linestyle="none")
        right.plot(
            horizon, 1 - np.square(values / errors["persistence"]), color=colour, linestyle=line
        )
    left.plot(
        [], [], "o", color=FOURTH, fillstyle="none", label=f"one step ahead, all {unit}s of test"
    )
    left.set(xlabel=f"horizon, {unit}s", ylabel=measure, title="lines: multi-step, fed back")
    right.set(
        xlabel=f"horizon, {unit}s",
        ylabel="skill over persistence",
        title="below the dashed line there is none",
    )
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return titled(figure, title, note)


class AlarmPanel(NamedTuple):
    """One variable of one series of L steps, its reconstruction, and the errors of the steps and of the n windows over all variables."""

    series: str
    column: str
    times: NDArray[Any]  # (L,)
    values: Array  # (L,)
    reconstruction: Array  # (L,)
    steps: Array  # (L,)
    ends: NDArray[Any]  # (n, 2): times of the first and last step of each window
    errors: Array  # (n,)
    alarm: NDArray[np.bool_]  # (n,)


def alarms(panels: Sequence[AlarmPanel], threshold: float, title: str) -> Figure:
    """Each series over its reconstruction, alarms shaded, above the error of its windows and the threshold of an alarm."""
    figure = plt.figure(figsize=(8.0, 2.5 * len(panels) + 0.8))
    rows = figure.subplots(2 * len(panels), 1, height_ratios=(5, 3) * len(panels))
    for panel, above, below in zip(panels, rows[::2], rows[1::2], strict=True):
        for (start, end), alarm in zip(panel.ends, panel.alarm, strict=True):
            if alarm:
                above.axvspan(start, end, color=MODEL, alpha=0.25, linewidth=0)
        above.plot(panel.times, panel.values, color=ORIGINAL, label="data")
        above.plot(
            panel.times,
            panel.reconstruction,
            color=SECOND,
            linestyle="--",
            linewidth=1.0,
            label="reconstruction",
        )
        above.set(
            ylabel=plain(panel.column),
            title=plain(panel.series) if panel.series != panel.column else "",
        )
        above.tick_params(labelbottom=False)
        below.plot(panel.times, panel.steps, color=FOURTH, linewidth=0.6, label="error of a step")
        for chosen, colour, width, label in (
            (~panel.alarm, ORIGINAL, 2.0, "of a window"),
            (panel.alarm, MODEL, 4.0, "that is an alarm"),
        ):
            below.hlines(
                panel.errors[chosen],
                *panel.ends[chosen].T,
                color=colour,
                linewidth=width,
                label=label,
            )
        below.axhline(
            threshold, color=MODEL, linestyle="--", linewidth=1.0, label="threshold of an alarm"
        )
        lowest = min(panel.errors.min(), threshold) / 5
        below.set(
            yscale="log",
            ylabel="error",
            xlim=above.get_xlim(),
            ylim=(lowest, 1.5 * max(panel.steps.max(), threshold)),
        )
        below.yaxis.set_major_locator(mticker.LogLocator(numticks=4))
        below.yaxis.set_major_formatter(mticker.FuncFormatter(lambda value, _: f"{value:.4g}"))
        below.yaxis.set_minor_formatter(mticker.NullFormatter())
        if np.issubdtype(panel.times.dtype, np.datetime64):
            _date_axis(below)
    handles = [*above.get_legend_handles_labels()[0], *below.get_legend_handles_labels()[0]]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=6, columnspacing=1.2, handlelength=1.6
    )
    figure.align_ylabels(rows)
    return titled(figure, title)


def row_alarms(
    errors: Array,
    alarm: NDArray[np.bool_],
    threshold: float,
    shown: Mapping[str, tuple[Array, Array]],
    title: str,
) -> Figure:
    """The error of each row, alarms marked, above some rows over their reconstructions."""
    figure = plt.figure(figsize=(8.0, 4.4))
    above, below = figure.subfigures(2, 1).flat  # type: ignore[union-attr]
    axes = above.subplots()
    row = np.arange(1, len(errors) + 1)
    axes.plot(row[~alarm], errors[~alarm], ".", color=ORIGINAL, markersize=3, label="no alarm")
    axes.plot(row[alarm], errors[alarm], "D", color=MODEL, markersize=4, label="alarm")
    axes.axhline(threshold, color=FOURTH, linestyle="--", label="threshold")
    axes.set(xlabel="row", ylabel="error", yscale="log")
    plain_log(axes)
    axes.legend(loc="upper right")
    grid = below.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, (name, (original, reconstruction)) in zip(grid, shown.items(), strict=True):
        axes.plot(original, color=ORIGINAL, label="data")
        axes.plot(reconstruction, color=SECOND, linestyle="--", label="reconstruction")
        axes.set(xlabel="value of the row", title=plain(name))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return titled(figure, title)
