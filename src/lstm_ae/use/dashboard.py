"""optuna-dashboard on the trials that a search wrote.

PYTHONPATH=src python -m lstm_ae.use.dashboard toy
"""

import logging
import math
import warnings

import optuna
import optuna_dashboard
import pandas as pd
from optuna.trial import TrialState

from lstm_ae.core import paths
from lstm_ae.core.errors import InputError
from lstm_ae.params import TUNABLE, Params, Space
from lstm_ae.search.local import suggest
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


def rebuilt(name: str, trials: pd.DataFrame, space: Space) -> optuna.storages.BaseStorage:
    """A storage in memory with one study: the trials of a table, without their losses by epoch.

    Raises
    ------
    InputError
        A trial lies outside the space, which has changed since.
    """
    storage = optuna.storages.InMemoryStorage()
    study = optuna.create_study(storage=storage, study_name=name)
    for row in trials.to_dict("records"):
        fixed = optuna.trial.FixedTrial({name: row[name] for name in TUNABLE})
        try:
            with warnings.catch_warnings(action="error", category=UserWarning):
                suggest(fixed, space)
        except UserWarning as outside:
            raise InputError(
                f"{name}.search.space: trial {row['trial']} lies outside ({outside}); `dvc repro` searches again"
            ) from outside
        state = TrialState[row["state"].upper()]
        value = None if math.isnan(row["loss"]) else row["loss"]
        number = {"trial": row["trial"]}  # a shared study leaves out those whose process died
        study.add_trial(
            optuna.create_trial(
                state=state,
                value=value,
                params=fixed.params,
                distributions=fixed.distributions,
                user_attrs=number,
            )
        )
    return storage


if __name__ == "__main__":
    run(show)
