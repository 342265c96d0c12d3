"""What one training runs with, and which value wins."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from lstm_ae.core.errors import InputError
from lstm_ae.params import TUNABLE, Params


class Hyperparameters(NamedTuple):
    """What one training runs with, after the order of precedence has decided."""

    hidden_size: int
    lr: float
    gradient_clip: float
    layers: int
    epochs: int


def resolve(params: Params, name: str, best: Mapping[str, float]) -> Hyperparameters:
    """Decide each value: `lr` at the top, else the section's own number, else what search found; epochs under the budget."""
    section = params.section(name)
    values: dict[str, Any] = {}
    for key in TUNABLE:
        value = getattr(section, key)
        if value == "tuned":
            if key not in best:
                raise InputError(
                    f"{name}.{key}: tuned, but the search wrote no value; give a number or trials above 0"
                )
            value = best[key]
        values[key] = value
    if params.lr is not None:
        values["lr"] = params.lr
    return Hyperparameters(
        **values, epochs=min(section.epochs, params.caps.epochs or section.epochs)
    )
