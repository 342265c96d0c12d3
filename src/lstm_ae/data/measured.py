"""Columns of measured values: numbers, of which some may be missing."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstm_ae.core.errors import InputError
from lstm_ae.data.cells import exact, hold_nothing, numbers_of, place_of, shown
from lstm_ae.units.layout import Fill, Layout

Array = NDArray[np.float64]

log = logging.getLogger(__name__)

# A number that stands as far from all others as this many times what they reach was not measured
# with them.
FAR = 50
READABLE = 1e6
VARIED, FIRST_NUMBERS = 10, 10_000  # so many different ones among the first tell what is far


def measured_values(
    path: Path,
    cells: pd.Series,
    layout: Layout,
    forgiving: bool,
) -> Array:
    """The cells of a column as numbers, NaN where nothing was measured.

    That is where a cell is empty, says so in a word, or holds one of the layout's `missing`.

    Parameters
    ----------
    forgiving
        A cell that cannot be used is missing and said, not an error.

    Raises
    ------
    InputError
        A cell is no finite number, or for log returns not above 0.
    """
    numbers = numbers_of(cells)
    missing = hold_nothing(cells) | np.isin(numbers, layout.missing or [])
    wrong = ~np.isfinite(numbers)
    needed = "a number is needed"
    if layout.scaling == "log_return":
        wrong |= ~(numbers > 0)
        needed = "a number above 0 is needed for log returns"
    wrong &= ~missing
    if wrong.any():
        _object_to(
            path,
            cells,
            wrong,
            needed,
            forgiving,
        )
    return np.where(missing | wrong, np.nan, numbers)


def check_far_numbers(
    path: Path,
    cells: pd.Series,
    numbers: Array,
) -> None:
    """Object to a number far from all others, which would set the scale of their column alone.

    Raises
    ------
    InputError
        There is one, as where it means that nothing was measured.
    """
    for extreme, times in extremes(numbers):
        if times > FAR:
            row = int((numbers == extreme).argmax())
            factor = f"{times:.0f}" if times < READABLE else f"{times:.0e}"
            raise InputError(
                f"{place_of(path, cells, row)}: found {exact(extreme)}, {factor} times as far "
                "from all other numbers as they reach; if it means that nothing was measured, name "
                "it in data.missing (--missing), else leave the column out"
            )


def extremes(numbers: Array) -> Iterator[tuple[float, float]]:
    """The smallest and the largest number, and how far each stands from all others.

    That is counted in the distance between the smallest and the largest of these.
    """
    known = numbers[np.isfinite(numbers)]
    if not known.size:
        return
    for extreme in (known.min(), known.max()):
        others = known[known != extreme]
        if len(np.unique(others[:FIRST_NUMBERS])) < VARIED:
            continue
        low, high = others.min(), others.max()
        with np.errstate(over="ignore"):
            distance = min(abs(low - extreme), abs(high - extreme))
            yield float(extreme), float(distance / (high - low))


def filled(values: Array, fill: Fill | None) -> Array:
    """Values (L, m) in which runs of at most `fill.limit` missing ones are filled."""
    if fill is None or np.isfinite(values).all():
        return values
    frame = pd.DataFrame(values)
    if fill.method == "previous":
        full = frame.ffill()
    else:
        full = frame.interpolate(method="linear", limit_area="inside")
    missing = frame.isna()
    is_short = missing.apply(_run_lengths) <= fill.limit
    return frame.where(~(missing & is_short), full).to_numpy()


def _run_lengths(missing: pd.Series) -> pd.Series:
    """How long the run of equal neighbours is in which each row lies."""
    runs = (missing != missing.shift()).cumsum()
    return runs.groupby(runs).transform("size")


def _object_to(
    path: Path,
    cells: pd.Series,
    wrong: NDArray[np.bool_],
    needed: str,
    forgiving: bool,
) -> None:
    row = int(wrong.argmax())
    problem = f"{place_of(path, cells, row)}: found {shown(cells.iloc[row])}"
    if not forgiving:
        raise InputError(f"{problem}; {needed}")
    others = f" and {wrong.sum() - 1} more such cells" if wrong.sum() > 1 else ""
    log.warning("%s%s; %s, so nothing is told there", problem, others, needed)
