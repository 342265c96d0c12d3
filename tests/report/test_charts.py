import numpy as np
import pytest

from lstm_ae.report.charts import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Axis,
    Panel,
    Series,
    date_ticks,
    draw,
    number_ticks,
    to_days,
)


def line(*heights: float) -> Series:
    return Series("a line", "model", np.arange(len(heights), dtype=float), np.array(heights))


def test_a_line_spans_its_box() -> None:
    (drawn,) = draw(Panel(Axis("x"), Axis("y", (0, 2)), [line(0, 1, 2)])).lines
    middle = f"{(LEFT + RIGHT) / 2:.1f} {(TOP + BOTTOM) / 2:.1f}"
    assert drawn.path == f"M{LEFT}.0 {BOTTOM}.0L{middle}L{RIGHT}.0 {TOP}.0"


def test_a_missing_number_breaks_a_line() -> None:
    drawing = draw(Panel(Axis("x"), Axis("y"), [line(1, np.nan, 2, 3)]))
    assert drawing.lines[0].path.count("M") == 2


@pytest.mark.parametrize("series", [line(), line(np.nan), line(3), line(0, 0)])
def test_a_panel_of_few_numbers_is_drawn(series: Series) -> None:
    drawing = draw(Panel(Axis("x"), Axis("y"), [series]))
    assert "nan" not in drawing.lines[0].path and drawing.y_ticks


def test_ticks_have_as_many_decimals_each_and_a_true_minus() -> None:
    _, texts = number_ticks((-0.3, 0.8))
    assert texts == ["\N{MINUS SIGN}0.25", "0.00", "0.25", "0.50", "0.75"]


def test_days_are_marked_by_months() -> None:
    low, high = to_days(["2014-01-02", "2014-04-28"])
    _, texts = date_ticks((low, high))
    assert texts == ["Feb", "Mar", "Apr"]


def test_a_chart_is_told_in_words() -> None:
    panel = Panel(Axis("step"), Axis("value"), [line(3, 2, 1), line(np.nan)])
    assert draw(panel).alt == "value by step: a line from 3 to 1"
