"""Where everything lies: relative to the project's root, and in the user cache."""

import os
from pathlib import Path

import platformdirs

PARAMS = Path("params.yaml")
REPORT = Path("report")
TABLES = Path("data/tables")  # of people, one file a section


def raw(section: str) -> Path:
    """What acquire brought."""
    return Path("data/raw") / section


def prepared(section: str) -> Path:
    """The splits."""
    return Path("data/prepared") / section


def search(section: str) -> Path:
    """best.yaml, trials.csv, importances.csv."""
    return Path("runs") / section / "search"


def training(section: str) -> Path:
    """The DVCLive directory."""
    return Path("runs") / section / "training"


def weights(section: str) -> Path:
    """What training learnt: the model at its best epoch, and where there are classes at each."""
    return Path("runs") / section / "weights"


def explorer(section: str) -> Path:
    """What the page lets a reader try: sequences, reconstructions, answers of the decoder."""
    return Path("runs") / section / "explorer.json"


def figures(section: str) -> Path:
    """The figures as the page shows them: curves, not pixels."""
    return Path("runs") / section / "figures"


def model(section: str) -> Path:
    """The folder that a person takes away: all that using the trained model needs."""
    return Path("models") / section


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
