"""evaluate@<section>: the test split, once: numbers beside their baselines, every figure the section owes, what a reader can try.

python stages/evaluate.py toy
"""

from io import StringIO

import pandas as pd

from lstm_ae.core import paths
from lstm_ae.core.files import write_json, write_text
from lstm_ae.core.splits import load_description, load_split
from lstm_ae.evaluation import figures
from lstm_ae.evaluation.explorer import explore
from lstm_ae.evaluation.metrics import reconstruction_metrics
from lstm_ae.evaluation.studies import STUDIES, Case, read_curves, with_test
from lstm_ae.model.runtime import start
from lstm_ae.package.answers import compute_answers
from lstm_ae.package.package import load_package
from lstm_ae.params import Params
from lstm_ae.stage import run


def evaluate(params: Params, section: str) -> None:
    block, prepared = params.section(section), paths.prepared(section)
    device = start(params.device, params.threads, params.seed)
    description, package = load_description(prepared), load_package(paths.model(section), device)
    splits = {
        path.stem: load_split(prepared, path.stem)
        for path in sorted(prepared.glob("*.safetensors"))
    }
    test, model, trained = splits["test"], package.model, package.about
    shape, loss = model.architecture, block.training.loss
    curves = with_test(
        read_curves(paths.training(section)), paths.weights(section), test, loss, device
    )
    said = compute_answers(model, test.sequences, device)
    metrics = {
        **reconstruction_metrics(
            said.reconstruction,
            splits["train"],
            test,
            shape.code_size,
            description["unit_interval"],
        ),
        "code_size": shape.code_size,
        "hidden_size": shape.hidden_size,
        "layers": shape.layers,
        "sequence_length": shape.sequence_length,
        "features": shape.features,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "test_sequences": len(test),
        "data_source": description["data_source"],
        "best_epoch": trained["best_epoch"],
        "diverged_at_epoch": trained["diverged_at_epoch"],
        "validation_loss": float(curves["loss"]["validation"][trained["best_epoch"]]),
    }
    case = Case(
        model,
        package.calibration,
        description,
        splits,
        said.reconstruction,
        said.probabilities,
        metrics,
        curves,
        loss,
        device,
    )
    own, drawn = STUDIES[block.data.dataset](case)
    tried = (paths.search(section) / "trials.csv").read_text(encoding="utf-8")
    trials = pd.read_csv(StringIO(tried))
    if (trials["state"] == "complete").any():
        importances = pd.read_csv(paths.search(section) / "importances.csv")
        drawn["search"] = figures.search(trials, importances, block.search.space.model_dump())

    for name, figure in drawn.items():
        figures.save(figure, paths.plots(section) / f"{name}.png")
        figures.save_vector(figure, paths.figures(section) / f"{name}.svg")
    table = pd.DataFrame(
        {
            f"{split}/{measure}": series
            for measure, by_split in curves.items()
            for split, series in by_split.items()
        }
    )
    write_text(
        paths.curves(section), table.to_csv(index_label="epoch", na_rep="nan", lineterminator="\n")
    )
    write_text(paths.trials(section), tried)
    write_json(paths.test_metrics(section), metrics | own)
    write_json(paths.explorer(section), explore(model, test, description, said, device))


if __name__ == "__main__":
    run(evaluate)
