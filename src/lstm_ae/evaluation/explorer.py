"""What the page lets a reader try: test sequences, their reconstructions, and what the decoder answers when the code moves."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lstm_ae.core.splits import Split
from lstm_ae.data.stocks import to_dollars
from lstm_ae.data.table import Layout, label, unscaled
from lstm_ae.evaluation.metrics import scored_steps, squared_error
from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.model.objectives import EVALUATION_BATCH
from lstm_ae.package.answers import Answers

Array = NDArray[np.float64]

DIRECTIONS = 4
STEPS = np.linspace(-3, 3, 7)  # standard deviations of the codes
PER_CLASS = 2  # images of each digit
COLUMNS = 5  # of a series, the first of them
FEWEST, MOST = 2, 12  # series
ANSWERS = (
    60_000  # numbers that the decoder's answers of a section come to, so that a page stays small
)


@dataclass(frozen=True)
class View:
    """How a person reads sequences of a data set.

    Parameters
    ----------
    columns
        The names of the m features.
    unit
        Of their values; "" where there is none.
    label
        The name of a row.
    real
        Values (n, T, m) of one row, in that unit.
    dates
        The ISO dates of a row's T steps, where they are days.
    """

    columns: list[str]
    unit: str
    label: Callable[[int], str]
    real: Callable[[Array, int], Array] = lambda values, row: values
    dates: Callable[[int], list[str]] | None = None


def explore(
    model: LSTMAutoencoder,
    test: Split,
    description: dict[str, Any],
    said: Answers,
    device: torch.device,
) -> dict[str, Any]:
    """Some test sequences and what the model says of them, as plain numbers and text.

    Returns
    -------
    dict
        `shape`: height and width of images, or None for series. `columns`: of a series, at most `COLUMNS`; `unit` of its values.
        `steps`: how far a code is moved, in standard deviations; `variance`: the share of the codes' variance along each direction.
        `items`, each with `label`, `mse` (on the scale of the prepared data), `dates` of its steps or None, `answer` of a class head or
        None, `original` and `reconstruction` (T, m), and `moved` (directions, steps, T, m): what the decoder answers to the item's
        code moved along the principal directions of the codes of `test`. Images are base64 of uint8, series are lists.
    """
    rows, about = chosen(test), view(test, description)
    scale, directions, variance = principal_directions(said.codes, DIRECTIONS)
    moves = STEPS[:, None] * (scale[:, None] * directions)[:, None]
    moved = decode(model, said.codes[rows][:, None, None] + moves, device)
    truth, scored = test.values(), scored_steps(test)

    def packed(values: Array, row: int) -> Any:
        real = about.real(values.reshape(-1, *truth.shape[1:]), row).reshape(values.shape)
        return as_numbers(real[..., :COLUMNS]) if test.image_shape is None else as_bytes(real)

    items = [
        {
            "label": about.label(row),
            "mse": squared_error(said.reconstruction[row], truth[row], scored[row]),
            "dates": about.dates(row) if about.dates else None,
            "answer": None if said.probabilities is None else answer(said.probabilities[row]),
            "original": packed(truth[row], row),
            "reconstruction": packed(said.reconstruction[row], row),
            "moved": packed(answers, row),
        }
        for row, answers in zip(rows, moved, strict=True)
    ]
    return {
        "shape": None if test.image_shape is None else test.image_shape.tolist(),
        "columns": about.columns[:COLUMNS],
        "unit": about.unit,
        "steps": STEPS.tolist(),
        "variance": variance.tolist(),
        "items": items,
    }


def chosen(test: Split) -> list[int]:
    """Rows that show the whole of a split: each digit, or sequences with a scored step, evenly spaced over it."""
    if test.image_shape is not None and "digits" in test.extras:
        digits = test.extras["digits"]
        return [
            int(row)
            for digit in np.unique(digits)
            for row in np.flatnonzero(digits == digit)[:PER_CLASS]
        ]
    _, length, features = test.sequences.shape
    most = np.clip(
        ANSWERS // (DIRECTIONS * len(STEPS) * length * min(features, COLUMNS)), FEWEST, MOST
    )
    rows = np.flatnonzero(scored_steps(test).any(axis=1))
    return rows[np.unique(np.linspace(0, len(rows) - 1, most).astype(int))].tolist()


def principal_directions(codes: Array, count: int) -> tuple[Array, Array, Array]:
    """Principal directions of codes (N, k), each pointing to where its largest coordinate is above 0.

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
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)
    variance = np.square(singular) / len(codes)
    share = variance / max(variance.sum(), np.finfo(float).tiny)
    return variance[:count] ** 0.5, (directions * np.sign(largest))[:count], share[:count]


