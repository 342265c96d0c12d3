"""evaluate@<section>: the test split, once: numbers beside baselines, figures, what one can try.

python stages/evaluate.py toy
"""

from lstm_ae.stage import run

import pandas as pd

from lstm_ae.core import paths
from lstm_ae.core.files import write_json, write_text
from lstm_ae.core.splits import load_description, load_splits
from lstm_ae.evaluation import figures
from lstm_ae.evaluation.curves import curves_table, read_curves, with_test
from lstm_ae.evaluation.explorer import explore
from lstm_ae.evaluation.metrics import section_metrics
from lstm_ae.evaluation.rivals import rival_metrics
from lstm_ae.evaluation.rounding import errors_by_bits
from lstm_ae.evaluation.studies import Case, study_of
from lstm_ae.model.runtime import start
from lstm_ae.package.answers import compute_answers
from lstm_ae.package.loading import load_package
from lstm_ae.params import Params
from lstm_ae.rivals.boosting import load_boosting


def evaluate(params: Params, name: str) -> None:
    section = params.section(name)
    device = start(params.device, params.threads)
    package = load_package(paths.model(name), device)
    description = load_description(paths.prepared(name))
    rivals = paths.rivals(name)
    splits = load_splits(paths.prepared(name))
    answers = compute_answers(package.model, splits["test"].sequences, device)
    training_curves = read_curves(paths.training(name))
    curves = with_test(
        training_curves,
        paths.weights(name),
        splits["test"],
        section.training,
        device,
    )
    metrics = section_metrics(package, description, splits, answers, curves)
    metrics |= rival_metrics(rivals, splits["test"], description, device)
    metrics["rounded_codes"] = errors_by_bits(
        package,
        splits["train"],
        splits["test"],
        answers.codes,
    )

    case = Case(
        package,
        description,
        splits,
        answers,
        metrics,
        curves,
        section.training.loss,
        load_boosting(rivals / "boosting") if package.layout.predict else None,
    )
    kind = study_of(section.data.dataset)
    findings = kind.study(case)
    drawn = findings.figures
    drawn["error_by_bits"] = figures.error_by_bits(metrics["rounded_codes"], case.note)
    trials = pd.read_csv(paths.search(name) / "trials.csv")
    if (trials["state"] == "complete").any():
        importances = pd.read_csv(paths.search(name) / "importances.csv")
        drawn["search"] = figures.search(trials, importances, section.search.space.bounds())

    for figure_name, figure in drawn.items():
        figures.save(figure, paths.plots(name) / f"{figure_name}.png")
        figures.save_vector(figure, paths.figures(name) / f"{figure_name}.svg")
    table = curves_table(curves).to_csv(
        index_label="epoch",
        na_rep="nan",
        lineterminator="\n",
    )
    write_text(paths.curves(name), table)
    write_text(paths.trials(name), (paths.search(name) / "trials.csv").read_text(encoding="utf-8"))
    write_json(paths.test_metrics(name), metrics | findings.metrics)
    write_json(paths.explorer(name), explore(package, case.test, answers, kind.view(case)))


if __name__ == "__main__":
    run(evaluate)
