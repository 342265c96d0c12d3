"""What a section of each kind of data set owes: its own metrics, its figures, how it is read.

A study is a module of this folder with two functions, under the tag of its kind in
`lstm_ae.data.registry`.
"""

from typing import Protocol

from lstm_ae.core.errors import InputError
from lstm_ae.evaluation.explorer import View
from lstm_ae.evaluation.studies import mnist, stock_forecast, stock_windows, table, toy
from lstm_ae.evaluation.studies.case import Case, Findings

__all__ = ["STUDIES", "Case", "Findings", "Study", "study_of"]


class Study(Protocol):
    """What the module of a study offers."""

    @staticmethod
    def study(case: Case) -> Findings:
        """The metrics and figures of the kind."""

    @staticmethod
    def view(case: Case) -> View:
        """How a person reads a test sequence."""


STUDIES: dict[str, Study] = {
    "toy": toy,
    "mnist": mnist,
    "stock_windows": stock_windows,
    "stock_forecast": stock_forecast,
    "table": table,
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
