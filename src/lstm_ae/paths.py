"""Where everything lies: relative to the project's root, and in the user cache."""

import os
from pathlib import Path

import platformdirs

PARAMS = Path("params.yaml")
REPORT = Path("report")


def raw(section: str) -> Path:
    """What acquire brought."""
    return Path("data/raw") / section


def prepared(section: str) -> Path:
    """The splits."""
    return Path("data/prepared") / section


def model(section: str) -> Path:
    """The trained model."""
    return Path("models") / section


def search(section: str) -> Path:
    """best.yaml, trials.csv, importances.csv."""
    return Path("metrics") / section / "search"


def training(section: str) -> Path:
    """The DVCLive directory."""
    return Path("metrics") / section / "training"


def test_metrics(section: str) -> Path:
    """The numbers of the test split."""
    return Path("metrics") / section / "test.json"


def curves(section: str) -> Path:
    """Losses and scores by epoch."""
    return Path("metrics") / section / "curves.csv"


def trials(section: str) -> Path:
    """Every trial of the search."""
    return Path("metrics") / section / "trials.csv"


def plots(section: str) -> Path:
    """The figures."""
    return Path("plots") / section


def cache() -> Path:
    """The user cache: `LSTM_AE_CACHE` where it is set, else the platform's place."""
    return Path(os.environ.get("LSTM_AE_CACHE") or platformdirs.user_cache_dir("lstm-ae"))
