"""What a reader tries, as pictures: from the numbers that evaluate kept to images and lines."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lstm_ae.report.charts import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Axis,
    Drawing,
    Panel,
    Series,
    days,
    draw,
    place,
    span,
)

GREYS = 8  # steps of grey between two that the answers tell apart: half the bytes


class Item(NamedTuple):
    """A sequence to try: pictures of an image, panels of a series, and what stands where its code is moved."""

    label: str
    mse: float
    answer: str | None
    pictures: Sequence[tuple[str, str]]  # what it shows, data URI
    panels: Sequence[Drawing]
    moved: (
        str | Sequence[Drawing]
    )  # all answers in one image, a row a direction, or panels whose last line moves


class Explorer(NamedTuple):
    """What a reader of a section can try."""

    items: Sequence[Item]
    steps: Sequence[float]
    variance: Sequence[float]
    lines: Any  # of series: by item {"x": places, "y": [direction][step][column][place]}


def explorer(content: Mapping[str, Any]) -> Explorer:
    """Pictures and lines from what evaluate kept."""
    shape = content["shape"]
    if shape is not None:
        items = [
            image_item(item, shape, len(content["variance"]), len(content["steps"]))
            for item in content["items"]
        ]
        return Explorer(items, content["steps"], content["variance"], None)
    items, lines = zip(
        *(series_item(item, content["columns"], content["unit"]) for item in content["items"]),
        strict=True,
    )
    return Explorer(items, content["steps"], content["variance"], lines)


def image_item(item: Mapping[str, Any], shape: Sequence[int], directions: int, steps: int) -> Item:
    """An image of ink on paper beside its reconstruction and error; all answers of the decoder on one sheet."""
    height, width = shape

    def grey(packed: str, *leading: int) -> NDArray[np.uint8]:
        return 255 - np.frombuffer(base64.b64decode(packed), np.uint8).reshape(
            *leading, height, width
        )

    original, reconstruction = grey(item["original"]), grey(item["reconstruction"])
    sheet = (
        grey(item["moved"], directions, steps)
        .transpose(0, 2, 1, 3)
        .reshape(directions * height, steps * width)
    )
    shown = {
        "original": png(original),
        "reconstruction": png(reconstruction),
        "error": png(difference(original, reconstruction)),
    }
    return Item(
        item["label"],
        item["mse"],
        item["answer"],
        list(shown.items()),
        (),
        png(sheet | np.uint8(GREYS - 1)),
    )


def difference(original: NDArray[np.uint8], reconstruction: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Orange where a reconstruction has too much ink, blue where too little, opaque at half of the range."""
    error = (original.astype(float) - reconstruction) / 255
    colours = np.where(error[..., None] > 0, (213, 94, 0), (0, 114, 178))
    return (
        np.concatenate([colours, (255 * np.minimum(1, 2 * np.abs(error)))[..., None]], axis=2)
        .round()
        .astype(np.uint8)
    )


def series_item(
    item: Mapping[str, Any], columns: Sequence[str], unit: str
) -> tuple[Item, dict[str, Any]]:
    """A series and its reconstruction, a panel a column, and the error where there is one column; the lines that its code can move to."""
    steps = days(item["dates"]) if item["dates"] else np.arange(1.0, len(item["original"]) + 1)
    across = Axis(years(item["dates"]), "date") if item["dates"] else Axis("step")
    compared, moving, heights = [], [], []
    for c, column in enumerate(columns):
        label = f"{column}, {unit}" if unit else column
        original, reconstruction, moved = (
            np.array(item[key], np.float64)[..., c]
            for key in ("original", "reconstruction", "moved")
        )
        low, high = limits = span(Axis(label), [original, reconstruction], 0.05)
        said = Series("reconstruction", "model", steps, reconstruction)
        compared.append(
            Panel(
                across,
                Axis(label, range=limits),
                [Series("original", "original", steps, original), said],
            )
        )
        if len(columns) == 1:
            error = reconstruction - original
            most = max(
                (high - low) / 2, float(np.abs(error).max())
            )  # as far from line to line as above, unless it is worse
            compared.append(
                Panel(
                    across,
                    Axis("error", range=(-most, most)),
                    [Series("error", "error", steps, error)],
                )
            )
        reach = span(Axis(label), [moved.ravel()], 0.05)
        moving.append(
            Panel(
                across,
                Axis(label, range=reach),
                [said._replace(role="still"), said._replace(role="moved")],
            )
        )
        heights.append(place(moved, Axis(label), reach, (BOTTOM, TOP)).round(1))
    lines = {
        "x": place(steps, across, span(across, [steps]), (LEFT, RIGHT)).round(1).tolist(),
        "y": np.stack(heights, axis=2).tolist(),
    }
    drawn = [draw(panel) for panel in compared], [draw(panel) for panel in moving]
    return Item(item["label"], item["mse"], item["answer"], (), *drawn), lines


def years(dates: Sequence[str]) -> str:
    """The year of ISO dates, or the first and the last."""
    return " to ".join(dict.fromkeys((dates[0][:4], dates[-1][:4])))


def png(pixels: NDArray[np.uint8]) -> str:
    """(height, width) greys or (height, width, 4) as a data URI."""
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "png", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(written.getvalue()).decode('ascii')}"
