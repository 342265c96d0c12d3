"""The kinds of data sets: how each is acquired and prepared.

A kind is a module of this room with two functions, under the tag that its block of params.yaml has
as `dataset`. What its results owe is a study of the same tag in `lstm_ae.evaluation.studies`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lstm_ae.core.errors import InputError
from lstm_ae.data import mnist, stock_forecast, stock_windows, table, toy
from lstm_ae.data.prepared import Prepared
from lstm_ae.data.raw import RawData


@dataclass(frozen=True)
class Kind:
    """What a module of a kind offers; the first argument is the kind's block of params.yaml.

    Parameters
    ----------
    acquire
        Puts the raw data into `RawData.directory`, and says what they are.
    prepare
        Makes the splits from the raw data.
    """

    acquire: Callable[[Any, RawData], str]
    prepare: Callable[[Any, RawData], Prepared]


KINDS = {
    "toy": Kind(toy.acquire, toy.prepare),
    "mnist": Kind(mnist.acquire, mnist.prepare),
    "stock_windows": Kind(stock_windows.acquire, stock_windows.prepare),
    "stock_forecast": Kind(stock_forecast.acquire, stock_forecast.prepare),
    "table": Kind(table.acquire, table.prepare),
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
