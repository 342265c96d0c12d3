"""Variations of the study, three training seeds each: docs/results.csv.

python -m benchmarks.experiments [experiment ...]

Needs `dvc repro prepare` and the trials in metrics/. A row that the table has already is not run
again.
"""

import argparse
import logging
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lstm_ae.core import paths
from lstm_ae.core.files import write_text
from lstm_ae.core.splits import Split, load_description, load_split
from lstm_ae.core.yaml import load_yaml, write_yaml
from lstm_ae.evaluation.forecasting import multi_step, one_step
from lstm_ae.evaluation.metrics import class_metrics, reconstruction_metrics
from lstm_ae.evaluation.studies.stock_forecast import daily_high, logs
from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.model.runtime import start
from lstm_ae.package.answers import compute_answers
from lstm_ae.package.calibration import Calibration
from lstm_ae.package.package import Package
from lstm_ae.params import TUNABLE, Params, load_params
from lstm_ae.training.building import build
from lstm_ae.training.hyperparameters import resolve
from lstm_ae.training.loop import fit
from lstm_ae.training.processes import accelerate
from lstm_ae.training.records import EpochEnd, Recipe, Tracking, Trained
from lstm_ae.units.layout import load_layout

SEEDS = (0, 1, 2)
RESULTS = Path("docs/results.csv")

Changes = dict[str, Any]  # of a section's block, by dotted key
Row = dict[str, Any]

ONE_LAYER = {"layers": 1}


def ticks(period: int) -> Changes:
    """Upper layers that tick once in `period` pixels, and as large a memory beside those pixels."""
    return {"model.period": period, "model.lags": period, "hidden_size": 132 + period}


# The section that an experiment runs, and the changes of its block.
EXPERIMENTS: dict[str, tuple[str, Changes]] = {
    "toy": ("toy", {}),
    "toy, code 48": ("toy", {"model.code_size": 48, "hidden_size": 49}),
    "toy, code 40": ("toy", {"model.code_size": 40, "hidden_size": 49}),
    "toy, code 16": ("toy", {"model.code_size": 16}),
    "toy, one layer": ("toy", ONE_LAYER),
    "rows": ("mnist_rows", {}),
    "rows, code 32": ("mnist_rows", {"model.code_size": 32}),
    "rows, one layer": ("mnist_rows", ONE_LAYER),
    "rows, AdamW for as long": ("mnist_rows", {"training.optimizer": "adamw", "epochs": 8}),
    "rows and class": ("mnist_rows_class", {}),
    "stocks": ("snp", {}),
    "forecast": ("snp_forecast", {}),
    "forecast, one layer": ("snp_forecast", ONE_LAYER),
    "forecast, all errors alike": ("snp_forecast", {"training.error_correlation": 0.0}),
    "pixels and class": ("mnist_pixels_class", {}),
    "pixels and class, a tick in 14": ("mnist_pixels_class", ticks(14)),
    "pixels and class, a tick in 49": ("mnist_pixels_class", ticks(49)),
    "pixels and class, a tick in 56": ("mnist_pixels_class", ticks(56)),
    "permuted and class": ("mnist_permuted_class", {}),
}


def variant(section: str, changes: Changes, training_seed: int) -> Params:
    """params.yaml with changes in the block of a section."""
    content = load_yaml(paths.PARAMS)
    content["training_seed"] = training_seed
    for key, value in changes.items():
        *outer_names, last_name = key.split(".")
        block = content[section]
        for name in outer_names:
            block = block[name]
        block[last_name] = value
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "params.yaml"
        write_yaml(path, content)
        return load_params(path)


def best_values(section: str) -> dict[str, Any]:
    """The hyperparameters that the search chose, from its committed trials."""
    trials = pd.read_csv(paths.trials(section)).query("state == 'complete'")
    if trials.empty:
        return {}
    best = trials.sort_values("loss", kind="stable").to_dict("records")[0]
    return {str(name): value for name, value in best.items() if name in TUNABLE}


