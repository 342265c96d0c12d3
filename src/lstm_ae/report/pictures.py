"""What a reader can try, as pictures: from the numbers that evaluate kept to images and lines."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from lstm_ae.evaluation.figures.style import MODEL, SECOND
from lstm_ae.report.charts import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Array,
    Axis,
    Drawing,
    Panel,
    Series,
    draw,
    find_limits,
    place,
    to_days,
)

Pixels = NDArray[np.uint8]

GREYS = 8  # steps of grey between two that answers tell apart, which halves their bytes
MARGIN = 0.05  # of the range of a panel, free above and below its lines


@dataclass(frozen=True)
class ImageItem:
    """An image to try.

    Parameters
    ----------
    label
        What it is.
    mse
        The error of its reconstruction.
    answer
        The class that the model reads, where it reads one.
    pictures
        What each picture shows, and a data URI.
    sheet
        What the decoder answers to the moved code: all answers in one image as a data URI, a row
        a direction, a column a step.
    """

    label: str
    mse: float
    answer: str | None
    pictures: Sequence[tuple[str, str]]
    sheet: str


@dataclass(frozen=True)
class SeriesItem:
    """A series to try.

    Parameters
    ----------
    label
        What it is.
    mse
        The error of its reconstruction.
    answer
        The class that the model reads, where it reads one.
    panels
        The series and its reconstruction.
    moved
        What the decoder answers: panels whose last line moves.
    x
        (T,), the place of each step in the view box.
    y
        (directions, steps, columns, T), the heights of the lines that the code can move to.
    """

    label: str
    mse: float
    answer: str | None
    panels: Sequence[Drawing]
    moved: Sequence[Drawing]
    x: list[float]
    y: list[Any]


@dataclass(frozen=True)
class Explorer:
    """What a reader of a section can try: images, or series.

    Parameters
    ----------
    items
        The sequences.
    steps
        How far a code moves, in standard deviations.
    variance
        The share of the variance of the codes along each direction.
    shows_images
        Whether the items are images.
    """

    items: Sequence[ImageItem] | Sequence[SeriesItem]
    steps: Sequence[float]
    variance: Sequence[float]
    shows_images: bool

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Of each series, the lines that a script moves."""
        return [{"x": item.x, "y": item.y} for item in self.items if isinstance(item, SeriesItem)]


def explorer(content: Mapping[str, Any]) -> Explorer:
    """Return pictures and lines from what evaluate kept."""
    steps, variance = content["steps"], content["variance"]
    if content["shape"] is None:
        columns, unit = content["columns"], content["unit"]
        series = [series_item(item, columns, unit) for item in content["items"]]
        return Explorer(series, steps, variance, shows_images=False)
    sheet_shape = (len(variance), len(steps), *content["shape"])
    images = [image_item(item, sheet_shape) for item in content["items"]]
    return Explorer(images, steps, variance, shows_images=True)


def image_item(item: Mapping[str, Any], sheet_shape: tuple[int, int, int, int]) -> ImageItem:
    """Return an image beside its reconstruction and error, and all answers of the decoder.

    Parameters
    ----------
    item
        What evaluate kept of the image.
    sheet_shape
        How many directions, steps, rows and columns of pixels the answers have.
    """
    directions, steps, height, width = sheet_shape
    original = ink_on_paper(item["original"], (height, width))
    reconstruction = ink_on_paper(item["reconstruction"], (height, width))
    answers = ink_on_paper(item["moved"], sheet_shape)
    sheet = answers.transpose(0, 2, 1, 3).reshape(directions * height, steps * width)
    pictures = [
        ("original", png(original)),
        ("reconstruction", png(reconstruction)),
        ("error", png(difference(original, reconstruction))),
    ]
    coarse = sheet | np.uint8(GREYS - 1)
    return ImageItem(item["label"], item["mse"], item["answer"], pictures, png(coarse))


def ink_on_paper(packed: str, shape: tuple[int, ...]) -> Pixels:
    """Return packed pixels with what is high dark, as ink is."""
    pixels = np.frombuffer(base64.b64decode(packed), np.uint8)
    return 255 - pixels.reshape(shape)


def difference(original: Pixels, reconstruction: Pixels) -> Pixels:
    """Return (height, width, 4) pixels: orange where a reconstruction has too much ink, else blue.

    They are opaque where the error is half of the range or more.
    """
    error = (original.astype(float) - reconstruction) / 255
    too_much = (error > 0)[..., None]
    colours = np.where(too_much, ImageColor.getrgb(MODEL), ImageColor.getrgb(SECOND))
    opacity = 255 * np.minimum(1, 2 * np.abs(error))
    pixels = np.concatenate([colours, opacity[..., None]], axis=2)
    return pixels.round().astype(np.uint8)


def series_item(item: Mapping[str, Any], columns: Sequence[str], unit: str) -> SeriesItem:
    """Return a series and its reconstruction, and the lines that its code can move to.

    A panel a column, and one of the error where there is a single column.
    """
    original = np.array(item["original"], np.float64)  # (T, columns), as is the next
    reconstruction = np.array(item["reconstruction"], np.float64)
    answers = np.array(item["moved"], np.float64)  # (directions, steps, T, columns)
    x_axis, x = time_axis(item["dates"], len(original))
    panels, moved_panels, heights = [], [], []
    for column, name in enumerate(columns):
        label = f"{name}, {unit}" if unit else name
        lines = (
            Series("original", "original", x, original[:, column]),
            Series("reconstruction", "model", x, reconstruction[:, column]),
        )
        panels.append(Panel(x_axis, Axis(label), lines))
        if len(columns) == 1:
            panels.append(error_panel(x_axis, *lines))
        moved = answers[..., column]
        limits = find_limits(Axis(label), [moved.ravel()], MARGIN)
        still = replace(lines[1], role="still")
        moving = replace(lines[1], role="moved")
        moved_panels.append(Panel(x_axis, Axis(label, limits), (still, moving)))
        heights.append(place(moved, limits, BOTTOM, TOP).round(1))
    places = place(x, find_limits(x_axis, [x]), LEFT, RIGHT).round(1)
    return SeriesItem(
        item["label"],
        item["mse"],
        item["answer"],
        [draw(panel) for panel in panels],
        [draw(panel) for panel in moved_panels],
        places.tolist(),
        np.stack(heights, axis=2).tolist(),
    )


def time_axis(dates: Sequence[str] | None, length: int) -> tuple[Axis, Array]:
    """Return the x axis of a series and the places of its steps: dates, or steps from 1."""
    if not dates:
        return Axis("step"), np.arange(1.0, length + 1)
    years = dict.fromkeys((dates[0][:4], dates[-1][:4]))
    return Axis(" to ".join(years), is_date=True), to_days(dates)


def error_panel(x_axis: Axis, original: Series, reconstruction: Series) -> Panel:
    """Return the error of a reconstruction on the scale of the series, unless it is larger."""
    error = reconstruction.y - original.y
    low, high = find_limits(Axis(""), [original.y, reconstruction.y], MARGIN)
    furthest = max((high - low) / 2, float(np.abs(error).max()))
    y_axis = Axis("error", (-furthest, furthest))
    return Panel(x_axis, y_axis, [Series("error", "error", original.x, error)])


def png(pixels: Pixels) -> str:
    """Return (height, width) greys or (height, width, 4) colours as a data URI."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
