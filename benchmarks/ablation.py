"""What each part of the method buys, at equal time: docs/ablation.csv and docs/ablation.png.

python benchmarks/ablation.py

Every form trains for the same seconds on the same data, three seeds each. The seconds include the validation after each epoch, and are this
machine's, so run it with nothing beside it.
"""

import contextlib
import logging
import time
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from experiments import SEEDS, train, variant

from lstm_ae.core import paths
from lstm_ae.core.files import write_text
from lstm_ae.core.splits import load_split
from lstm_ae.evaluation import figures
from lstm_ae.evaluation.baselines import pca_reconstruction
from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.model.objectives import Metrics

TABLE, FIGURE = Path("docs/ablation.csv"), Path("docs/ablation.png")
SEQUENCES = 6000  # an epoch, so that the curves have points
SECONDS = 40.0
WHOLE = {
    "encoder": 1.0,
    "decoder": 1.0,
    "biases": 1.0,
    "heads": 1.0,
}  # rate factors of a start that needs no care
SIZES = {"toy": {"hidden_size": 49}, "mnist_rows": {"hidden_size": 192}}
COMMON: dict[str, Any] = {"gradient_clip": 1.0, "training.schedule": "constant"}
REPORT = {
    "model.code_enters": "input",
    "model.decoding": "forward",
    "model.output": "sigmoid",
    "model.initialization": "plain",
}
FORMS: dict[str, dict[str, Any]] = {
    "the original report's form": {"layers": 1, "lr": 1e-3, "training.lr_factors": WHOLE, **REPORT},
    "plain start": {
        "layers": 2,
        "lr": 1e-3,
        "training.lr_factors": WHOLE,
        "model.initialization": "plain",
    },
    "chrono start": {
        "layers": 2,
        "lr": 1e-3,
        "training.lr_factors": WHOLE,
        "model.initialization": "chrono",
    },
    "spectral start, one layer": {"layers": 1, "lr": 1e-3},
    "spectral start": {"layers": 2, "lr": 1e-3},
}
LOOKS = (
    (figures.FOURTH, ":"),
    (figures.ORIGINAL, "--"),
    (figures.THIRD, "-."),
    (figures.SECOND, "--"),
    (figures.MODEL, "-"),
)


class TimeUpError(Exception):
    """Ends a training between two epochs."""


def curve(section: str, changes: dict[str, Any], seed: int) -> list[dict[str, float]]:
    """Validation loss by seconds."""
    params = variant(section, {**COMMON, **SIZES[section], **changes, "epochs": 1000}, seed)
    points: list[dict[str, float]] = []
    begun = time.perf_counter()

    def epoch_end(_: int, __: Metrics, scores: Metrics, ___: LSTMAutoencoder | None) -> None:
        points.append({"seconds": time.perf_counter() - begun, "loss": scores["reconstruction"]})
        if points[-1]["seconds"] - points[0]["seconds"] > SECONDS:
            raise TimeUpError

    with contextlib.suppress(TimeUpError):
        train(
            params,
            section,
            load_split(paths.prepared(section), "train").thinned(SEQUENCES),
            epoch_end,
        )
    return [{**point, "seconds": point["seconds"] - points[0]["seconds"]} for point in points]


def draw(table: pd.DataFrame, floors: dict[str, float]) -> None:
    figure, grid = plt.subplots(1, len(SIZES), figsize=(8.0, 3.8))
    for axes, section in zip(grid, SIZES, strict=True):
        for form, (colour, line) in zip(FORMS, LOOKS, strict=True):
            for seed, points in table[
                (table["section"] == section) & (table["form"] == form)
            ].groupby("training_seed"):
                axes.plot(
                    points["seconds"],
                    points["loss"],
                    color=colour,
                    linestyle=line,
                    label=form if seed == 0 else None,
                )
        axes.axhline(floors[section], color=figures.ORIGINAL, linewidth=0.8)
        axes.annotate(
            "PCA", (1, floors[section]), xycoords=("axes fraction", "data"), ha="right", va="bottom"
        )
        axes.set(
            xlabel="seconds", ylabel="validation mean squared error", yscale="log", title=section
        )
        figures.plain_log(axes)
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figures.save(
        figures.titled(figure, "The memory starts at PCA; the layers above it go on from there"),
        FIGURE,
    )


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    rows = []
    for section in SIZES:
        for form, changes in FORMS.items():
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
                rows += [
                    {"section": section, "form": form, "training_seed": seed, **point}
                    for point in points
                ]
    table = pd.DataFrame(rows)
    write_text(TABLE, table.to_csv(index=False, lineterminator="\n", float_format="%.5g"))
    floors = {}
    for section in SIZES:
        known, held = (
            load_split(paths.prepared(section), name).values() for name in ("train", "validation")
        )
        code_size = (
            variant(section, {}, 0).section(section).model.code_size
            or SIZES[section]["hidden_size"]
        )
        floors[section] = float(((pca_reconstruction(known, held, code_size) - held) ** 2).mean())
    draw(table, floors)


if __name__ == "__main__":
    main()
