import numpy as np
import pytest

from lstm_ae.report.charts import BOTTOM, LEFT, RIGHT, TOP, Axis, Panel, Series, days, draw, ticks


def line(*ys: float, mark: str = "line") -> Series:
    return Series("a line", "train", range(len(ys)), ys, mark)  # type: ignore[arg-type]


def test_a_line_spans_its_box() -> None:
    (mark,) = draw(Panel(Axis("x"), Axis("y", range=(0, 2)), [line(0, 1, 2)])).marks
    assert (
        mark.path
        == f"M{LEFT}.0 {BOTTOM}.0L{(LEFT + RIGHT) / 2:.1f} {(TOP + BOTTOM) / 2:.1f}L{RIGHT}.0 {TOP}.0"
    )


def test_equal_factors_are_equally_far_apart_on_a_logarithmic_axis() -> None:
    drawing = draw(Panel(Axis("x"), Axis("y", "log"), [line(0.01, 0.1, 1)]))
    heights = [float(point.split()[1]) for point in drawing.marks[0].path[1:].split("L")]
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.11)
    assert [text for _, text in drawing.y_ticks][:3] == ["0.01", "0.03", "0.1"]


def test_a_missing_number_breaks_a_line() -> None:
    assert draw(Panel(Axis("x"), Axis("y"), [line(1, np.nan, 2, 3)])).marks[0].path.count("M") == 2


def test_zero_has_no_place_on_a_logarithmic_axis() -> None:
    assert "nan" not in draw(Panel(Axis("x"), Axis("y", "log"), [line(0, 1, 2)])).marks[0].path


@pytest.mark.parametrize("series", [line(), line(np.nan), line(3), line(0, 0), line(mark="dots")])
def test_a_panel_of_few_numbers_is_drawn(series: Series) -> None:
    for scale in ("linear", "log"):
        drawing = draw(Panel(Axis("x"), Axis("y", scale), [series]))  # type: ignore[arg-type]
        assert "nan" not in drawing.marks[0].path and drawing.y_ticks


def test_evenly_spaced_ticks_have_as_many_decimals_each_and_a_true_minus() -> None:
    assert [text for _, text in ticks(Axis("y"), (-0.3, 0.8))] == [
        "\N{MINUS SIGN}0.25",
        "0.00",
        "0.25",
        "0.50",
        "0.75",
    ]


def test_days_are_marked_by_months() -> None:
    low, high = days(["2014-01-02", "2014-04-28"])
    assert [text for _, text in ticks(Axis("", "date"), (low, high))] == ["Feb", "Mar", "Apr"]


def test_epochs_are_whole() -> None:
    assert [text for _, text in ticks(Axis("epoch", "integer"), (0, 3))] == ["0", "1", "2", "3"]


def test_a_chart_is_told_in_words() -> None:
    panel = Panel(
        Axis("epoch"), Axis("loss"), [line(3, 2, 1), Series("trials", "complete", [0], [5], "dots")]
    )
    assert draw(panel).alt == "loss by epoch: a line from 3 to 1"
