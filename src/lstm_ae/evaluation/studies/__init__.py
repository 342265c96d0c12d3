"""What a section of each kind of data set owes: its own metrics, its figures, how it is read.

A study is a module of this folder with two functions, under the tag of its kind in
`lstm_ae.data.registry`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lstm_ae.core.errors import InputError
from lstm_ae.evaluation.explorer import View
from lstm_ae.evaluation.studies import mnist, stock_forecast, stock_windows, table, toy
from lstm_ae.evaluation.studies.case import Case, Findings

__all__ = ["STUDIES", "Case", "Findings", "Study", "study_of"]


@dataclass(frozen=True)
class Study:
    """What the module of a study offers.

    Parameters
    ----------
    study
        Gives the metrics and figures of the kind.
    view
        Gives how a person reads its test sequences.
    """

    study: Callable[[Case], Findings]
    view: Callable[[Case], View]


STUDIES = {
    "toy": Study(toy.study, toy.view),
    "mnist": Study(mnist.study, mnist.view),
    "stock_windows": Study(stock_windows.study, stock_windows.view),
    "stock_forecast": Study(stock_forecast.study, stock_forecast.view),
    "table": Study(table.study, table.view),
}


def study_of(dataset: str) -> Study:
    """The study of the kind of that tag.

    Raises
    ------
    InputError
        params.yaml may name it, but no module is registered for it.
    """
    if dataset not in STUDIES:
        raise InputError(
            f"dataset {dataset}: no module of lstm_ae.evaluation.studies is registered for it; add "
            f"it to STUDIES in lstm_ae/evaluation/studies/__init__.py, beside {', '.join(STUDIES)}"
        )
    return STUDIES[dataset]
