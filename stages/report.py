"""report: one self-contained page of every figure and number, and of what a reader can try.

python stages/report.py
"""

from lstm_ae.stage import run

import pandas as pd

from lstm_ae.core import paths
from lstm_ae.core.files import read_json, write_text
from lstm_ae.params import Params
from lstm_ae.report.page import render
from lstm_ae.report.results import Results


def report(params: Params) -> None:
    results = {name: read_results(params, name) for name in params.sections}
    shared = params.model_dump(mode="json", exclude={"blocks"})
    write_text(paths.REPORT / "index.html", render(results, shared))


def read_results(params: Params, name: str) -> Results:
    """Read what the other stages left of a section."""
    figures = sorted(paths.figures(name).glob("*.svg"))
    return Results(
        metrics=read_json(paths.test_metrics(name)),
        curves=pd.read_csv(paths.curves(name), index_col="epoch"),
        trials=pd.read_csv(paths.trials(name)),
        figures={path.stem: path.read_text(encoding="utf-8") for path in figures},
        explorer=read_json(paths.explorer(name)),
        parameters={
            **params.section(name).model_dump(mode="json"),
            "trained with": read_json(paths.weights(name) / "training.json"),
        },
    )


if __name__ == "__main__":
    run(report, with_section=False)
