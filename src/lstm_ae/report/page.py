"""The page of all figures and results, made from metrics, figures and parameters alone: one file that needs no network."""

import html
import json
import re
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup

from lstm_ae.report import charts, panels, pictures
from lstm_ae.report.charts import Drawing, Panel, Series, draw


class Studied(NamedTuple):
    """A section of the original report."""

    part: str
    title: str
    reported: str


# A section not named here stands under its own name.
STUDY = {
    "toy": Studied("3.1", "Toy sequences", "MSE 0.0655"),
    "mnist_rows": Studied("3.2.1", "MNIST row by row", "no number given"),
    "mnist_rows_class": Studied(
        "3.2.2", "MNIST row by row, and the class", "98.3 % validation accuracy"
    ),
    "mnist_pixels_class": Studied("3.2.3", "MNIST pixel by pixel, and the class", "34 % accuracy"),
    "snp": Studied("3.3.1, 3.3.2", "Stocks never seen", "no number given"),
    "snp_forecast": Studied("3.3.3, 3.3.4", "Stocks, and tomorrow's prices", "no number given"),
}
# What each figure shows, in the order of the study; one not named here comes last under its file name.
CAPTIONS = {
    "prices": "Daily prices",
    "examples": "Examples from each split",
    "digits": "Originals over their reconstructions, and the difference",
    "reconstructions": "Originals and reconstructions",
    "loss": "Losses by epoch",
    "learning": "Losses and accuracy by epoch",
    "comparison": "",
    "forecasts": "One-step and multi-step forecasts over the truth",
    "error_by_horizon": "Skill and error by horizon",
    "search": "The search",
}
PLOTTED = ("loss", "learning", "comparison", "error_by_horizon", "search")  # here, from numbers
ORIGINAL_FIGURES = {
    ("toy", "examples"): 1,
    ("mnist_rows", "digits"): 2,
    ("mnist_rows_class", "digits"): 3,
    ("mnist_rows_class", "learning"): 4,
    ("mnist_pixels_class", "digits"): 5,
    ("mnist_pixels_class", "learning"): 6,
    ("snp", "prices"): 7,
    ("snp", "reconstructions"): 8,
    ("snp_forecast", "loss"): 9,
    ("snp_forecast", "forecasts"): 10,
}


class Compared(NamedTuple):
    """A curve of two sections, shown with the second."""

    first: str
    second: str
    column: str
    label: str
    caption: str

    def of(self, curves: pd.DataFrame) -> pd.Series:
        """The compared curve of one section: an accuracy from the first trained epoch."""
        return curves.loc[1 if "accuracy" in self.column else 0 :, self.column].dropna()


COMPARED = (
    Compared(
        "mnist_rows",
        "mnist_rows_class",
        "validation/reconstruction",
        "validation reconstruction loss",
        "Reconstruction of the rows, with and without the class task",
    ),
    Compared(
        "mnist_rows_class",
        "mnist_pixels_class",
        "validation/accuracy",
        "validation accuracy",
        "Digits read row by row and pixel by pixel",
    ),
)


@dataclass(frozen=True)
class Results:
    """What a section left for the page.

    Parameters
    ----------
    metrics
        The numbers of the test split.
    curves, trials, importances
        The tables of training and search.
    figures
        SVG by name.
    explorer
        What `lstm_ae.evaluation.explorer.explore` gave; empty shows nothing to try.
    parameters
        The section's block of params.yaml, and what the search chose.
    """

    metrics: dict[str, Any]
    curves: pd.DataFrame
    trials: pd.DataFrame
    importances: pd.DataFrame
    figures: dict[str, str] = field(default_factory=dict)
    explorer: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)


class Figure(NamedTuple):
    """A figure of the page: an image, or panels with a legend."""

    name: str
    caption: str
    original: int | None
    image: str | None = None
    drawings: Sequence[Drawing] = ()
    legend: Sequence[Series] = ()


def svg_title(svg: str) -> str:
    """What an SVG says of itself."""
    found = re.search("<title>(.*?)</title>", svg)
    return html.unescape(found[1][:1].upper() + found[1][1:]) if found else ""


def svg_uri(svg: str) -> str:
    """An SVG as a data URI, which is text."""
    return "data:image/svg+xml," + urllib.parse.quote(
        " ".join(svg.split()), safe=" /:;=,.()+-*!?@$&'"
    )


