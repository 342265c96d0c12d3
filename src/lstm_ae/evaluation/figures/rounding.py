"""What a code is worth when its numbers have few bits."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from lstm_ae.evaluation.figures.style import (
    MODEL,
    SECOND,
    Look,
    plain_log,
    titled,
    whole_numbers,
)

LOOKS: dict[str, tuple[str, Look]] = {
    "model": ("mse", {"color": MODEL, "marker": "o"}),
    "PCA": ("pca_mse", {"color": SECOND, "marker": "s", "linestyle": "--"}),
}


def error_by_bits(errors: Mapping[str, Sequence[float]], note: str | None = None) -> Figure:
    """Draw the errors of the model and of PCA by the bits of each number of a code.

    Parameters
    ----------
    errors
        `bits`, and as many `mse` and `pca_mse`.
    note
        What must be said of the data, below the title.
    """
    figure, axes = plt.subplots(figsize=(5.0, 3.2))
    for name, (measure, look) in LOOKS.items():
        axes.plot(
            errors["bits"],
            errors[measure],
            markersize=3,
            label=name,
            **look,
        )
    axes.set(xlabel="bits of each number of a code", ylabel="test MSE", yscale="log")
    whole_numbers(axes)
    plain_log(axes)
    axes.legend()
    most, error, of_pca = (errors[name][-1] for name in ("bits", "mse", "pca_mse"))
    title = f"With codes of {most} bits a number: MSE {error:.3g}, PCA {of_pca:.3g}"
    return titled(figure, title, note)
