"""The page of all figures and results, from metrics and figures alone."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import pandas as pd
from markupsafe import Markup

# What each figure shows, in the order of the study; a figure not named here comes last under its file name.
CAPTIONS = {
    "prices": "Daily prices",
    "examples": "Examples from each split",
    "digits": "Originals over their reconstructions",
    "reconstructions": "Originals and reconstructions",
    "forecasts": "One-step and multi-step forecasts over the truth",
    "error_by_horizon": "Error by horizon",
    "learning": "Losses and accuracy by epoch",
    "loss": "Losses by epoch",
    "search": "The search",
}
REPORTED = {
    "toy": "MSE 0.0655",
    "mnist_rows": "no number given",
    "mnist_rows_class": "98.3 % validation accuracy",
    "mnist_pixels_class": "34 % accuracy",
    "snp": "no number given",
    "snp_forecast": "no number given",
}


class Page(NamedTuple):
    """One section as the page shows it."""

    name: str
    metrics: dict[str, Any]
    figures: list[tuple[str, str]]  # caption, data URI
    trials: pd.DataFrame


TEMPLATE = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>LSTM autoencoders: results</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; }
.wide { overflow-x: auto; }
figure { margin: 1.5rem 0; }
img { max-width: 100%; height: auto; background: #fff; }
figcaption { font-size: .85rem; }
.warning { border-left: 4px solid #d55e00; padding-left: .6rem; font-weight: 600; }
nav a { margin-right: .8rem; }
</style>
</head>
<body>
<header>
<h1>LSTM autoencoders: results</h1>
<p>Every number is of the test split; PCA has as many components as the code has numbers. Errors are mean squared errors per element on the
scale of the prepared data.</p>
<nav>{% for page in pages %}<a href="#{{ page.name }}">{{ page.name }}</a>{% endfor %}</nav>
</header>
<main>
<section>
<h2>All sections</h2>
<div class="wide">{{ table(results) }}</div>
{% for caption, uri in comparisons %}
<figure><img src="{{ uri }}" alt="{{ caption }}"><figcaption>{{ caption }}</figcaption></figure>
{% endfor %}
</section>
{% for page in pages %}
<section id="{{ page.name }}">
<h2>{{ page.name }}</h2>
{% if page.metrics.data_source.startswith("REDUCED") %}<p class="warning">{{ page.metrics.data_source }}</p>{% endif %}
{% if "multi_step" in page.metrics %}<p>{{ fed_back(page.metrics.multi_step.by_horizon) }}</p>{% endif %}
{% for caption, uri in page.figures %}
<figure><img src="{{ uri }}" alt="{{ page.name }}: {{ caption }}"><figcaption>{{ caption }}</figcaption></figure>
{% endfor %}
{% if page.trials|length %}
<details><summary>Every trial of the search</summary><div class="wide">{{ table(page.trials) }}</div></details>
{% endif %}
<details><summary>Every number</summary><pre>{{ page.metrics|tojson(indent=2) }}</pre></details>
</section>
{% endfor %}
<section>
<h2>About the data</h2>
<p>The stocks are the members of the S&amp;P 500 in 2018: companies that failed before are missing (survivorship bias), which flatters
any forecast.</p>
</section>
</main>
</body>
</html>
""")


def data_uri(path: Path) -> str:
    """A PNG inside the page."""
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def read_page(name: str, metrics: dict[str, Any], trials: pd.DataFrame, plots: Path) -> Page:
    """One section's numbers, and its figures in the order of the study."""
    order = list(CAPTIONS)
    paths = sorted(plots.glob("*.png"), key=lambda path: (order.index(path.stem) if path.stem in order else len(order), path.stem))
    return Page(
        name,
        metrics,
        [(CAPTIONS.get(path.stem, path.stem), data_uri(path)) for path in paths],
        trials,
    )


def results_table(metrics: Mapping[str, dict[str, Any]]) -> pd.DataFrame:
    """One row a section: the model beside PCA and the mean, and what the original report reached."""
    rows = []
    for name, found in metrics.items():
        skill = found.get("one_step", {}).get("skill")
        rows.append({
            "section": name, "code": found["code_size"], "hidden": found["hidden_size"], "MSE": f"{found['mse']:.5f}",
            "PCA": f"{found['pca_mse']:.5f}", "PCA, clipped": f"{found['pca_clipped_mse']:.5f}" if "pca_clipped_mse" in found else "",
            "mean": f"{found['mean_mse']:.5f}", "accuracy": f"{found['accuracy']:.2%}" if "accuracy" in found else "",
            "one-step skill": "" if skill is None else f"{skill:.3f}", "the original report": REPORTED.get(name, ""),
        })  # fmt: skip
    return pd.DataFrame(rows)


def fed_back(by_horizon: Sequence[Mapping[str, float]]) -> str:
    """Where a forecast fed its own predictions has skill, and where it has none, in one sentence."""
    last, without = by_horizon[-1]["horizon"], [found for found in by_horizon if found["skill"] <= 0]
    if not without:
        lowest = min(by_horizon, key=lambda found: found["skill"])
        return (
            f"Fed its own predictions, the model beats persistence at every horizon up to {last} steps; "
            f"the least at step {lowest['horizon']}, by a skill of {lowest['skill']:.3f}."
        )
    worst = min(without, key=lambda found: found["skill"])
    steps = ", ".join(str(found["horizon"]) for found in without)
    return (
        f"Fed its own predictions, the model has no skill over persistence at {len(without)} of {last} horizons "
        f"(steps {steps}); the worst is {worst['skill']:.3f} at step {worst['horizon']}."
    )


def render(pages: Sequence[Page], comparisons: Sequence[tuple[str, str]]) -> str:
    """The page, self-contained."""

    def table(frame: pd.DataFrame) -> Markup:
        html = frame.to_html(index=False, border=0, na_rep="", float_format=lambda value: f"{value:.4g}")
        return Markup(html)

    results = results_table({page.name: page.metrics for page in pages})
    return TEMPLATE.render(pages=pages, comparisons=comparisons, results=results, table=table, fed_back=fed_back)
