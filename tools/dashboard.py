"""optuna-dashboard on the trials that a search wrote.

PYTHONPATH=src python -m tools.dashboard toy
"""

import logging
import math
import warnings
from collections.abc import Mapping
from typing import Any

from lstm_ae.stage import run

import optuna
import optuna_dashboard
import pandas as pd
from optuna.trial import FixedTrial, FrozenTrial, TrialState

from lstm_ae.core import paths
from lstm_ae.core.errors import InputError
from lstm_ae.params import TUNABLE, Params, Space
from lstm_ae.search.study import suggest

PORT = 8080


def show(params: Params, name: str) -> None:
    """Serve the study of a section until Ctrl-C."""
    path = paths.search(name) / "trials.csv"
    if not path.is_file():
        raise InputError(f"{path}: not found; `dvc repro search@{name}` makes it")
    space = params.section(name).search.space
    storage = rebuild_storage(name, pd.read_csv(path), space)
    logging.info("http://localhost:%d shows the search of %s", PORT, name)
    optuna_dashboard.run_server(storage, port=PORT)


def rebuild_storage(
    name: str,
    trials: pd.DataFrame,
    space: Space,
) -> optuna.storages.BaseStorage:
    """A storage in memory with one study: the trials of a table, without their losses by epoch.

    Parameters
    ----------
    name
        Of the section, and of the study.

    Raises
    ------
    InputError
        A trial lies outside the space, which has changed since.
    """
    storage = optuna.storages.InMemoryStorage()
    study = optuna.create_study(storage=storage, study_name=name)
    for row in trials.to_dict("records"):
        try:
            study.add_trial(_rebuild_trial(row, space))
        except UserWarning as outside:
            raise InputError(
                f"{name}.search.space: trial {row['trial']} lies outside ({outside}); "
                f"`dvc repro search@{name}` searches again"
            ) from outside
    return storage


def _rebuild_trial(row: Mapping[Any, Any], space: Space) -> FrozenTrial:
    fixed = FixedTrial({key: row[key] for key in TUNABLE})
    with warnings.catch_warnings(action="error", category=UserWarning):
        suggest(fixed, space)
    return optuna.create_trial(
        state=TrialState[row["state"].upper()],
        value=None if math.isnan(row["loss"]) else row["loss"],
        params=fixed.params,
        distributions=fixed.distributions,
        # A shared study leaves out trials whose process died, so that numbers may be missing.
        user_attrs={"trial": row["trial"]},
    )


if __name__ == "__main__":
    run(show)