def figures(name: str, everything: Mapping[str, Results]) -> list[Figure]:
    """A section's figures in the order of the study."""
    results = everything[name]
    found: list[Figure] = []

    def add(
        figure: str, finding: str, image: str | None = None, plotted: Sequence[Panel] = ()
    ) -> None:
        caption = ". ".join(filter(None, [CAPTIONS.get(figure, figure), finding]))
        legend = max((panel.series for panel in plotted), key=len, default=())
        found.append(
            Figure(
                figure,
                caption,
                ORIGINAL_FIGURES.get((name, figure)),
                image,
                [draw(panel) for panel in plotted],
                legend,
            )
        )

    for figure, svg in results.figures.items():
        if figure not in PLOTTED:
            add(figure, svg_title(svg), svg_uri(svg))
    metrics, trials = results.metrics, results.trials
    if learnt := panels.learning(results.curves):
        finding = f"The best validation loss is {metrics['validation_loss']:.5f}, at epoch {metrics['best_epoch']}"
        add("learning" if "accuracy" in metrics else "loss", finding, plotted=learnt)
    for pair in COMPARED:
        if pair.second == name and pair.first in everything:
            both = {
                title(section): pair.of(everything[section].curves)
                for section in (pair.first, pair.second)
            }
            add("comparison", pair.caption, plotted=[panels.comparison(pair.label, both)])
    if "multi_step" in metrics:
        rows = metrics["multi_step"]["by_horizon"]
        add(
            "error_by_horizon",
            f"{fed_back(rows)}. Dots are forecasts of one step",
            plotted=panels.horizons(metrics["one_step"], rows),
        )
    if (trials["state"] == "complete").any():
        best = trials[trials["state"] == "complete"].sort_values("loss", kind="stable").iloc[0]
        chosen = ", ".join(
            f"{parameter} {best[parameter]:.4g}" for parameter in panels.searched(trials)
        )
        add(
            "search",
            f"The best of {len(trials)} trials has {chosen}",
            plotted=panels.search(trials),
        )
    order = list(CAPTIONS)
    return sorted(
        found, key=lambda figure: order.index(figure.name) if figure.name in order else len(order)
    )


def title(name: str) -> str:
    return STUDY[name].title if name in STUDY else name


def fed_back(by_horizon: Sequence[Mapping[str, float]]) -> str:
    """Where a forecast fed its own predictions has skill, and where it has none, in one sentence."""
    last, without = (
        by_horizon[-1]["horizon"],
        [found for found in by_horizon if found["skill"] <= 0],
    )
    if not without:
        lowest = min(by_horizon, key=lambda found: found["skill"])
        return (
            f"Fed its own predictions, the model beats persistence at every horizon up to {last} steps; "
            f"the least at step {lowest['horizon']}, by a skill of {lowest['skill']:.3f}"
        )
    worst = min(without, key=lambda found: found["skill"])
    where = ", ".join(str(found["horizon"]) for found in without)
    return (
        f"Fed its own predictions, the model has no skill over persistence at {len(without)} of {last} horizons "
        f"(steps {where}); the worst is {worst['skill']:.3f} at step {worst['horizon']}"
    )


def results_table(metrics: Mapping[str, dict[str, Any]]) -> pd.DataFrame:
    """One row a section: the model beside PCA and the mean, and what the original report reached."""
    rows = []
    for name, found in metrics.items():
        skill = found.get("one_step", {}).get("skill")
        rows.append(
            {
                "section": name,
                "code": str(found["code_size"]),
                "MSE": f"{found['mse']:.5f}",
                "PCA": f"{found['pca_mse']:.5f}",
                "PCA, clipped": f"{found['pca_clipped_mse']:.5f}"
                if "pca_clipped_mse" in found
                else "",
                "mean": f"{found['mean_mse']:.5f}",
                "accuracy": f"{found['accuracy']:.2%}".replace("%", " %")
                if "accuracy" in found
                else "",
                "one-step skill": "" if skill is None else f"{skill:.3f}",
                "the original report": STUDY[name].reported if name in STUDY else "",
            }
        )
    return pd.DataFrame(rows)


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values under dotted names."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= (
            flat(value, f"{prefix}{key}.")
            if isinstance(value, Mapping)
            else {f"{prefix}{key}": value}
        )
    return found


def readable(value: Any) -> str:
    """A number of a table: six digits at most."""
    if isinstance(value, float):
        return (
            ""
            if np.isnan(value)
            else f"{value:.0f}"
            if value.is_integer() and abs(value) < 1e6
            else f"{value:.4g}".replace("e-0", "e-")
        )
    return "null" if value is None else json.dumps(value) if isinstance(value, list) else str(value)


def render(everything: Mapping[str, Results], shared: Mapping[str, Any]) -> str:
    """The page.

    Parameters
    ----------
    everything
        The results of each section, in the order of the page.
    shared
        The parameters that all sections share.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "template"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["box"] = charts
    environment.filters |= {
        "readable": readable,
        "slug": lambda text: re.sub(r"\W+", "-", text.lower()),
    }

    def source(file: str) -> Markup:
        return Markup((Path(__file__).parent / "template" / file).read_text(encoding="utf-8"))

    sections = [
        {
            "name": name,
            "title": title(name),
            "part": STUDY[name].part if name in STUDY else "",
            "metrics": results.metrics,
            "numbers": flat(results.metrics),
            "figures": figures(name, everything),
            "trials": results.trials,
            "importances": results.importances,
            "parameters": flat(results.parameters),
            "explorer": pictures.explorer(results.explorer) if results.explorer else None,
        }
        for name, results in everything.items()
    ]
    table = results_table({name: results.metrics for name, results in everything.items()})
    return environment.get_template("index.html.j2").render(
        sections=sections, table=table, shared=flat(shared), source=source
    )
