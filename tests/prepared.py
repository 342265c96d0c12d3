"""Prepared data of a test, as search and train read them: splits and their description."""

from dataclasses import asdict
from pathlib import Path

from lstm_ae.core.files import write_json
from lstm_ae.core.splits import Description, Split, save_split


def save_splits(splits: dict[str, Split], directory: Path, classes: int | None = None) -> None:
    """Write splits and description.json."""
    for name, split in splits.items():
        save_split(split, directory / f"{name}.safetensors")
    description = Description(data_source="a test", unit_interval=True, classes=classes)
    write_json(directory / "description.json", asdict(description))
