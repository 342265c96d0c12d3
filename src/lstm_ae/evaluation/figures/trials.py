"""The search for hyperparameters."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import matplotlib.ticker as mticker
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from lstm_ae.evaluation.figures.style import (
    FOURTH,
    MODEL,
    ORIGINAL,
    SECOND,
    Look,
    legend_below,
    plain_log,
    titled,
    whole_numbers,
)

ENOUGH_TRIALS = 10  # for importances that say something
LOGARITHMIC = ("lr", "gradient_clip")  # searched by their order of magnitude
MARKS: dict[str, Look] = {
    "complete": {"color": ORIGINAL, "marker": "o"},
    "pruned": {"color": FOURTH, "marker": "x"},
}


def search(
    trials: pd.DataFrame,
    importances: pd.DataFrame,
    ranges: Mapping[str, Sequence[float]],
) -> Figure:
    """Draw the history of a search, what each hyperparameter counts for, and losses over each.

    Parameters
    ----------
    trials
        A row a trial: its number, state, loss and hyperparameters.
    importances
        The importance of each hyperparameter (fANOVA: Hutter, Hoos and Leyton-Brown, 2014), drawn
        where there are enough trials.
    ranges
        The lowest and the highest value of each hyperparameter.
    """
    figure = plt.figure(figsize=(8.0, 5.2))
    above, below = figure.subfigures(2, 1).flat  # type: ignore[union-attr]
    if len(trials) < ENOUGH_TRIALS:
        history = above.subplots()
    else:
        history, importance = above.subplots(1, 2, width_ratios=(3, 2))
        _draw_importances(importance, importances)
    _draw_history(history, trials)
    legend_below(figure, history, columns=3)
    first = _draw_ranges(below, trials, ranges)
    for axes in (history, first):
        plain_log(axes)

    complete = trials[trials["state"] == "complete"]
    best = complete.sort_values("loss", kind="stable").iloc[0]
    values = ", ".join(f"{name} {best[name]:.3g}" for name in ranges)
    return titled(figure, f"The best of {len(trials)} trials: {values}")


def _draw_importances(axes: Axes, importances: pd.DataFrame) -> None:
    from_below = importances[::-1]
    axes.barh(from_below["parameter"], from_below["importance"], color=SECOND)
    axes.set(
        xlabel="share of the variance of the loss",
        title="importance (fANOVA)",
        xlim=(0, 1),
    )


def _draw_trials(axes: Axes, trials: pd.DataFrame, column: str) -> None:
    """Draw the loss of each trial over one column, pruned trials as crosses."""
    for state, mark in MARKS.items():
        rows = trials[trials["state"] == state]
        if len(rows):
            axes.plot(
                rows[column],
                rows["loss"],
                linestyle="none",
                markersize=4,
                label=state,
                **mark,
            )


def _draw_history(axes: Axes, trials: pd.DataFrame) -> None:
    _draw_trials(axes, trials, "trial")
    complete = trials[trials["state"] == "complete"]
    best = complete["loss"].cummin()
    axes.step(
        complete["trial"],
        best,
        where="post",
        color=MODEL,
        label="best so far",
    )
    axes.set(
        xlabel="trial",
        ylabel="validation loss",
        yscale="log",
        title="history",
    )
    whole_numbers(axes)


def _draw_ranges(
    figure: SubFigure,
    trials: pd.DataFrame,
    ranges: Mapping[str, Sequence[float]],
) -> Axes:
    """Draw losses over the range of each hyperparameter; give the first axes."""
    grid = figure.subplots(1, len(ranges), sharey=True, squeeze=False)[0]
    for axes, (name, (low, high)) in zip(grid, ranges.items(), strict=True):
        _draw_trials(axes, trials, name)
        axes.set(xlabel=name, yscale="log")
        if name in LOGARITHMIC:
            axes.set_xscale("log")
            axes.set_xlim(low / 1.3, high * 1.3)
        else:
            margin = 0.05 * (high - low)
            axes.set_xlim(low - margin, high + margin)
        if name == "layers":
            whole_numbers(axes)
        axes.xaxis.set_minor_formatter(mticker.NullFormatter())
    grid[0].set_ylabel("validation loss")
    return grid[0]
