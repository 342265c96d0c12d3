"""The kinds of data sets: how each is acquired and prepared.

A kind is a module of this room with two functions, under the tag that its block of params.yaml has
as `dataset`. What its results owe is a study of the same tag in `lstm_ae.evaluation.studies`.
"""

from typing import Any, Protocol

from lstm_ae.core.errors import InputError
from lstm_ae.data import mnist, stock_forecast, stock_windows, table, toy
from lstm_ae.data.prepared import Prepared
from lstm_ae.data.raw import RawData


class Kind(Protocol):
    """What a module of a kind offers; `data` is the kind's own block of params.yaml."""

    @staticmethod
    def acquire(data: Any, raw: RawData) -> str:
        """Put the raw data into `raw.directory`; the answer says what they are."""

    @staticmethod
    def prepare(data: Any, raw: RawData) -> Prepared:
        """Make the splits from the raw data."""


KINDS: dict[str, Kind] = {
    "toy": toy,
    "mnist": mnist,
    "stock_windows": stock_windows,
    "stock_forecast": stock_forecast,
    "table": table,
}


def kind_of(dataset: str) -> Kind:
    """The kind of that tag.

    Raises
    ------
    InputError
        params.yaml may name it, but no module is registered for it.
    """
    if dataset not in KINDS:
        raise InputError(
            f"dataset {dataset}: no module of lstm_ae.data is registered for it; add it to KINDS "
            f"in lstm_ae/data/registry.py, beside {', '.join(KINDS)}"
        )
    return KINDS[dataset]
