"""The page of all figures and results: one file that needs no network.

It is made from metrics, figures and parameters alone.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from lstm_ae.report import charts, study
from lstm_ae.report.figures import section_figures
from lstm_ae.report.pictures import explorer
from lstm_ae.report.results import Results, is_best, results_table

TEMPLATE = Path(__file__).parent / "template"


def render(sections: Mapping[str, Results], shared: Mapping[str, Any]) -> str:
    """Return the page.

    Parameters
    ----------
    sections
        The results of each section, in the order of the page.
    shared
        The parameters that all sections share.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["box"] = charts
    environment.globals["is_best"] = is_best
    environment.filters["readable"] = readable
    return environment.get_template("index.html.j2").render(
        sections=[section_content(name, sections) for name in sections],
        table=results_table({name: results.metrics for name, results in sections.items()}),
        shared=flatten(shared),
        source=source,
    )


def section_content(name: str, sections: Mapping[str, Results]) -> dict[str, Any]:
    """Return what the template shows of a section."""
    results = sections[name]
    return {
        "name": name,
        "title": study.title(name),
        "part": study.SECTIONS[name].part if name in study.SECTIONS else "",
        "metrics": results.metrics,
        "numbers": flatten(results.metrics),
        "figures": section_figures(name, sections),
        "trials": results.trials,
        "parameters": flatten(results.parameters),
        "explorer": explorer(results.explorer) if results.explorer else None,
    }


def source(file: str) -> Markup:
    """Return the text of a style sheet or a script, to stand in the page as it is."""
    return Markup((TEMPLATE / file).read_text(encoding="utf-8"))


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values under dotted names."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def readable(value: Any) -> str:
    """Return a value of a table as text, a number with four digits."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return json.dumps(value)
    if not isinstance(value, float):
        return str(value)
    if np.isnan(value):
        return ""
    if value.is_integer() and abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.4g}".replace("e-0", "e-")
