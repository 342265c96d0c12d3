"""What the page lets a reader try: test sequences, and the decoder's answers to a moved code."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_ae.core.splits import Split
from lstm_ae.evaluation.metrics import scored_steps, squared_error
from lstm_ae.package.answers import Answers, decode
from lstm_ae.package.package import Package

Array = NDArray[np.float64]

DIRECTIONS = 4
STEPS = np.linspace(-3, 3, 7)  # standard deviations of the codes
PER_CLASS = 2  # images of each digit
COLUMNS = 5  # of a series, the first of them
FEWEST = 2
MOST = 12
NUMBERS = 60_000  # of the decoder's answers in a section, so that a page stays small


@dataclass(frozen=True)
class View:
    """How a person reads sequences of a data set.

    Parameters
    ----------
    columns
        The names of the m variables.
    unit
        Of their values; "" where there is none.
    label
        The name of a row.
    real
        Values (n, T, m) of one row, in that unit.
    dates
        The ISO dates of a row's T steps. None: the steps are no days.
    """

    columns: list[str]
    unit: str
    label: Callable[[int], str]
    real: Callable[[Array, int], Array] = lambda values, row: values
    dates: Callable[[int], list[str]] | None = None


def explore(
    package: Package,
    test: Split,
    answers: Answers,
    view: View,
) -> dict[str, Any]:
    """Some test sequences and the model's answers to them, as plain numbers and text.

    Returns
    -------
    dict
        `shape`: height and width of images, or None for series. `columns`: of a series, at most
        `COLUMNS`; `unit` of its values. `steps`: how far a code is moved, in standard deviations;
        `variance`: the share of the codes' variance along each direction. `items`, each with
        `label`, `mse` (on the scale of the prepared data), `dates` of its steps or None, `answer`
        of a class head or None, `original` and `reconstruction` (T, m), and `moved` (directions,
        steps, T, m): what the decoder answers to the item's code moved along the principal
        directions of the codes of `test`. Images are base64 of uint8, series are lists.
    """
    rows = shown_rows(test)
    scale, directions, variance = principal_directions(answers.codes, DIRECTIONS)
    moves = STEPS[:, None] * (scale[:, None] * directions)[:, None]
    moved_codes = answers.codes[rows][:, None, None] + moves
    moved = decode(package.model, moved_codes, package.device)
    truth = test.values()
    scored = scored_steps(test)

    def packed(values: Array, row: int) -> Any:
        sequences = values.reshape(-1, *truth.shape[1:])
        real = view.real(sequences, row).reshape(values.shape)
        return as_numbers(real[..., :COLUMNS]) if test.image_shape is None else as_bytes(real)

    items = []
    for row, moved_sequences in zip(rows, moved, strict=True):
        reconstruction = answers.reconstruction[row]
        probabilities = answers.probabilities
        items.append(
            {
                "label": view.label(row),
                "mse": squared_error(reconstruction, truth[row], scored[row]),
                "dates": view.dates(row) if view.dates else None,
                "answer": None if probabilities is None else class_answer(probabilities[row]),
                "original": packed(truth[row], row),
                "reconstruction": packed(reconstruction, row),
                "moved": packed(moved_sequences, row),
            }
        )
    return {
        "shape": None if test.image_shape is None else test.image_shape.tolist(),
        "columns": view.columns[:COLUMNS],
        "unit": view.unit,
        "steps": STEPS.tolist(),
        "variance": variance.tolist(),
        "items": items,
    }


def shown_rows(test: Split) -> list[int]:
    """Rows that show the whole of a split.

    They are two images of each digit, or sequences with a scored step, evenly spaced over it.
    """
    if test.image_shape is not None and "digits" in test.extras:
        digits = test.extras["digits"]
        first_rows = [np.flatnonzero(digits == digit)[:PER_CLASS] for digit in np.unique(digits)]
        return np.concatenate(first_rows).tolist()
    _, length, features = test.sequences.shape
    numbers = DIRECTIONS * len(STEPS) * length * min(features, COLUMNS)
    count = np.clip(NUMBERS // numbers, FEWEST, MOST)
    rows = np.flatnonzero(scored_steps(test).any(axis=1))
    places = np.unique(np.linspace(0, len(rows) - 1, count).astype(int))
    return rows[places].tolist()


def principal_directions(codes: Array, count: int) -> tuple[Array, Array, Array]:
    """Principal directions of codes (N, k), the largest coordinate of each above 0.

    Returns
    -------
    scale
        (count,) standard deviation along each.
    directions
        (count, k) of length 1.
    variance
        (count,) share of the whole variance along each.
    """
    _, singular, directions = np.linalg.svd(codes - codes.mean(axis=0), full_matrices=False)
    places = np.abs(directions).argmax(axis=1)
    largest = np.take_along_axis(directions, places[:, None], axis=1)
    variance = np.square(singular) / len(codes)
    share = variance / max(variance.sum(), np.finfo(float).tiny)
    scale = np.sqrt(variance[:count])
    turned = directions * np.sign(largest)
    return scale, turned[:count], share[:count]


def class_answer(probabilities: Array) -> str:
    """The class that a class head finds most probable."""
    return f"{probabilities.argmax()} ({100 * probabilities.max():.1f} %)"


def as_bytes(images: Array) -> str:
    """Values in [0, 1] as base64 of uint8."""
    pixels = (images.clip(0, 1) * 255).round().astype(np.uint8)
    return base64.b64encode(pixels.tobytes()).decode("ascii")


def as_numbers(values: Array) -> Any:
    """Nested lists of numbers of five significant digits."""
    return np.vectorize(lambda value: float(f"{value:.5g}"))(values).tolist()
