"""The original report: its sections, its figures, and what it compares."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class StudySection:
    """A section of the original report.

    Parameters
    ----------
    part
        Its number.
    title
        Its title on the page.
    reported
        The result that the original report gives.
    """

    part: str
    title: str
    reported: str


# A section that is not named here stands under its own name.
SECTIONS = {
    "toy": StudySection("3.1", "Toy sequences", "MSE 0.0655"),
    "mnist_rows": StudySection("3.2.1", "MNIST row by row", "no number given"),
    "mnist_rows_class": StudySection(
        "3.2.2", "MNIST row by row, and the class", "98.3 % validation accuracy"
    ),
    "mnist_pixels_class": StudySection(
        "3.2.3", "MNIST pixel by pixel, and the class", "34 % accuracy"
    ),
    "snp": StudySection("3.3.1, 3.3.2", "Stocks never seen", "no number given"),
    "snp_forecast": StudySection(
        "3.3.3, 3.3.4", "Stocks, and tomorrow's prices", "no number given"
    ),
}

# The figures in the order of the page; one that is not named here comes last.
FIGURES = (
    "prices",
    "examples",
    "digits",
    "reconstructions",
    "loss",
    "learning",
    "comparison",
    "forecasts",
    "error_by_horizon",
    "error_by_bits",
    "search",
)

# What a figure shows. One that is not named here stands under the name of its file; a comparison
# has a caption of its own.
CAPTIONS = {
    "prices": "Daily prices",
    "examples": "Examples from each split",
    "digits": "Originals over their reconstructions, and the difference",
    "reconstructions": "Originals and reconstructions",
    "loss": "Losses by epoch",
    "learning": "Losses and accuracy by epoch",
    "forecasts": "One-step and multi-step forecasts over the truth",
    "error_by_horizon": "Error and skill by horizon",
    "error_by_bits": "Error by the bits of each number of a code",
    "search": "The search",
}

# The number of a figure in the original report, by section and figure.
ORIGINAL_FIGURES = {
    ("toy", "examples"): 1,
    ("mnist_rows", "digits"): 2,
    ("mnist_rows_class", "digits"): 3,
    ("mnist_rows_class", "learning"): 4,
    ("mnist_pixels_class", "digits"): 5,
    ("mnist_pixels_class", "learning"): 6,
    ("snp", "prices"): 7,
    ("snp", "reconstructions"): 8,
    ("snp_forecast", "loss"): 9,
    ("snp_forecast", "forecasts"): 10,
}


@dataclass(frozen=True)
class Comparison:
    """A measure of two sections, shown with the second.

    Parameters
    ----------
    first, second
        The names of the sections.
    column
        The measure, a column of curves.csv.
    measure
        The measure in words.
    caption
        What the comparison shows.
    """

    first: str
    second: str
    column: str
    measure: str
    caption: str

    @property
    def is_accuracy(self) -> bool:
        return "accuracy" in self.column

    def select(self, curves: pd.DataFrame) -> pd.Series:
        """Return the compared curve of a section: an accuracy from the first trained epoch on."""
        first_epoch = 1 if self.is_accuracy else 0
        return curves.loc[first_epoch:, self.column].dropna()


COMPARISONS = (
    Comparison(
        "mnist_rows",
        "mnist_rows_class",
        "validation/reconstruction",
        "validation reconstruction loss",
        "Reconstruction of the rows, with and without the class task",
    ),
    Comparison(
        "mnist_rows_class",
        "mnist_pixels_class",
        "validation/accuracy",
        "validation accuracy",
        "Digits read row by row and pixel by pixel",
    ),
)


def title(name: str) -> str:
    """Return the title of a section on the page."""
    return SECTIONS[name].title if name in SECTIONS else name


def order(figure: str) -> int:
    """Return the place of a figure on the page."""
    return FIGURES.index(figure) if figure in FIGURES else len(FIGURES)
