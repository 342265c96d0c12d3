"""The state of a training as one file. Nothing unpickles.

The file is safetensors, with all that is no tensor as JSON in its metadata.
"""

import json
import logging
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from lstm_ae.core.files import write_bytes

log = logging.getLogger(__name__)


def save_state(state: dict[str, Any], path: Path) -> None:
    """Write dicts, lists and numbers with tensors among them, exact to the bit.

    What stood at `path` before stays whole until the new file is.
    """
    tensors: dict[str, Tensor] = {}
    outline = json.dumps(_outline(state, tensors))
    write_bytes(path, save(tensors, metadata={"outline": outline}))


def load_state(path: Path) -> dict[str, Any] | None:
    """Read what `save_state` wrote, on the CPU.

    Returns
    -------
    None where there is no file, and with a warning where it is not whole.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            names = file.keys()
            tensors = {name: file.get_tensor(name) for name in names}
            outline = json.loads(file.metadata()["outline"])
        state: dict[str, Any] = _filled(outline, tensors)
    except (SafetensorError, ValueError, LookupError, TypeError) as error:
        log.warning("%s: not a whole checkpoint (%s); the training begins again", path, error)
        return None
    return state


def _outline(value: Any, tensors: dict[str, Tensor]) -> Any:
    """The value as JSON, its tensors moved to `tensors`.

    Dicts become lists of pairs, since JSON has no keys but text.
    """
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().cpu().contiguous()
        return {"tensor": name}
    if isinstance(value, dict):
        pairs = []
        for key, item in value.items():
            pairs.append([key, _outline(item, tensors)])
        return {"pairs": pairs}
    if isinstance(value, list | tuple):
        return [_outline(item, tensors) for item in value]
    return value


def _filled(outline: Any, tensors: dict[str, Tensor]) -> Any:
    """The value of an outline: the inverse of `_outline`, but that tuples come back as lists."""
    if isinstance(outline, list):
        return [_filled(item, tensors) for item in outline]
    if not isinstance(outline, dict):
        return outline
    if "tensor" in outline:
        return tensors[outline["tensor"]]
    return {key: _filled(item, tensors) for key, item in outline["pairs"]}
