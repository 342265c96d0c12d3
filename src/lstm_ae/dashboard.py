"""optuna-dashboard on the trials that a search wrote.

PYTHONPATH=src python -m lstm_ae.dashboard toy
"""

import logging

import optuna_dashboard
import pandas as pd

from lstm_ae import paths
from lstm_ae.errors import InputError
from lstm_ae.params import Params
from lstm_ae.search import rebuilt
from lstm_ae.stage import run

PORT = 8080


def show(params: Params, section: str) -> None:
    """Serve the study until Ctrl-C."""
    path = paths.search(section) / "trials.csv"
    if not path.is_file():
        raise InputError(f"{path}: not found; `dvc repro search@{section}` makes it")
    storage = rebuilt(section, pd.read_csv(path), params.section(section).search.space)
    logging.info("http://localhost:%d shows the search of %s", PORT, section)
    optuna_dashboard.run_server(storage, port=PORT)


if __name__ == "__main__":
    run(show)
