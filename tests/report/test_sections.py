"""The content of the page: figures, captions, tables."""

import re

import pytest

from lstm_ae.evaluation.figures import style
from lstm_ae.report.figures import describe_skill, section_figures
from lstm_ae.report.page import TEMPLATE, render
from lstm_ae.report.results import results_table
from tests.results import METRICS, all_results, drawn, results


@pytest.fixture(scope="module")
def html() -> str:
    return render(all_results(), {"seed": 0})


def figure_names(section: str) -> list[str]:
    return [figure.name for figure in section_figures(section, all_results())]


def test_the_page_is_self_contained_and_the_same_twice(html: str) -> None:
    links = re.findall('(?:src|href)="([^"]*)"', html)
    assert all(link.startswith(("data:", "#")) for link in links)
    assert "@import" not in html
    assert set(re.findall(r"url\((...)", html)) <= {"%23"}  # a part of the same drawing
    assert render(all_results(), {"seed": 0}) == html


def test_the_figures_stand_in_the_order_of_the_study_and_an_unknown_one_comes_last() -> None:
    assert figure_names("toy") == ["examples", "loss", "search", "unknown"]
    assert figure_names("mnist_rows_class") == ["digits", "learning", "comparison", "search"]
    assert figure_names("snp_forecast") == ["loss", "forecasts", "error_by_horizon", "search"]


def test_every_figure_is_what_evaluate_drew_or_a_comparison(html: str) -> None:
    drawn_by_evaluate = sum(len(section.figures) for section in all_results().values())
    assert len(re.findall("<figure id", html)) == drawn_by_evaluate + 1


def test_a_comparison_needs_both_sections() -> None:
    alone = {"mnist_rows_class": all_results()["mnist_rows_class"]}
    names = [figure.name for figure in section_figures("mnist_rows_class", alone)]
    assert "comparison" not in names


def test_a_comparison_says_which_section_is_better() -> None:
    _, _, comparison, _ = section_figures("mnist_rows_class", all_results())
    assert comparison.caption == (
        "Reconstruction of the rows, with and without the class task. "
        "Best validation reconstruction loss: MNIST row by row 0.011; "
        "MNIST row by row, and the class 0.011"
    )


def test_a_caption_says_what_the_figure_found() -> None:
    examples, *_ = section_figures("toy", all_results())
    assert (examples.caption, examples.original) == ("Examples from each split. What is found", 1)


def test_the_caption_of_errors_by_horizon_says_where_the_forecast_has_skill() -> None:
    _, _, errors, _ = section_figures("snp_forecast", all_results())
    assert errors.caption.startswith("Error and skill by horizon. What is found. Fed its own")


def test_a_figure_is_as_wide_on_the_page_as_it_was_drawn(html: str) -> None:
    assert '<img class="drawn" style="--points: 540"' in html


def test_the_page_has_the_colours_of_the_figures() -> None:
    css = (TEMPLATE / "style.css").read_text()
    colours = (("black", style.ORIGINAL), ("orange", style.MODEL), ("grey", style.FOURTH))
    for name, colour in colours:
        assert f"--{name}: {colour};" in css


def test_a_section_that_the_study_does_not_know_stands_under_its_name(html: str) -> None:
    assert '<section id="a_table" class="study"' in html and ">a_table</h2>" in html


def test_text_from_data_is_escaped(html: str) -> None:
    assert "<script>alert" not in html and "REDUCED &lt;script&gt;" in html
    assert "<b>," not in html and "&lt;b&gt;, dollars" in html


def test_the_table_stands_beside_its_rivals_and_the_report() -> None:
    row = results_table({"toy": METRICS | {"feed_forward_mse": 0.013}}).iloc[0]
    assert (row["MSE"], row["feed-forward"], row["PCA"], row["the original report"]) == (
        "0.01000",
        "0.01300",
        "0.02000",
        "MSE 0.0655",
    )
    assert row["convolutional"] == row["accuracy"] == ""


def test_an_error_is_bold_where_it_is_below_those_of_all_rivals() -> None:
    assert "<strong>0.01000</strong>" in render({"toy": results()}, {})
    assert "<strong>" not in render({"toy": results({"mse": 0.0195})}, {})
    assert "<strong>" not in render({"toy": results({"convolutional_clipped_mse": 0.009})}, {})


def test_the_page_says_where_a_forecast_has_no_skill() -> None:
    skills = enumerate((0.2, 0.01, -0.02, 0.0), start=1)
    horizons = [{"horizon": day, "skill": skill} for day, skill in skills]
    assert (
        "no skill over persistence at 2 of 4 horizons (steps 3, 4); the worst is -0.020 at step 3"
        in describe_skill(horizons)
    )
    assert (
        "at every horizon up to 2 steps; the least at step 2, by a skill of 0.010"
        in describe_skill(horizons[:2])
    )


def test_stocks_stand_beside_what_flatters_them() -> None:
    stocks = results({"data_source": "S&P 500, members of 2018"})
    assert "survivorship bias" in render({"snp": stocks}, {})
    assert "survivorship bias" not in render({"toy": results()}, {})


def test_a_section_without_a_search_has_no_table_of_trials(html: str) -> None:
    assert "Trials of Toy sequences" in html and "Trials of a_table" not in html


def test_a_drawing_without_a_size_is_an_error() -> None:
    with pytest.raises(ValueError, match="no viewBox"):
        section_figures("toy", {"toy": results(figures={"loss": "<svg></svg>"})})
    assert section_figures("toy", {"toy": results(figures=drawn("loss"))})
