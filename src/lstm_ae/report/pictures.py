"""What a reader can try, as pictures: from the numbers that evaluate kept to images and lines."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from lstm_ae.evaluation.figures.style import MODEL, SECOND
from lstm_ae.report.charts import (
    MARGIN,
    Array,
    Axis,
    Drawing,
    Panel,
    Series,
    draw,
    find_limits,
    place_x,
    place_y,
    to_days,
)

Pixels = NDArray[np.uint8]

GREYS = 8  # steps of grey between two that answers tell apart, which halves their bytes


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
        A data URI by what the picture shows.
    sheet
        What the decoder answers to the moved code: all answers in one image as a data URI, a row
        a direction, a column a step.
    """

    label: str
    mse: float
    answer: str | None
    pictures: Mapping[str, str]
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
        series = [item for item in self.items if isinstance(item, SeriesItem)]
        return [{"x": item.x, "y": item.y} for item in series]


def explorer(content: Mapping[str, Any]) -> Explorer:
    """Return pictures and lines from what evaluate kept."""
    items = content["items"]
    steps = content["steps"]
    variance = content["variance"]
    if content["shape"] is None:
        columns = content["columns"]
        series = [series_item(item, columns, content["unit"]) for item in items]
        return Explorer(series, steps, variance, shows_images=False)
    sheet_shape = (len(variance), len(steps), *content["shape"])
    images = [image_item(item, sheet_shape) for item in items]
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
    image_shape = sheet_shape[2:]
    original = ink_on_paper(item["original"], image_shape)
    reconstruction = ink_on_paper(item["reconstruction"], image_shape)
    pictures = {
        "original": original,
        "reconstruction": reconstruction,
        "error": difference(original, reconstruction),
    }
    answers = ink_on_paper(item["moved"], sheet_shape)
    return ImageItem(
        label=item["label"],
        mse=item["mse"],
        answer=item["answer"],
        pictures={name: png(pixels) for name, pixels in pictures.items()},
        sheet=png(make_sheet(answers)),
    )


def make_sheet(answers: Pixels) -> Pixels:
    """Lay images (directions, steps, height, width) out as one, a row a direction."""
    directions, steps, height, width = answers.shape
    rows = answers.transpose(0, 2, 1, 3)  # (directions, height, steps, width)
    sheet = rows.reshape(directions * height, steps * width)
    return sheet | np.uint8(GREYS - 1)


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


@dataclass(frozen=True)
class Column:
    """One variable of a series.

    Parameters
    ----------
    label
        Its name and unit.
    original, reconstruction
        (T,).
    moved
        (directions, steps, T), what the decoder answers to the moved code.
    """

    label: str
    original: Array
    reconstruction: Array
    moved: Array


def read_columns(
    item: Mapping[str, Any],
    names: Sequence[str],
    unit: str,
) -> list[Column]:
    """Return the variables of a series that evaluate kept."""
    original = np.array(item["original"], np.float64)
    reconstruction = np.array(item["reconstruction"], np.float64)
    moved = np.array(item["moved"], np.float64)
    columns = []
    for index, name in enumerate(names):
        column = Column(
            label=f"{name}, {unit}" if unit else name,
            original=original[:, index],
            reconstruction=reconstruction[:, index],
            moved=moved[..., index],
        )
        columns.append(column)
    return columns


def series_item(
    item: Mapping[str, Any],
    names: Sequence[str],
    unit: str,
) -> SeriesItem:
    """Return a series and its reconstruction, and the lines that its code can move to.

    A panel a column, and one of the error where there is a single column.
    """
    x_axis, x = time_axis(item["dates"], len(item["original"]))
    columns = read_columns(item, names, unit)
    panels = []
    moved_panels = []
    heights = []
    for column in columns:
        panels.append(reconstruction_panel(column, x_axis, x))
        if len(columns) == 1:
            panels.append(error_panel(column, x_axis, x))
        limits = find_limits([column.moved.ravel()], MARGIN)
        heights.append(place_y(column.moved, limits).round(1))
        y_axis = Axis(column.label, limits)
        moved_panels.append(Panel(x_axis, y_axis, moved_lines(column, x)))
    return SeriesItem(
        label=item["label"],
        mse=item["mse"],
        answer=item["answer"],
        panels=[draw(panel) for panel in panels],
        moved=[draw(panel) for panel in moved_panels],
        x=place_x(x, find_limits([x])).round(1).tolist(),
        y=np.stack(heights, axis=2).tolist(),
    )


def reconstruction_panel(
    column: Column,
    x_axis: Axis,
    x: Array,
) -> Panel:
    """Return a series and its reconstruction."""
    original = Series("original", "original", x, column.original)
    reconstruction = Series("reconstruction", "model", x, column.reconstruction)
    return Panel(x_axis, Axis(column.label), [original, reconstruction])


def error_panel(column: Column, x_axis: Axis, x: Array) -> Panel:
    """Return the error of a reconstruction on the scale of the series, unless it is larger."""
    error = column.reconstruction - column.original
    low, high = find_limits([column.original, column.reconstruction], MARGIN)
    furthest = max((high - low) / 2, float(np.abs(error).max()))
    y_axis = Axis("error", (-furthest, furthest))
    return Panel(x_axis, y_axis, [Series("error", "error", x, error)])


def moved_lines(column: Column, x: Array) -> list[Series]:
    """Return a reconstruction, and the line that starts there and moves with the code."""
    still = Series("reconstruction", "still", x, column.reconstruction)
    moving = Series("reconstruction", "moved", x, column.reconstruction)
    return [still, moving]


def time_axis(dates: Sequence[str] | None, length: int) -> tuple[Axis, Array]:
    """Return the x axis of a series and the places of its steps: dates, or steps from 1."""
    if not dates:
        return Axis("step"), np.arange(1.0, length + 1)
    years = dict.fromkeys((dates[0][:4], dates[-1][:4]))
    return Axis(" to ".join(years), is_date=True), to_days(dates)


def png(pixels: Pixels) -> str:
    """Return (height, width) greys or (height, width, 4) colours as a data URI."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
