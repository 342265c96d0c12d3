import re

import pytest

from lstm_ae.report.page import fed_back, figures, render, results_table
from tests.results import METRICS, SVG, TRIALS, everything, results


@pytest.fixture(scope="module")
def html() -> str:
    return render(everything(), {"seed": 0})


def test_the_page_is_self_contained_and_the_same_twice(html: str) -> None:
    assert all(
        link.startswith(("data:", "#")) for link in re.findall('(?:src|href)="([^"]*)"', html)
    )
    assert "@import" not in html and "url(" not in html
    assert render(everything(), {"seed": 0}) == html


def test_the_figures_stand_in_the_order_of_the_study_and_an_unknown_one_comes_last() -> None:
    sections = everything()
    assert [figure.name for figure in figures("toy", sections)] == [
        "examples",
        "loss",
        "search",
        "unknown",
    ]
    assert [figure.name for figure in figures("mnist_rows_class", sections)] == [
        "digits",
        "learning",
        "comparison",
        "search",
    ]
    assert [figure.name for figure in figures("snp_forecast", sections)] == [
        "loss",
        "forecasts",
        "error_by_horizon",
        "search",
    ]


def test_a_comparison_needs_both_sections() -> None:
    assert "comparison" not in {
        figure.name for figure in figures("mnist_rows_class", {"mnist_rows_class": results()})
    }


def test_a_caption_says_what_the_figure_found() -> None:
    examples, *_, search, _ = figures("toy", everything())
    assert (examples.caption, examples.original) == ("Examples from each split. What is found", 1)
    assert (
        search.caption
        == "The search. The best of 4 trials has hidden_size 36, lr 0.003, gradient_clip 5, layers 1"
    )


def test_what_is_plotted_from_numbers_is_not_shown_a_second_time_as_it_was_drawn() -> None:
    names = [
        figure.name
        for figure in figures("toy", {"toy": results(figures={"loss": SVG, "search": SVG})})
    ]
    assert names == ["loss", "search"]


def test_a_section_without_a_search_has_no_figure_of_one() -> None:
    assert "search" not in {
        figure.name for figure in figures("toy", {"toy": results(trials=TRIALS.iloc[:0])})
    }


def test_a_section_that_the_study_does_not_know_stands_under_its_name(html: str) -> None:
    assert '<section id="a_table" class="study"' in html and ">a_table</h2>" in html


def test_text_from_data_is_escaped(html: str) -> None:
    assert "<script>alert" not in html and "REDUCED &lt;script&gt;" in html
    assert "<b>," not in html and "&lt;b&gt;, dollars" in html


def test_the_table_stands_beside_pca_and_the_report() -> None:
    row = results_table({"toy": METRICS}).iloc[0]
    assert (row["MSE"], row["PCA"], row["PCA, clipped"], row["the original report"]) == (
        "0.01000",
        "0.02000",
        "0.01900",
        "MSE 0.0655",
    )


def test_an_error_is_bold_where_it_is_below_that_of_pca() -> None:
    assert "<strong>0.01000</strong>" in render({"toy": results()}, {})
    assert "<strong>" not in render({"toy": results({"mse": 0.0195})}, {})


def test_the_page_says_where_a_forecast_has_no_skill() -> None:
    horizons = [
        {"horizon": day, "skill": skill}
        for day, skill in enumerate((0.2, 0.01, -0.02, 0.0), start=1)
    ]
    assert (
        "no skill over persistence at 2 of 4 horizons (steps 3, 4); the worst is -0.020 at step 3"
        in fed_back(horizons)
    )
    assert "at every horizon up to 2 steps; the least at step 2, by a skill of 0.010" in fed_back(
        horizons[:2]
    )


def test_stocks_stand_beside_what_flatters_them() -> None:
    assert "survivorship bias" in render(
        {"snp": results({"data_source": "S&P 500, members of 2018"})}, {}
    )
    assert "survivorship bias" not in render({"toy": results()}, {})
