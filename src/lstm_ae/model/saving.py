"""A model as files: weights.safetensors and model.json. `lstm_ae.package.loading` reads them."""

from dataclasses import asdict
from pathlib import Path

from safetensors.torch import save
from torch import nn

from lstm_ae.core.files import write_bytes, write_json
from lstm_ae.model.autoencoder import LSTMAutoencoder


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the weights as safetensors."""
    tensors = {}
    for name, tensor in model.state_dict().items():
        tensors[name] = tensor.detach().cpu().contiguous()
    write_bytes(path, save(tensors))


def save_autoencoder(model: LSTMAutoencoder, directory: Path) -> None:
    """Write weights.safetensors and model.json."""
    save_weights(model, directory / "weights.safetensors")
    write_json(directory / "model.json", asdict(model.architecture))
