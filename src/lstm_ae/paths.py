"""Where everything lies, relative to the project's root."""

from pathlib import Path

PARAMS = Path("params.yaml")
REPORT = Path("report/index.html")


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


def plots(section: str) -> Path:
    """Figures and the curves behind them."""
    return Path("plots") / section
