"""Toy sequences and images, beside their reconstructions."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lstm_ae.evaluation.figures.style import (
    DIFFERENCE,
    LOOKS,
    MODEL,
    ORIGINAL,
    Array,
    legend_below,
    titled,
)


def toy_examples(
    examples: Mapping[str, Array],
    sample: Array,
    centres: Array,
) -> Figure:
    """Draw examples of each split beside a sample of sequences, sorted by the dip of each.

    Parameters
    ----------
    examples
        (n, T) by split.
    sample
        (N, T).
    centres
        (N,), the step at which the dip of each sequence of the sample has its centre.
    """
    figure = plt.figure(figsize=(7.5, 4.6))
    grid = figure.add_gridspec(3, 2, width_ratios=(3, 2))
    for row, (name, sequences) in enumerate(examples.items()):
        axes = figure.add_subplot(grid[row, 0])
        for sequence, look in zip(sequences, LOOKS, strict=False):
            axes.plot(sequence, **look)
        axes.set(
            ylim=(0, 1),
            ylabel="value",
            title=name,
        )
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
    figure.colorbar(
        image,
        ax=axes,
        label="value",
        shrink=0.8,
    )
    title = "The splits are drawn alike; a sequence is its noise and the place of its dip"
    return titled(figure, title)


def sequence_reconstructions(groups: Mapping[str, tuple[Array, Array]], title: str) -> Figure:
    """Draw sequences and their reconstructions, (n, T) each, a row a group."""
    rows = len(groups)
    columns = max(len(originals) for originals, _ in groups.values())
    figure, grid = plt.subplots(
        rows,
        columns,
        figsize=(7.5, 1.9 * rows + 0.6),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for axes_row, (name, (originals, reconstructions)) in zip(grid, groups.items(), strict=True):
        pairs = zip(axes_row, originals, reconstructions, strict=True)
        for number, (axes, original, reconstruction) in enumerate(pairs, start=1):
            axes.plot(original, color=ORIGINAL, label="original")
            axes.plot(
                reconstruction,
                color=MODEL,
                linestyle="--",
                label="reconstruction",
            )
            error = np.square(original - reconstruction).mean()
            axes.set_title(f"{name} {number}, MSE {error:.4f}")
        axes_row[0].set_ylabel("value")
    for axes in grid[-1]:
        axes.set_xlabel("step")
    legend_below(figure, grid[0, 0], columns=2)
    return titled(figure, title)


def digits(
    originals: Array,
    reconstructions: Array,
    title: str,
) -> Figure:
    """Draw images (n, height, width) in [0, 1] over their reconstructions and the error."""
    figure, grid = plt.subplots(3, len(originals), figsize=(7.5, 2.8))
    _draw_images(grid[0], originals, "original", "Greys", 0)
    _draw_images(grid[1], reconstructions, "reconstruction", "Greys", 0)
    _draw_images(
        grid[2],
        reconstructions - originals,
        "difference",
        DIFFERENCE,
        -1,
    )
    return titled(figure, title)


def _draw_images(
    row: NDArray[Any],
    images: Array,
    label: str,
    colours: str | Colormap,
    lowest: float,
) -> None:
    """Draw one image on each axes of a row, from `lowest` to 1."""
    for axes, image in zip(row, images, strict=True):
        axes.imshow(
            image,
            cmap=colours,
            vmin=lowest,
            vmax=1,
        )
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    row[0].set_ylabel(
        label,
        rotation=0,
        ha="right",
        va="center",
    )
