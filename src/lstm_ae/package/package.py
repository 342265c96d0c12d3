"""A trained model as a folder that a person takes away."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save

from lstm_ae.core.files import write_bytes, write_json
from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.model.saving import save_autoencoder
from lstm_ae.package.calibration import Calibration
from lstm_ae.units.layout import Layout, save_layout


@dataclass(frozen=True)
class Package:
    """A trained model, and all that using it needs.

    Parameters
    ----------
    layout
        How a table is cut into windows, scaled and brought back.
    calibration
        What the validation split says of the model's errors.
    about
        What was trained, on what and how.
    """

    model: LSTMAutoencoder
    layout: Layout
    calibration: Calibration
    about: dict[str, Any]
    device: torch.device = torch.device("cpu")


def save_package(package: Package, directory: Path) -> None:
    """Write the weights, model.json, layout.json, calibration.safetensors and about.json."""
    save_autoencoder(package.model, directory)
    save_layout(package.layout, directory)
    arrays = {
        name: np.ascontiguousarray(array)
        for name, array in asdict(package.calibration).items()
        if array is not None
    }
    write_bytes(directory / "calibration.safetensors", save(arrays))
    write_json(directory / "about.json", package.about)
