"""What training learnt, epoch by epoch."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from lstm_ae.evaluation.figures.style import LOOKS, plain_log, titled, whole_numbers

MARKERS = ("o", "s", "^", "v")  # of short curves, one for each of LOOKS


def learning_curves(
    panels: Mapping[str, Mapping[str, pd.Series]],
    title: str,
    logarithmic: Sequence[str] = (),
    note: str | None = None,
) -> Figure:
    """Draw curves by epoch, a panel a measure.

    Parameters
    ----------
    panels
        By the name of the axis: curves by name, each indexed by epoch.
    logarithmic
        The panels whose axis is logarithmic.
    note
        What must be said of the data, below the title.
    """
    width = min(max(3.75 * len(panels), 5.0), 9.0)
    figure, grid = plt.subplots(
        1,
        len(panels),
        figsize=(width, 3.2),
        squeeze=False,
    )
    for axes, (measure, curves) in zip(grid[0], panels.items(), strict=True):
        looks = zip(curves.items(), LOOKS, MARKERS, strict=False)
        for (name, curve), look, marker in looks:
            short = len(curve) < 20
            axes.plot(
                curve.index,
                curve,
                marker=marker if short else None,
                markersize=3,
                label=name,
                **look,
            )
        axes.set(xlabel="epoch", ylabel=measure)
        whole_numbers(axes)
        if measure in logarithmic:
            axes.set_yscale("log")
            plain_log(axes)
        axes.legend()
    return titled(figure, title, note)


def comparison(
    curves: Mapping[str, pd.Series],
    measure: str,
    logarithmic: bool,
) -> Figure:
    """Draw a measure of several models by epoch, titled by the best value of each.

    Parameters
    ----------
    curves
        By the name of the model, each indexed by epoch.
    measure
        The name of the axis: an accuracy, of which the highest is best, or a loss.
    logarithmic
        Whether the axis is logarithmic.
    """
    best = []
    for name, curve in curves.items():
        value = curve.max() if "accuracy" in measure else curve.min()
        best.append(f"{name} {value:.4g}")
    title = f"Best {measure}: {'; '.join(best)}"
    return learning_curves({measure: curves}, title, [measure] if logarithmic else [])
