"""What all figures share: colours, axes, titles, and how a figure becomes a file."""

import io
import textwrap
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import matplotlib.ticker as mticker
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from lstm_ae.core.files import replacing, write_text

Array = NDArray[np.float64]
Look = dict[str, Any]  # how matplotlib draws a line

# The colours of Okabe and Ito (2008), in an order whose lightness differs. The page's style sheet
# has the same.
ORIGINAL = "#000000"
MODEL = "#D55E00"
SECOND = "#0072B2"
THIRD = "#009E73"
FOURTH = "#999999"
FIFTH = "#CC79A7"

# An error of an image: what is missing is blue, what is too much orange, as on the page.
DIFFERENCE = LinearSegmentedColormap.from_list("difference", [SECOND, "white", MODEL])

# Lines of one panel differ in their style too, so that they can be told apart without colours.
LOOKS: tuple[Look, ...] = (
    {"color": ORIGINAL, "linestyle": "-"},
    {"color": MODEL, "linestyle": "--"},
    {"color": SECOND, "linestyle": ":"},
    {"color": THIRD, "linestyle": "-."},
)

STYLE: dict[str, object] = {
    "figure.dpi": 100,
    "savefig.dpi": 100,
    "font.size": 9,
    "axes.titlesize": 9,
    "figure.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "lstm-ae",
    "axes.formatter.useoffset": False,
    "lines.linewidth": 1.2,
}
plt.rcParams.update(STYLE)  # type: ignore[arg-type]


def save(figure: Figure, path: Path) -> None:
    """Write a PNG of 256 colours without metadata and close the figure."""
    rendered = io.BytesIO()
    figure.savefig(rendered, format="png")
    plt.close(figure)
    colours = Image.open(rendered).convert("RGB")
    image = colours.quantize(256, dither=Image.Dither.NONE)
    with replacing(path) as temporary:
        image.save(temporary, format="png", optimize=True)


def save_vector(figure: Figure, path: Path) -> None:
    """Write the SVG of a figure and close the figure."""
    write_text(path, to_svg(figure))


def to_svg(figure: Figure) -> str:
    """Return a figure as an SVG without background, and close the figure.

    Its title becomes the title of the SVG, which is not drawn: a page shows it as a caption.
    """
    title = figure.get_suptitle().replace(r"\$", "$")
    figure.suptitle("")
    metadata = {
        "Title": " ".join(title.split()),
        "Date": None,
        "Creator": None,
        "Format": None,
        "Type": None,
    }
    svg = io.StringIO()
    figure.savefig(
        svg,
        format="svg",
        transparent=True,
        metadata=metadata,
    )
    plt.close(figure)
    return svg.getvalue()


def titled(
    figure: Figure,
    title: str,
    note: str | None = None,
) -> Figure:
    """Set the title of a figure, wrapped to its width, above a note on a line of its own."""
    characters_per_inch = 11
    lines = textwrap.wrap(title, int(figure.get_figwidth() * characters_per_inch))
    if note:
        lines.append(note)
    figure.suptitle(
        "\n".join(lines),
        x=0.01,
        ha="left",
        fontweight="bold",
    )
    return figure


def legend_below(figure: Figure, axes: Axes, columns: int) -> None:
    """Give a figure the legend of one of its axes, below them all."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)


def plain(name: str) -> str:
    """Escape a name from data: between two $ matplotlib would read a formula."""
    return name.replace("$", r"\$")


def plain_log(axes: Axes) -> None:
    """Write numbers on a logarithmic y axis as people read them."""
    axes.yaxis.set_minor_formatter(mticker.NullFormatter())
    low, high = axes.get_ylim()
    if high < 5 * low:  # too narrow for three of 1, 2, 5
        axes.yaxis.set_major_locator(mticker.MaxNLocator(5))
        evenly = mticker.ScalarFormatter()
        evenly.set_scientific(False)
        axes.yaxis.set_major_formatter(evenly)
    else:
        axes.yaxis.set_major_locator(mticker.LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(plain_numbers())


def plain_numbers() -> mticker.Formatter:
    """A formatter of numbers with four digits, without powers of ten."""
    return mticker.FuncFormatter(lambda value, _: f"{value:.4g}")


def whole_numbers(axes: Axes) -> None:
    """Mark an x axis at whole numbers."""
    locator = mticker.MaxNLocator(
        "auto",
        steps=(1, 2, 2.5, 5, 10),
        integer=True,
        min_n_ticks=1,
    )
    axes.xaxis.set_major_locator(locator)


def date_axis(
    axes: Axes,
    minticks: int = 5,
    maxticks: int | None = None,
) -> None:
    """Mark an x axis by dates, each as short as the dates beside it allow."""
    locator = mdates.AutoDateLocator(minticks=minticks, maxticks=maxticks)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