@torch.no_grad()
def decode(model: LSTMAutoencoder, codes: Array, device: torch.device) -> Array:
    """Codes (..., k) to sequences (..., T, m)."""
    flat = torch.from_numpy(codes.reshape(-1, codes.shape[-1])).float()
    decoded = torch.cat(
        [model.decode(batch.to(device)).double().cpu() for batch in flat.split(EVALUATION_BATCH)]
    ).numpy()
    return np.asarray(decoded.reshape(*codes.shape[:-1], *decoded.shape[1:]))


def view(test: Split, description: dict[str, Any]) -> View:
    """How a person reads this split, from what prepare wrote beside it."""
    extras, days = test.extras, description.get("days")
    length, features = test.sequences.shape[1:]
    if test.image_shape is not None:
        digits = extras.get("digits")
        return View(
            [],
            "",
            lambda row: (
                f"test image {row}" if digits is None else f"digit {digits[row]}, test image {row}"
            ),
        )
    if "layout" in description:
        return of_table(test, description)
    columns = description.get(
        "columns",
        ["value"] if features == 1 else [f"feature {number + 1}" for number in range(features)],
    )
    if days is None:
        return View(columns, "", lambda row: f"test sequence {row}")

    def dates(row: int) -> list[str]:
        return days[int(extras["start"][row]) :][:length]

    symbols = description["symbols"]
    of_test = symbols["test"] if isinstance(symbols, dict) else symbols

    def name(row: int) -> str:
        return f"{of_test[int(extras['symbol'][row])]}, {dates(row)[0]} to {dates(row)[-1]}"

    if "anchor" in extras:

        def dollars(values: Array, row: int) -> Array:
            return to_dollars(
                values[:, :, 0], np.full(len(values), extras["anchor"][row]), description["scale"]
            )[:, :, None]

        return View([description["column"]], "dollars", name, dollars, dates)
    means, scales = np.array(description["means"]), np.array(description["scales"])
    return View(
        columns,
        "log change in per cent",
        name,
        lambda values, row: 100 * (values * scales + means),
        dates,
    )


def of_table(test: Split, description: dict[str, Any]) -> View:
    """A person's own table, in its units; dates where every step is a day of its own."""
    layout, extras = Layout.stored(description), test.extras
    times = extras["times"].view(description["clock"])[:, : layout.window]
    daily = np.issubdtype(times.dtype, np.datetime64) and bool(
        (np.diff(times.astype("datetime64[D]"), axis=1).astype(int) > 0).all()
    )

    def name(row: int) -> str:
        series, first, last = (
            description["names"][extras["series"][row]],
            label(times[row][0]),
            label(times[row][-1]),
        )
        return f"{series}, {first} to {last}" if series else f"{first} to {last}"

    def real(values: Array, row: int) -> Array:
        return unscaled(values, np.repeat(extras["base"][row][None], len(values), axis=0), layout)

    def dates(row: int) -> list[str]:
        return [str(day) for day in times[row].astype("datetime64[D]")]

    return View(layout.variables, "", name, real, dates if daily else None)


def answer(probabilities: Array) -> str:
    """What a class head says."""
    return f"{probabilities.argmax()} ({100 * probabilities.max():.1f} %)"


def as_bytes(images: Array) -> str:
    """Values in [0, 1] as base64 of uint8."""
    return base64.b64encode((images.clip(0, 1) * 255).round().astype(np.uint8).tobytes()).decode(
        "ascii"
    )


def as_numbers(values: Array) -> Any:
    """Nested lists of numbers of five significant digits."""
    return np.vectorize(lambda value: float(f"{value:.5g}"))(values).tolist()
