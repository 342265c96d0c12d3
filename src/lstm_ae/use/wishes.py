"""What a person knows better of a table than it says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wishes:
    """What a person knows better than the table says; None: the table says it.

    Parameters
    ----------
    columns
        The columns of values.
    time, series
        The columns of times and of the names of series.
    time_format, duplicates, missing
        As in `TableData`.
    """

    columns: list[str] | None = None
    time: str | None = None
    series: str | None = None
    time_format: str | None = None
    duplicates: str | None = None
    missing: list[float] | None = None
