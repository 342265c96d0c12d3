from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lstm_ae.evaluation import figures
from lstm_ae.evaluation.figures.horizons import LOOKS

RANDOM = np.random.default_rng(0)
SYMBOL = "A"
DAYS = [str(day.date()) for day in pd.bdate_range("2017-01-02", periods=80)]
TRIALS = pd.DataFrame(
    {
        "trial": range(6),
        "state": ["complete"] * 5 + ["pruned"],
        "loss": RANDOM.random(6) + 0.01,
        "best_epoch": 1,
        "hidden_size": range(32, 38),
        "lr": np.logspace(-4, -2, 6),
        "gradient_clip": np.logspace(-1, 1, 6),
        "layers": [1, 2, 3, 4, 1, 2],
    }
)
IMPORTANCES = pd.DataFrame({"parameter": ["lr", "layers"], "importance": [0.7, 0.3]})
RANGES: dict[str, Any] = {
    "hidden_size": [32, 49],
    "lr": [1e-4, 1e-2],
    "gradient_clip": [0.1, 10],
    "layers": [1, 4],
}
CURVE = {"train": pd.Series([3.0, 2, 1], [1, 2, 3]), "validation": pd.Series([4.0, 3, 2, 1])}

DRAWN = {
    "toy_examples": lambda: figures.toy_examples(
        {"train": RANDOM.random((2, 50)), "test": RANDOM.random((2, 50))},
        RANDOM.random((30, 50)),
        RANDOM.integers(20, 30, 30),
    ),
    "sequence_reconstructions": lambda: figures.sequence_reconstructions(
        {"test": (RANDOM.random((2, 50)), RANDOM.random((2, 50)))}, "title"
    ),
    "digits": lambda: figures.digits(
        RANDOM.random((10, 28, 28)), RANDOM.random((10, 28, 28)), "title"
    ),
    "learning_curves": lambda: figures.learning_curves(
        {"loss": CURVE, "accuracy": CURVE}, "title " * 40, ["loss"], "a note"
    ),
    "comparison": lambda: figures.comparison(CURVE, "validation loss", logarithmic=True),
    "search": lambda: figures.search(TRIALS, IMPORTANCES, RANGES),
    "prices": lambda: figures.prices(
        DAYS, {SYMBOL: RANDOM.random(80) + 1, "B": RANDOM.random(80) + 1}, "high", None
    ),
    "stock_reconstructions": lambda: figures.stock_reconstructions(
        DAYS, {SYMBOL: (RANDOM.random(80) + 1, RANDOM.random(80) + 1)}, 80, "t", None
    ),
    "forecasts": lambda: figures.forecasts(
        {
            SYMBOL: figures.ForecastPanel(
                DAYS,
                RANDOM.random(80),
                RANDOM.random(40),
                (np.zeros(40), np.ones(40)),
                RANDOM.random(40),
                40,
            )
        },
        "title",
        None,
    ),
    "table_windows": lambda: figures.table_windows(
        [
            figures.WindowPanel(
                SYMBOL,
                pd.date_range("2020-01-01", periods=24, freq="h").to_numpy(),
                {"original": RANDOM.random((24, 5))},
            ),
            figures.WindowPanel(
                "b",
                np.arange(24),
                {"original": RANDOM.random((24, 5)), "reconstruction": RANDOM.random((24, 5))},
            ),
        ],
        [SYMBOL, "b", "c", "d", "e"],
        12,
        "title",
    ),
    "alarms": lambda: figures.alarms(
        [
            figures.AlarmPanel(
                SYMBOL,
                f"column {SYMBOL}",
                np.arange(30),
                RANDOM.random(30),
                RANDOM.random(30),
                RANDOM.random(30) + 0.1,
                np.array([[0, 14], [15, 29]]),
                np.array([0.2, 0.9]),
                np.array([False, True]),
            )
        ],
        0.5,
        "title",
    ),
    "row_alarms": lambda: figures.row_alarms(
        np.array([0.2, 0.9]),
        np.array([False, True]),
        0.5,
        {SYMBOL: (RANDOM.random(30), RANDOM.random(30))},
        "title",
    ),
    "error_by_horizon": lambda: figures.error_by_horizon(
        {name: RANDOM.random(40) + 0.1 for name in LOOKS},
        dict.fromkeys(LOOKS, 0.1),
        "title",
        None,
    ),
}


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_is_a_small_png_without_metadata(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.png"
    figures.save(DRAWN[name](), path)
    assert path.stat().st_size < 100_000
    with Image.open(path) as image:
        assert image.format == "PNG" and min(image.size) > 200
        assert not {"Software", "date", "Creation Time"} & set(image.info)


@pytest.mark.parametrize(
    "name",
    ["prices", "stock_reconstructions", "forecasts", "table_windows", "alarms", "row_alarms"],
)
def test_a_name_from_data_is_no_formula(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As one, it would end in an error of its syntax."""
    monkeypatch.setitem(globals(), "SYMBOL", r"$\frac$")
    figures.save(DRAWN[name](), tmp_path / "a.png")
    assert (tmp_path / "a.png").is_file()


def test_the_same_arrays_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        figure = figures.search(TRIALS, IMPORTANCES, RANGES)
        figures.save(figure, tmp_path / f"{name}.png")
        figures.save_vector(figure, tmp_path / f"{name}.svg")
    for kind in ("png", "svg"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_the_title_of_a_vector_figure_stands_beside_its_drawing(tmp_path: Path) -> None:
    figures.save_vector(
        figures.digits(RANDOM.random((2, 4, 4)), RANDOM.random((2, 4, 4)), "a < b"),
        tmp_path / "a.svg",
    )
    assert "<title>a &lt; b</title>" in (tmp_path / "a.svg").read_text()


def test_the_title_of_a_vector_figure_has_the_names_as_they_are(tmp_path: Path) -> None:
    figures.save_vector(
        figures.prices(DAYS, {"US$/A$": np.ones(80)}, "high", None), tmp_path / "a.svg"
    )
    assert ": US$/A$ 1.0-fold</title>" in (tmp_path / "a.svg").read_text()


def test_the_title_of_a_search_has_the_best_trial() -> None:
    trials = TRIALS.assign(loss=[0.2, 0.1, 0.3, 0.3, 0.3, 0.05])  # the last was pruned
    title = figures.search(trials, IMPORTANCES, RANGES).get_suptitle()
    assert " ".join(title.split()) == (
        "The best of 6 trials: hidden_size 33, lr 0.000251, gradient_clip 0.251, layers 2"
    )


@pytest.mark.parametrize(
    ("measure", "title"),
    [
        ("validation loss", "Best validation loss: train 1; validation 1"),
        ("validation accuracy", "Best validation accuracy: train 3; validation 4"),
    ],
)
def test_the_title_of_a_comparison_has_the_best_of_each_curve(measure: str, title: str) -> None:
    figure = figures.comparison(CURVE, measure, logarithmic=False)
    assert figure.get_suptitle() == title


def test_epochs_are_whole_even_where_there_is_one() -> None:
    figure = figures.learning_curves({"accuracy": {"train": pd.Series([0.9], [1])}}, "title")
    low, high = figure.axes[0].get_xlim()
    ticks = figure.axes[0].get_xticks()
    assert [tick for tick in ticks if low <= tick <= high] == [1]


def test_a_narrow_logarithmic_axis_has_as_many_decimals_everywhere() -> None:
    curve = {"train": pd.Series([0.0215, 0.0205])}
    figure = figures.learning_curves({"loss": curve}, "title", ["loss"])
    figure.canvas.draw()
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len({len(label) for label in labels}) == 1
