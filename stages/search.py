"""search@<section>: Optuna's trials, scored on validation: numbers only.

python stages/search.py toy
"""

from lstm_ae import paths
from lstm_ae.datasets.base import load_description, load_split
from lstm_ae.files import write_text, write_yaml
from lstm_ae.params import Params
from lstm_ae.runtime import start
from lstm_ae.search import best_values, importances_table, search, trials_table
from lstm_ae.stage import run
from lstm_ae.training import accelerate


def search_section(params: Params, section: str) -> None:
    block, caps, prepared = params.section(section), params.caps, paths.prepared(section)
    trials = block.search.trials if caps.trials is None else min(block.search.trials, caps.trials)
    study = search(
        accelerate(start(params.device, params.threads, params.training_seed), params.precision),
        block,
        load_split(prepared, "train").thinned(block.search.sequences),
        load_split(prepared, "validation"),
        load_description(prepared).get("classes"),
        trials,
        min(block.search.epochs, caps.epochs or block.search.epochs),
        params.seed,
        params.training_seed,
    )
    directory = paths.search(section)
    write_text(directory / "trials.csv", trials_table(study).to_csv(index=False, lineterminator="\n"))
    write_text(directory / "importances.csv", importances_table(study, params.seed).to_csv(index=False, lineterminator="\n"))
    write_yaml(directory / "best.yaml", best_values(study))


if __name__ == "__main__":
    run(search_section)