def train(
    params: Params, section: str, sequences: Split, epoch_end: EpochEnd | None = None
) -> Trained[LSTMAutoencoder]:
    """One training as the train stage does it."""
    block = params.section(section)
    prepared = paths.prepared(section)
    hyperparameters = resolve(params, section, best_values(section))
    device = start(params.device, params.threads)
    classes = load_description(prepared).classes
    model = build(block.model, hyperparameters, sequences, classes, params.training_seed)
    return fit(
        accelerate(device, params.precision),
        model,
        sequences,
        load_split(prepared, "validation"),
        Recipe(block.training, hyperparameters, params.training_seed),
        Tracking(epoch_end, name=section),
    )


def measured(section: str, changes: Changes, training_seed: int) -> Row:
    """One training, scored on test."""
    params = variant(section, changes, training_seed)
    prepared = paths.prepared(section)
    sequences = load_split(prepared, "train")
    test = load_split(prepared, "test")
    description = load_description(prepared)
    trained = train(params, section, sequences)
    device = start(params.device, params.threads)
    architecture = trained.model.architecture
    answers = compute_answers(trained.model, test.sequences, device)
    row: Row = {
        "code_size": architecture.code_size,
        "hidden_size": architecture.hidden_size,
        "layers": architecture.layers,
        "best_epoch": trained.best_epoch,
    }
    row |= reconstruction_metrics(
        answers.reconstruction,
        sequences,
        test,
        architecture.code_size,
        description.unit_interval,
    )
    if answers.probabilities is not None and test.labels is not None:
        row |= class_metrics(answers.probabilities, test.labels)
    if answers.predictions is not None:
        no_calibration = Calibration(np.empty(0), None)
        package = Package(trained.model, load_layout(prepared), no_calibration, {}, device)
        row |= forecast_skills(package, test, load_split(prepared, "rollouts"))
    return row


def forecast_skills(package: Package, test: Split, rollouts: Split) -> Row:
    """Skill over persistence on the logs of the daily high.

    Returns
    -------
    One step ahead, and fed back the lowest of the first 20 and of the first 40 days.
    """
    layout = package.layout
    single = logs(daily_high(one_step(package, {}, test), layout), layout)
    multiple = logs(daily_high(multi_step(package, {}, rollouts), layout, True), layout)
    row: Row = {"one_step_skill": single.skills()["skill"]}
    for days in (20, 40):
        skills = [multiple.skills(slice(day, day + 1))["skill"] for day in range(days)]
        row[f"lowest_skill_to_day_{days}"] = min(skills)
    return row


def place(row: Row) -> tuple[int, int]:
    """Where a row stands in the table."""
    return list(EXPERIMENTS).index(row["experiment"]), row["training_seed"]


def save(rows: list[Row]) -> None:
    """Write the table."""
    ordered = sorted(rows, key=place)
    table = pd.DataFrame(ordered)
    write_text(RESULTS, table.to_csv(index=False, lineterminator="\n", float_format="%.6g"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "experiment", nargs="*", choices=[[], *EXPERIMENTS], help="all where none is named"
    )
    names = parser.parse_args().experiment or list(EXPERIMENTS)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    rows: list[Any] = pd.read_csv(RESULTS).to_dict("records") if RESULTS.is_file() else []
    for name in names:
        section, changes = EXPERIMENTS[name]
        for seed in SEEDS:
            if (name, seed) in {(row["experiment"], row["training_seed"]) for row in rows}:
                continue
            row = measured(section, changes, seed)
            rows.append({"experiment": name, "training_seed": seed, **row})
            save(rows)
        errors = [row["mse"] for row in rows if row["experiment"] == name]
        every_error = " ".join(f"{error:.6f}" for error in errors)
        logging.info("%s: mse %s, median %.6f", name, every_error, statistics.median(errors))


if __name__ == "__main__":
    main()
