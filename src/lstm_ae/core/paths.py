"""Where everything lies: relative to the project's root, and in the user cache."""

import os
from pathlib import Path

import platformdirs

PARAMS = Path("params.yaml")
REPORT = Path("report")
TABLES = Path("data/tables")  # of people, one file a section


def raw(name: str) -> Path:
    """The directory of the raw bytes that acquire brought."""
    return Path("data/raw") / name


def prepared(name: str) -> Path:
    """The directory of the splits."""
    return Path("data/prepared") / name


def search(name: str) -> Path:
    """The directory of best.yaml, trials.csv and importances.csv."""
    return Path("runs") / name / "search"


def training(name: str) -> Path:
    """The directory of DVCLive."""
    return Path("runs") / name / "training"


def weights(name: str) -> Path:
    """The directory of the model at its best epoch and, where there are classes, at each epoch."""
    return Path("runs") / name / "weights"


def rivals(name: str) -> Path:
    """The directory of the models that stand beside that of the section."""
    return Path("runs") / name / "rivals"


def explorer(name: str) -> Path:
    """The file of what a reader can try on the page: sequences and their reconstructions."""
    return Path("runs") / name / "explorer.json"


def figures(name: str) -> Path:
    """The directory of the figures as the page shows them: curves, not pixels."""
    return Path("runs") / name / "figures"


def model(name: str) -> Path:
    """The directory that a person takes away: all that using the trained model needs."""
    return Path("models") / name


def test_metrics(name: str) -> Path:
    """The file of the numbers of the test split."""
    return Path("metrics") / name / "test.json"


def curves(name: str) -> Path:
    """The file of losses and scores by epoch."""
    return Path("metrics") / name / "curves.csv"


def trials(name: str) -> Path:
    """The file of every trial of the search."""
    return Path("metrics") / name / "trials.csv"


def plots(name: str) -> Path:
    """The directory of the figures as pictures."""
    return Path("plots") / name


def cache() -> Path:
    """The directory for unfinished work: `LSTM_AE_CACHE`, else the platform's user cache."""
    return Path(os.environ.get("LSTM_AE_CACHE") or platformdirs.user_cache_dir("lstm-ae"))
