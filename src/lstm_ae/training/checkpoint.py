"""The state of a training as one file: safetensors, with all that is no tensor as JSON beside them. Nothing unpickles."""

import json
import logging
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from lstm_ae.core.files import replacing

log = logging.getLogger(__name__)


def save_state(state: dict[str, Any], path: Path) -> None:
    """Write dicts, lists and numbers with tensors among them, exact to the bit. What stood there before stays whole until the end."""
    tensors: dict[str, Tensor] = {}
    outline = json.dumps(_outline(state, tensors))
    with replacing(path) as temporary:
        temporary.write_bytes(save(tensors, metadata={"outline": outline}))


def load_state(path: Path) -> dict[str, Any] | None:
    """Read what `save_state` wrote, on the CPU; None where there is no file, or with a warning one that is not whole."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # the file is no mapping
            state: dict[str, Any] = _filled(json.loads(file.metadata()["outline"]), tensors)
            return state
    except (SafetensorError, ValueError, LookupError, TypeError) as error:
        log.warning("%s: not a whole checkpoint (%s); the training begins again", path, error)
        return None


def _outline(value: Any, tensors: dict[str, Tensor]) -> Any:
    """The value as JSON, its tensors moved to `tensors`. Dicts become pairs: keys of JSON are text alone."""
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().cpu().contiguous()
        return {"tensor": name}
    if isinstance(value, dict):
        return {"pairs": [[key, _outline(held, tensors)] for key, held in value.items()]}
    if isinstance(value, list | tuple):
        return [_outline(held, tensors) for held in value]
    return value


def _filled(outline: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(outline, dict):
        if "tensor" in outline:
            return tensors[outline["tensor"]]
        return {key: _filled(held, tensors) for key, held in outline["pairs"]}
    return [_filled(held, tensors) for held in outline] if isinstance(outline, list) else outline
