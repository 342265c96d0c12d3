import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from lstm_ae.report.charts import BOTTOM, TOP
from lstm_ae.report.pictures import difference, explorer
from tests.results import STEPS, VARIANCE, images, series


def pixels(uri: str) -> np.ndarray:
    png = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(png)))


def unpack(packed: str, *shape: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode(packed), np.uint8).reshape(shape)


def test_ink_is_dark_on_paper() -> None:
    content = images()
    pictures = explorer(content).items[0].pictures
    original = unpack(content["items"][0]["original"], 4, 4)
    np.testing.assert_array_equal(pixels(pictures["original"]), 255 - original)


def test_a_sheet_has_a_row_of_answers_for_each_direction() -> None:
    content = images()
    (item, *_) = explorer(content).items
    answers = unpack(content["items"][0]["moved"], len(VARIANCE), len(STEPS), 4, 4)
    sheet = pixels(item.sheet)
    assert sheet.shape == (4 * len(VARIANCE), 4 * len(STEPS))
    np.testing.assert_allclose(sheet[4:8, 8:12], 255 - answers[1, 2], atol=8)


def test_too_much_ink_is_orange_and_too_little_is_blue() -> None:
    paper = np.array([[255]], np.uint8)
    ink = np.array([[0]], np.uint8)
    assert difference(paper, ink).tolist() == [[[213, 94, 0, 255]]]
    assert difference(ink, paper).tolist() == [[[0, 114, 178, 255]]]
    assert difference(ink, ink)[0, 0, 3] == 0


@pytest.mark.parametrize(
    ("columns", "labels"),
    [
        (["value"], ["value, dollars", "error"]),
        (["open", "high"], ["open, dollars", "high, dollars"]),
    ],
)
def test_a_series_has_a_panel_a_column_and_the_error_of_a_single_one(
    columns: list[str], labels: list[str]
) -> None:
    item = explorer(series(columns, dates=True)).items[0]
    assert [panel.y_label for panel in item.panels] == labels
    assert {panel.x_label for panel in item.panels} == {"2017"}
    assert len(item.moved) == len(columns)


def test_no_line_leaves_its_panel() -> None:
    content = series(["value"])
    content["items"][0]["reconstruction"] = [[100.0]] * 12
    explored = explorer(content)
    for panel in explored.items[0].panels:
        for line in panel.lines:
            heights = [float(y) for y in re.findall(r" ([\d.]+)", line.path)]
            assert min(heights) >= TOP and max(heights) <= BOTTOM
    moved = np.array(explored.lines[0]["y"])
    assert moved.shape == (len(VARIANCE), len(STEPS), 1, 12)
    assert moved.min() >= TOP and moved.max() <= BOTTOM
