"""How far ahead forecasts have skill."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from lstm_ae.evaluation.figures.style import (
    FIFTH,
    FOURTH,
    MODEL,
    ORIGINAL,
    SECOND,
    THIRD,
    Array,
    Look,
    legend_below,
    titled,
)

LOOKS: dict[str, Look] = {
    "model": {"color": MODEL, "linestyle": "-"},
    "persistence": {"color": ORIGINAL, "linestyle": "--"},
    "drift": {"color": FOURTH, "linestyle": "-."},
    "least squares": {"color": SECOND, "linestyle": ":"},
    "least squares within days": {"color": THIRD, "linestyle": (0, (5, 1))},
    "within 20 days": {"color": THIRD, "linestyle": (0, (1, 1))},
    "long averages": {"color": SECOND, "linestyle": (0, (3, 1, 1, 1))},
    "gradient boosting": {"color": FIFTH, "linestyle": (0, (4, 2))},
    "mean return": {"color": FIFTH, "linestyle": (0, (1, 2))},
}
ONE_STEP: Look = {"marker": "o", "fillstyle": "none", "linestyle": "none"}


def error_by_horizon(
    errors: Mapping[str, Array],
    single: Mapping[str, float],
    title: str,
    note: str | None,
    unit: str = "day",
    measure: str = "RMSE of the log high, per cent",
) -> Figure:
    """Draw the root mean square error of forecasts by horizon, and their skill over persistence.

    Parameters
    ----------
    errors
        By forecaster: the error at each horizon of forecasts that are fed their own predictions.
    single
        By forecaster: the error one step ahead; circles at horizon 1 show it and its skill.
    title, note
        The finding, and what must be said of the data.
    unit
        Of the horizon.
    measure
        The axis of the errors.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.0, 3.8))
    for name, values in errors.items():
        look = LOOKS[name]
        horizon = np.arange(1, len(values) + 1)
        left.plot(horizon, values, label=name, **look)
        left.plot(1, single[name], color=look["color"], **ONE_STEP)
        skill = 1 - np.square(values / errors["persistence"])
        right.plot(horizon, skill, **look)
        single_skill = 1 - np.square(single[name] / single["persistence"])
        right.plot(1, single_skill, color=look["color"], **ONE_STEP)
    label = f"one step ahead, all {unit}s of test"
    left.plot(
        [],
        [],
        color=FOURTH,
        label=label,
        **ONE_STEP,
    )
    left.set(
        xlabel=f"horizon, {unit}s",
        ylabel=measure,
        title="lines: fed their own predictions",
    )
    right.set(
        xlabel=f"horizon, {unit}s",
        ylabel="skill over persistence",
        title="above 0: better than persistence",
    )
    legend_below(figure, left, columns=3)
    return titled(figure, title, note)
