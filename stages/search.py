"""search@<section>: Optuna's trials, scored on validation: numbers only.

python stages/search.py toy
python stages/search.py toy --worker
"""

import optuna

from lstm_ae.core import paths
from lstm_ae.core.errors import InputError
from lstm_ae.core.files import write_text
from lstm_ae.core.yaml import write_yaml
from lstm_ae.model.runtime import start
from lstm_ae.params import Params
from lstm_ae.search.local import (
    best_values,
    importances_table,
    search,
    search_together,
    trials_table,
)
from lstm_ae.search.trial import Task, worker_count
from lstm_ae.stage import run
from lstm_ae.training.scratch import scratch


def search_section(params: Params, section: str, worker: bool) -> None:
    storage = params.section(section).search.storage
    if worker and not storage:
        raise InputError(
            "defaults.search.storage: null; a worker needs the URL of the storage that it shares with others"
        )
    task = Task.of(params, section, start(params.device, 1, params.training_seed).type)
    if storage:
        study = search_together(task, storage)
        if not worker:
            write(study, section, params.seed)
        return
    with scratch(
        f"search-{section}", {**task.settings(), "device": task.device}, task.inputs()
    ) as folder:
        write(search(task, folder, worker_count(task.device)), section, params.seed)


def write(study: optuna.Study, section: str, seed: int) -> None:
    directory = paths.search(section)
    write_text(
        directory / "trials.csv", trials_table(study).to_csv(index=False, lineterminator="\n")
    )
    write_text(
        directory / "importances.csv",
        importances_table(study, seed).to_csv(index=False, lineterminator="\n"),
    )
    write_yaml(directory / "best.yaml", best_values(study))


if __name__ == "__main__":
    run(search_section, worker="take part in the study of search.storage and write nothing")
