"""Reading saved models. `lstm_ae.model.saving` and `lstm_ae.package.package` write them."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_tensors

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import read_json, read_record
from lstm_ae.model.autoencoder import Architecture, LSTMAutoencoder
from lstm_ae.package.calibration import Calibration
from lstm_ae.package.package import Package
from lstm_ae.units.layout import Layout, load_layout

ANEW = "`dvc repro` makes it anew"


def load_autoencoder(directory: Path, weights: str = "weights.safetensors") -> LSTMAutoencoder:
    """Read a saved model, on the CPU and in evaluation mode.

    Raises
    ------
    InputError
        A file is missing, model.json has a value that is not allowed, or the weights are not those
        of its architecture.
    """
    path = directory / weights
    model = LSTMAutoencoder(read_record(directory / "model.json", Architecture))
    try:
        model.load_state_dict(load_tensors(path))
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found; `dvc repro` makes it") from error
    except (RuntimeError, SafetensorError) as error:
        problem = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not the weights of model.json ({problem}); {ANEW}") from error
    return model.eval()


def load_package(directory: Path, device: torch.device) -> Package:
    """Read a packaged model.

    Raises
    ------
    InputError
        A file is missing or not what `save_package` wrote, or the files are of different models.
    """
    if not directory.is_dir():
        raise InputError(
            f"{directory}: not a folder; name one that `dvc repro` makes under models/"
        )
    model = load_autoencoder(directory)
    layout = load_layout(directory)
    _check_layout(layout, model.architecture, directory)
    calibration = _load_calibration(directory / "calibration.safetensors")
    about = read_json(directory / "about.json")
    return Package(model, layout, calibration, about, device)


def _load_calibration(path: Path) -> Calibration:
    try:
        arrays = load_file(path)
        return Calibration(arrays["errors"], arrays.get("ends"), arrays.get("growth"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found; `dvc repro` makes it") from error
    except (SafetensorError, KeyError) as error:
        problem = " ".join(str(error).split())
        raise InputError(f"{path}: not a calibration ({problem}); {ANEW}") from error


def _check_layout(
    layout: Layout,
    architecture: Architecture,
    directory: Path,
) -> None:
    """Raise an error where layout.json is that of another model."""
    features = architecture.features
    of_variables = (
        layout.centre,
        layout.scale,
        layout.bases,
        layout.variables,
    )
    sizes = {len(values) for values in of_variables}
    fits = (
        layout.window == architecture.sequence_length
        and layout.predict == architecture.predicts
        and sizes == {features}
        and max(layout.bases) < features
    )
    if not fits:
        raise InputError(
            f"{directory / 'layout.json'}: not that of model.json, which reads "
            f"{architecture.sequence_length} steps of {features} variables; {ANEW}"
        )
