"""The figures of a section, each with its caption."""

import html
import re
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lstm_ae.evaluation.figures.learning import comparison
from lstm_ae.evaluation.figures.style import to_svg
from lstm_ae.report import study
from lstm_ae.report.results import Results


@dataclass(frozen=True)
class Figure:
    """A figure of the page.

    Parameters
    ----------
    name
        The name of its file.
    caption
        What it shows, and what was found.
    original
        Its number in the original report, where it stands there too.
    image
        A data URI.
    width
        The width of the drawing in points, so that all figures have text of the same size.
    """

    name: str
    caption: str
    original: int | None
    image: str
    width: float


def section_figures(name: str, sections: Mapping[str, Results]) -> list[Figure]:
    """Return the figures of a section in the order of the study.

    Parameters
    ----------
    name
        The section.
    sections
        The results of all sections: a comparison needs those of two.
    """
    results = sections[name]
    figures = draw_comparisons(name, sections)
    for figure, svg in results.figures.items():
        sentences = [study.CAPTIONS.get(figure, figure), svg_title(svg)]
        if figure == "error_by_horizon":
            sentences.append(describe_skill(results.metrics["multi_step"]["by_horizon"]))
        figures.append(make_figure(name, figure, svg, sentences))
    return sorted(figures, key=lambda figure: study.order(figure.name))


def draw_comparisons(name: str, sections: Mapping[str, Results]) -> list[Figure]:
    """Draw a section beside those that the study compares it with."""
    figures = []
    for pair in study.COMPARISONS:
        if pair.second != name or pair.first not in sections:
            continue
        curves = {
            study.title(pair.first): pair.select(sections[pair.first].curves),
            study.title(pair.second): pair.select(sections[pair.second].curves),
        }
        drawn = comparison(curves, pair.measure, logarithmic=not pair.is_accuracy)
        svg = to_svg(drawn)
        figures.append(make_figure(name, "comparison", svg, [pair.caption, svg_title(svg)]))
    return figures


def make_figure(
    name: str,
    figure: str,
    svg: str,
    sentences: Sequence[str],
) -> Figure:
    """Return a figure of a section, with these sentences as its caption."""
    return Figure(
        name=figure,
        caption=". ".join(filter(None, sentences)),
        original=study.ORIGINAL_FIGURES.get((name, figure)),
        image=svg_uri(svg),
        width=svg_width(svg),
    )


def svg_title(svg: str) -> str:
    """Return the title of an SVG, from a capital on; empty where it has none."""
    match = re.search("<title>(.*?)</title>", svg)
    if match is None:
        return ""
    title = html.unescape(match[1])
    return title[:1].upper() + title[1:]


def svg_width(svg: str) -> float:
    """Return the width of an SVG in its own units, for matplotlib's those are points."""
    match = re.search(r'viewBox="\S+ \S+ (\S+) ', svg)
    if match is None:
        raise ValueError("the SVG has no viewBox")
    return float(match[1])


def svg_uri(svg: str) -> str:
    """Return an SVG as a data URI, which is text."""
    return "data:image/svg+xml," + urllib.parse.quote(
        " ".join(svg.split()), safe=" /:;=,.()+-*!?@$&'"
    )


def describe_skill(by_horizon: Sequence[Mapping[str, Any]]) -> str:
    """Say in one sentence where a forecast fed its own predictions has skill and where it has none.

    Parameters
    ----------
    by_horizon
        Horizon and skill over persistence, from the first horizon to the last.
    """
    last = by_horizon[-1]["horizon"]
    worst = min(by_horizon, key=lambda scores: scores["skill"])
    without = [scores for scores in by_horizon if scores["skill"] <= 0]
    if not without:
        return (
            "Fed its own predictions, the model beats persistence at every horizon "
            f"up to {last} steps; the least at step {worst['horizon']}, "
            f"by a skill of {worst['skill']:.3f}"
        )
    steps = ", ".join(str(scores["horizon"]) for scores in without)
    return (
        f"Fed its own predictions, the model has no skill over persistence at {len(without)} "
        f"of {last} horizons (steps {steps}); the worst is {worst['skill']:.3f} "
        f"at step {worst['horizon']}"
    )
