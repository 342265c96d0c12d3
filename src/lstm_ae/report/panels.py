"""The charts of a section, from its tables and numbers."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lstm_ae.report.charts import Axis, Panel, Series

MEASURES = {
    "reconstruction": "reconstruction loss",
    "classification": "classification loss, nats",
    "prediction": "prediction loss",
    "accuracy": "accuracy",
}


def learning(curves: pd.DataFrame) -> list[Panel]:
    """A panel a measure: the losses that training lowers on a logarithmic axis, the accuracy from epoch 1."""
    panels = []
    for measure, label in MEASURES.items():
        series = []
        for split in ("train", "validation", "test"):
            column = curves.get(f"{split}/{measure}")
            if column is not None:
                known = (
                    column.dropna() if measure != "accuracy" else column[column.index > 0].dropna()
                )
                series.append(
                    Series(split, split, known.index.to_numpy(np.float64), known.to_numpy())
                )
        if series:
            panels.append(
                Panel(
                    Axis("epoch", "integer"),
                    Axis(label, "linear" if measure == "accuracy" else "log"),
                    series,
                )
            )
    return panels


def comparison(label: str, curves: Mapping[str, pd.Series]) -> Panel:
    """One measure of two sections, by the names that the legend gives them."""
    series = [
        Series(name, role, known.index.to_numpy(np.float64), known.to_numpy())
        for (name, known), role in zip(curves.items(), ("first", "second"), strict=True)
    ]
    return Panel(
        Axis("epoch", "integer"), Axis(label, "linear" if "accuracy" in label else "log"), series
    )


def horizons(
    one_step: Mapping[str, float], by_horizon: Sequence[Mapping[str, float]]
) -> list[Panel]:
    """Skill over persistence by horizon, and the error; dots at horizon 1 are the one-step forecasts."""
    horizon = [float(row["horizon"]) for row in by_horizon]
    across = Axis("steps ahead", range=(0, horizon[-1]))
    skill, dots, error = [], [], []
    for key in by_horizon[0]:
        what, _, name = key.partition("_")
        values = [row[key] for row in by_horizon]
        if what == "skill":
            role = name.replace("_", "-") or "model"
            skill.append(Series(role.replace("-", " "), role, horizon, values))
            dots.append(Series(role, role, [1], [one_step[key]], "dots"))
        elif what == "rmse":
            role = "persistence" if name.endswith("persistence") else "model"
            error.append(Series(role, role, horizon, values))
    skill.append(Series("persistence", "persistence", horizon, [0.0] * len(horizon)))
    unit = next(
        (
            key.removeprefix("rmse").replace("_", ", ")
            for key in by_horizon[0]
            if key.startswith("rmse")
        ),
        "",
    )
    panels = [Panel(across, Axis("skill over persistence"), [*skill, *dots])]
    return (
        [*panels, Panel(across, Axis(f"root mean square error{unit}"), error)] if error else panels
    )


def search(trials: pd.DataFrame) -> list[Panel]:
    """The history of a search, and its losses over each parameter."""
    complete, pruned = trials[trials["state"] == "complete"], trials[trials["state"] == "pruned"]
    groups = [
        ("complete", complete, "dots"),
        *([("pruned", pruned, "crosses")] if len(pruned) else []),
    ]

    def scattered(column: str) -> list[Series]:
        return [
            Series(name, name, rows[column].to_numpy(np.float64), rows["loss"].to_numpy(), mark)  # type: ignore[arg-type]
            for name, rows, mark in groups
        ]

    loss = Axis("validation loss", "log")
    best = Series(
        "best so far",
        "best",
        complete["trial"].to_numpy(np.float64),
        complete["loss"].cummin().to_numpy(),
        "steps",
    )
    panels = [Panel(Axis("trial", "integer"), loss, [*scattered("trial"), best])]
    for column in searched(trials):
        values = trials[column].dropna()
        whole = bool((values == values.round()).all())
        wide = not whole and values.min() > 0
        panels.append(
            Panel(
                Axis(column, "integer" if whole else "log" if wide else "linear"),
                loss,
                scattered(column),
            )
        )
    return panels


def searched(trials: pd.DataFrame) -> list[str]:
    """The parameters that a search drew."""
    return [
        str(column)
        for column in trials.columns
        if column not in ("trial", "state", "loss", "best_epoch")
    ]
