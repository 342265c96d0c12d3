"""Variations of the study, three training seeds each: docs/results.csv.

python benchmarks/experiments.py [experiment ...]

Needs `dvc repro prepare` and the trials in metrics/. A row that the table has already is not run again.
"""

import argparse
import logging
import statistics
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from lstm_ae.core import paths
from lstm_ae.core.files import write_text
from lstm_ae.core.splits import Split, load_description, load_split
from lstm_ae.core.yaml import load_yaml, write_yaml
from lstm_ae.evaluation.forecasting import LAGS, fit_lines, multi_step, one_step
from lstm_ae.evaluation.metrics import class_metrics, reconstruction_metrics
from lstm_ae.model.runtime import start
from lstm_ae.package.answers import compute_answers
from lstm_ae.params import TUNABLE, Params, load_params
from lstm_ae.training.hyperparameters import resolve
from lstm_ae.training.loop import EpochEnd, Trained, build, fit
from lstm_ae.training.processes import accelerate

SEEDS = (0, 1, 2)
RESULTS = Path("docs/results.csv")
ONE_LAYER = {"layers": 1}
# What is run: the section, and what is changed in its block.
EXPERIMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "toy": ("toy", {}),
    "toy, code 48": ("toy", {"model.code_size": 48, "hidden_size": 49}),
    "toy, code 40": ("toy", {"model.code_size": 40, "hidden_size": 49}),
    "toy, code 16": ("toy", {"model.code_size": 16}),
    "toy, one layer": ("toy", ONE_LAYER),
    "rows": ("mnist_rows", {}),
    "rows, code 32": ("mnist_rows", {"model.code_size": 32}),
    "rows, one layer": ("mnist_rows", ONE_LAYER),
    "rows and class": ("mnist_rows_class", {}),
    "stocks": ("snp", {}),
    "forecast": ("snp_forecast", {}),
    "forecast, one layer": ("snp_forecast", ONE_LAYER),
    "forecast, all errors alike": ("snp_forecast", {"training.error_correlation": 0.0}),
    "pixels and class": ("mnist_pixels_class", {}),
    "pixels and class, weight 0.7": (
        "mnist_pixels_class",
        {
            "training.loss_weights": {
                "reconstruction": 0.7,
                "classification": 0.3,
                "prediction": 0.0,
            }
        },
    ),
}


def variant(section: str, changes: dict[str, Any], training_seed: int) -> Params:
    """params.yaml with changes, by dotted key, in the block of a section."""
    content = load_yaml(paths.PARAMS)
    content["training_seed"] = training_seed
    for key, value in changes.items():
        *above, last = key.split(".")
        block = content[section]
        for name in above:
            block = block[name]
        block[last] = value
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "params.yaml"
        write_yaml(path, content)
        return load_params(path)


def best_values(section: str) -> dict[str, Any]:
    """What the search chose, from its committed trials."""
    trials = (
        pd.read_csv(paths.trials(section))
        .query("state == 'complete'")
        .sort_values("loss", kind="stable")
        .head(1)
    )
    return {
        name: value
        for row in trials.to_dict("records")
        for name, value in row.items()
        if name in TUNABLE
    }


def train(
    params: Params, section: str, sequences: Split, epoch_end: EpochEnd | None = None
) -> Trained:
    """One training as the train stage does it."""
    block, prepared = params.section(section), paths.prepared(section)
    chosen = resolve(params, section, best_values(section))
    fabric = accelerate(
        start(params.device, params.threads, params.training_seed), params.precision
    )
    model = build(block.model, chosen, sequences, load_description(prepared).get("classes"))
    validation = load_split(prepared, "validation")
    return fit(
        fabric,
        model,
        sequences,
        validation,
        block.training,
        chosen,
        params.training_seed,
        epoch_end,
        progress=section,
    )


def measured(section: str, changes: dict[str, Any], training_seed: int) -> dict[str, Any]:
    """One training, scored on test."""
    params, prepared = variant(section, changes, training_seed), paths.prepared(section)
    known, test, description = (
        load_split(prepared, "train"),
        load_split(prepared, "test"),
        load_description(prepared),
    )
    trained = train(params, section, known)
    device = start(params.device, params.threads, params.seed)
    model, best_epoch = trained.model, trained.best_epoch
    said, shape = compute_answers(model, test.sequences, device), model.architecture
    row = {
        "code_size": shape.code_size,
        "hidden_size": shape.hidden_size,
        "layers": shape.layers,
        "best_epoch": best_epoch,
    }
    row |= reconstruction_metrics(
        said.reconstruction, known, test, shape.code_size, description["unit_interval"]
    )
    if said.probabilities is not None and test.labels is not None:
        row |= class_metrics(said.probabilities, test.labels)
    if said.predictions is not None:
        lines = fit_lines(known, min(LAGS, description["fed"]))
        row["one_step_skill"] = one_step(model, lines, test, description, device).scores()["skill"]
        fed_back = multi_step(model, lines, load_split(prepared, "rollouts"), description, device)
        for days in (20, 40):
            row[f"lowest_skill_to_day_{days}"] = min(
                fed_back.scores(slice(day, day + 1))["skill"] for day in range(days)
            )
    return row


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "experiment", nargs="*", choices=[[], *EXPERIMENTS], help="all where none is named"
    )
    names = parser.parse_args().experiment or list(EXPERIMENTS)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    rows = pd.read_csv(RESULTS).to_dict("records") if RESULTS.is_file() else []
    for name in names:
        section, changes = EXPERIMENTS[name]
        for seed in SEEDS:
            if any((row["experiment"], row["training_seed"]) == (name, seed) for row in rows):
                continue
            rows.append(
                {"experiment": name, "training_seed": seed, **measured(section, changes, seed)}
            )
            order = sorted(
                rows,
                key=lambda row: (list(EXPERIMENTS).index(row["experiment"]), row["training_seed"]),
            )
            write_text(
                RESULTS,
                pd.DataFrame(order).to_csv(index=False, lineterminator="\n", float_format="%.6g"),
            )
        errors = [row["mse"] for row in rows if row["experiment"] == name]
        logging.info(
            "%s: mse %s, median %.6f",
            name,
            " ".join(f"{error:.6f}" for error in errors),
            statistics.median(errors),
        )


if __name__ == "__main__":
    main()
