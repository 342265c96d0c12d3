"""A table of answers as text, with as many digits as its numbers are known by."""

import math

import pandas as pd

DIGITS = 9  # of a number in single precision
DIGITS_OF_SPREAD = 8  # of what the numbers of a column differ by
MOST_DIGITS = 17  # of a number in double precision
TIMES = ("time", "start", "end")


def as_text(frame: pd.DataFrame, time: str | None) -> pd.DataFrame:
    """A table whose real numbers are text.

    Times have all their digits. Other numbers have nine, and more where they are large beside what
    they differ by.
    """
    texts = {}
    for name in frame.columns:
        cells = frame[name]
        if cells.dtype.kind != "f":
            continue
        is_time = name == time or name in TIMES
        written = repr if is_time else f"{{:.{_digits(cells)}g}}".format
        texts[name] = cells.map(written, na_action="ignore")
    return frame.assign(**texts)


def _digits(cells: pd.Series) -> int:
    """How many digits tell the numbers of a column apart."""
    size = float(cells.abs().max())
    spread = float(cells.std())
    if not (size > 0 and spread > 0):
        return DIGITS
    before_they_differ = math.ceil(math.log10(size / spread))
    needed = DIGITS_OF_SPREAD + before_they_differ
    return min(MOST_DIGITS, max(DIGITS, needed))
