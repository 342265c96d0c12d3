"""search@<section>: Optuna's trials, scored on validation: numbers only.

python stages/search.py toy
python stages/search.py toy --worker
"""

from lstm_ae.stage import run

import optuna
import pandas as pd

from lstm_ae.core import paths
from lstm_ae.core.errors import InputError
from lstm_ae.core.files import write_text
from lstm_ae.core.yaml import write_yaml
from lstm_ae.model.runtime import start
from lstm_ae.params import Params
from lstm_ae.search.local import run_trials
from lstm_ae.search.shared import run_shared_trials
from lstm_ae.search.study import best_values, importances_table, trials_table
from lstm_ae.search.trial import Task, worker_count
from lstm_ae.training.scratch import scratch


def search(params: Params, name: str, worker: bool) -> None:
    storage = params.section(name).search.storage
    if worker and not storage:
        raise InputError(
            "defaults.search.storage: null; a worker needs the URL of the storage that it shares "
            "with others, so set it, or start the stage without --worker"
        )
    device = start(params.device, threads=1)
    task = Task.of(params, name, device.type)
    if storage:
        study = run_shared_trials(task, storage)
        if not worker:
            write_study(study, name, params.seed)
        return
    settings = {**task.settings(), "device": task.device}
    with scratch(f"search-{name}", settings, task.inputs()) as unfinished:
        study = run_trials(task, unfinished, worker_count(task.device))
        write_study(study, name, params.seed)


def write_study(study: optuna.Study, name: str, seed: int) -> None:
    directory = paths.search(name)
    write_text(directory / "trials.csv", as_csv(trials_table(study)))
    write_text(directory / "importances.csv", as_csv(importances_table(study, seed)))
    write_yaml(directory / "best.yaml", best_values(study))


def as_csv(table: pd.DataFrame) -> str:
    return table.to_csv(index=False, lineterminator="\n")


if __name__ == "__main__":
    run(search, worker="take part in the study of search.storage and write nothing")
