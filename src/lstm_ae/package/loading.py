"""Reading what training saved; `lstm_ae.model.saving` writes it."""

from pathlib import Path

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import read_json
from lstm_ae.model.autoencoder import Architecture, LSTMAutoencoder


def load_autoencoder(directory: Path, weights: str = "weights.safetensors") -> LSTMAutoencoder:
    """Read a saved model, on the CPU and in evaluation mode.

    Raises
    ------
    InputError
        A file is missing, model.json has a value that is not allowed, or the weights are not those of its architecture.
    """
    stored = read_json(directory / "model.json")
    try:
        model = LSTMAutoencoder(Architecture(**stored))
        model.load_state_dict(load_file(directory / weights))
    except FileNotFoundError as error:
        raise InputError(f"{directory / weights}: not found; `dvc repro` makes it") from error
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = "".join(f"{part}: " for part in problem["loc"])
        found = (
            f"found {problem['input']!r}; "
            if isinstance(problem["input"], str | float | int)
            else ""
        )
        raise InputError(
            f"{directory / 'model.json'}: {key}{found}{problem['msg'].removeprefix('Value error, ')}"
        ) from error
    except (RuntimeError, SafetensorError) as error:
        raise InputError(
            f"{directory / weights}: not the weights of model.json ({' '.join(str(error).split())[:200]})"
        ) from error
    return model.eval()
