"""report: one self-contained page of every figure and number, and of what a reader can try.

python stages/report.py
"""

import pandas as pd

from lstm_ae.core import paths
from lstm_ae.core.files import read_json, write_text
from lstm_ae.params import Params
from lstm_ae.report.page import Results, render
from lstm_ae.stage import run


def report(params: Params) -> None:
    everything = {section: read(params, section) for section in params.sections}
    shared = params.model_dump(mode="json", exclude={"blocks"})
    write_text(paths.REPORT / "index.html", render(everything, shared))


def read(params: Params, section: str) -> Results:
    drawn = sorted(paths.figures(section).glob("*.svg"))
    return Results(
        metrics=read_json(paths.test_metrics(section)),
        curves=pd.read_csv(paths.curves(section), index_col="epoch"),
        trials=pd.read_csv(paths.trials(section)),
        importances=pd.read_csv(paths.search(section) / "importances.csv"),
        figures={path.stem: path.read_text(encoding="utf-8") for path in drawn},
        explorer=read_json(paths.explorer(section)),
        parameters={
            **params.section(section).model_dump(mode="json"),
            "trained with": read_json(paths.weights(section) / "training.json"),
        },
    )


if __name__ == "__main__":
    run(report, with_section=False)
