"""What each part of the method buys, at equal time: docs/ablation.csv and docs/ablation.png.

python -m benchmarks.ablation

Every form trains for the same seconds on the same data, three seeds each. The seconds include the
validation after each epoch, and are this machine's, so run it with nothing beside it. A form that
the table has already is not run again: on another machine, take the table away first.
"""

import contextlib
import logging
import time
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from benchmarks.experiments import SEEDS, train, variant
from lstm_ae.core import paths
from lstm_ae.core.files import write_text
from lstm_ae.core.splits import load_split
from lstm_ae.evaluation import figures
from lstm_ae.evaluation.baselines import pca_reconstruction
from lstm_ae.training.records import Epoch

Changes = dict[str, Any]  # of a section's block, by dotted key

TABLE = Path("docs/ablation.csv")
FIGURE = Path("docs/ablation.png")
SEQUENCES = 6000  # an epoch, so that the curves have points
SECONDS = 40.0
# Of a start that needs no care.
WITHOUT_MEMORY: Changes = {
    "training.lr_factors": {"encoder": 1.0, "decoder": 1.0, "biases": 1.0, "heads": 1.0},
    "model.lags": 0,
}
SIZES = {"toy": {"hidden_size": 44}, "mnist_rows": {"hidden_size": 208}}
COMMON: Changes = {
    "lr": 1e-3,
    "gradient_clip": 1.0,
    "training.optimizer": "adamw",
    "training.schedule": "constant",
}
FORMS: dict[str, Changes] = {
    "the original report's form": {
        "layers": 1,
        **WITHOUT_MEMORY,
        "model.code_enters": "input",
        "model.decoding": "forward",
        "model.output": "sigmoid",
        "model.initialization": "plain",
    },
    "plain start": {
        "layers": 2,
        **WITHOUT_MEMORY,
        "model.initialization": "plain",
    },
    "chrono start": {
        "layers": 2,
        **WITHOUT_MEMORY,
        "model.initialization": "chrono",
    },
    "spectral start, one layer": {"layers": 1},
    "spectral start, two layers": {"layers": 2},
    "spectral start, three layers": {"layers": 3},
    "three layers, rate 4e-3": {"layers": 3, "lr": 4e-3},
    "three layers, by Muon": {"layers": 3, "training.optimizer": "muon"},
    "three layers, by Muon, rate 4e-3": {
        "layers": 3,
        "lr": 4e-3,
        "training.optimizer": "muon",
    },
}
LOOKS = (
    (figures.FOURTH, ":"),
    (figures.ORIGINAL, "--"),
    (figures.THIRD, "-."),
    (figures.SECOND, "--"),
    (figures.SECOND, "-"),
    (figures.MODEL, "-"),
    (figures.MODEL, ":"),
    (figures.FOURTH, "-"),
    (figures.FOURTH, "-."),
)


class TimeUpError(Exception):
    """Ends a training between two epochs."""


def curve(section: str, changes: Changes, seed: int) -> list[dict[str, float]]:
    """Validation loss by seconds, which begin after the first epoch."""
    changes = {**COMMON, **SIZES[section], **changes, "epochs": 1000}
    params = variant(section, changes, seed)
    sequences = load_split(paths.prepared(section), "train").thinned(SEQUENCES)
    points: list[dict[str, float]] = []
    begun = time.perf_counter()

    def epoch_end(epoch: Epoch) -> None:
        seconds = time.perf_counter() - begun
        points.append({"seconds": seconds, "loss": epoch.validation["reconstruction"]})
        if seconds - points[0]["seconds"] > SECONDS:
            raise TimeUpError

    with contextlib.suppress(TimeUpError):
        train(params, section, sequences, epoch_end)
    first = points[0]["seconds"]
    return [{**point, "seconds": point["seconds"] - first} for point in points]


def curves_table() -> pd.DataFrame:
    """The curve of every section, form and seed: a row a point."""
    tables = [pd.read_csv(TABLE)] if TABLE.is_file() else []
    known = {form for table in tables for form in zip(table["section"], table["form"], strict=True)}
    for section in SIZES:
        for form, changes in FORMS.items():
            if (section, form) in known:
                continue
            for seed in SEEDS:
                points = curve(section, changes, seed)
                logging.info(
                    "%s, %s, seed %d: %.5f after %.0f s",
                    section,
                    form,
                    seed,
                    points[-1]["loss"],
                    points[-1]["seconds"],
                )
                labels = {"section": section, "form": form, "training_seed": seed}
                tables.append(pd.DataFrame([{**labels, **point} for point in points]))
    return pd.concat(tables, ignore_index=True)


def pca_loss(section: str) -> float:
    """The validation loss of PCA with as many numbers as the section's code."""
    prepared = paths.prepared(section)
    train_sequences = load_split(prepared, "train").values()
    validation = load_split(prepared, "validation").values()
    code_size = variant(section, {}, 0).section(section).model.code_size
    reconstruction = pca_reconstruction(
        train_sequences, validation, code_size or SIZES[section]["hidden_size"]
    )
    return float(((reconstruction - validation) ** 2).mean())


def draw(table: pd.DataFrame, pca_losses: dict[str, float]) -> None:
    """Draw every curve, a panel a section."""
    figure, grid = plt.subplots(1, len(SIZES), figsize=(8.0, 3.8))
    for axes, section in zip(grid, SIZES, strict=True):
        draw_section(axes, table[table["section"] == section])
        draw_pca(axes, pca_losses[section])
        axes.set(xlabel="seconds", ylabel="validation mean squared error")
        axes.set(yscale="log", title=section)
        figures.plain_log(axes)
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figures.titled(figure, "The memory starts at PCA; the layers above it go on from there")
    figures.save(figure, FIGURE)


def draw_section(axes: Axes, table: pd.DataFrame) -> None:
    """The curves of each form and seed; the first seed's has the label."""
    for form, (colour, line) in zip(FORMS, LOOKS, strict=True):
        for seed, points in table[table["form"] == form].groupby("training_seed"):
            axes.plot(
                points["seconds"],
                points["loss"],
                color=colour,
                linestyle=line,
                label=form if seed == 0 else None,
            )


def draw_pca(axes: Axes, loss: float) -> None:
    """A level line."""
    axes.axhline(loss, color=figures.ORIGINAL, linewidth=0.8)
    right_end = ("axes fraction", "data")
    axes.annotate("PCA", (1, loss), xycoords=right_end, ha="right", va="bottom")


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    table = curves_table()
    write_text(TABLE, table.to_csv(index=False, lineterminator="\n", float_format="%.5g"))
    draw(table, {section: pca_loss(section) for section in SIZES})


if __name__ == "__main__":
    main()
