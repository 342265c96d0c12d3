"""report: one self-contained page of every figure and number, and the figures that compare sections.

python stages/report.py
"""

import pandas as pd

from lstm_ae import figures, paths
from lstm_ae.files import read_json, write_text
from lstm_ae.params import Params
from lstm_ae.report import data_uri, read_page, render
from lstm_ae.stage import run

COMPARED = (
    ("class_task", "validation/reconstruction", "reconstruction loss (mse)", ("mnist_rows", "mnist_rows_class"),
     "Reconstruction of the rows, with and without the class task"),
    ("rows_and_pixels", "validation/accuracy", "validation accuracy", ("mnist_rows_class", "mnist_pixels_class"),
     "Digits read row by row and pixel by pixel"),
)  # fmt: skip


def report(params: Params) -> None:
    pages = [
        read_page(section, read_json(paths.test_metrics(section)), pd.read_csv(paths.trials(section)), paths.plots(section))
        for section in params.sections
    ]
    comparisons = []
    for name, column, measure, compared, caption in COMPARED:
        if not set(compared) <= set(params.sections):
            continue
        curves = {section: pd.read_csv(paths.curves(section), index_col="epoch")[column].dropna() for section in compared}
        path = paths.REPORT / f"{name}.png"
        logarithmic = [measure] if "loss" in measure else []
        figures.save(figures.learning_curves({measure: curves}, caption, logarithmic), path)
        comparisons.append((caption, data_uri(path)))
    write_text(paths.REPORT / "index.html", render(pages, comparisons))


if __name__ == "__main__":
    run(report, with_section=False)
