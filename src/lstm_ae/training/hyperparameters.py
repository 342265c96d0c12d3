"""The hyperparameters of one training, and which value wins."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lstm_ae.core.errors import InputError
from lstm_ae.params import TUNABLE, Params


@dataclass(frozen=True)
class Hyperparameters:
    """The numbers of one training, after the order of precedence has decided."""

    hidden_size: int
    lr: float
    gradient_clip: float
    layers: int
    epochs: int


def resolve(
    params: Params,
    name: str,
    best: Mapping[str, float],
) -> Hyperparameters:
    """Decide the hyperparameters of a section.

    `lr` at the top of params.yaml wins; else the section's own number; else, where that is
    `tuned`, the best value of the search. The budget caps the epochs.

    Parameters
    ----------
    name
        Of the section.
    best
        The best values of its search.

    Raises
    ------
    InputError
        A value is tuned and the search gave none.
    """
    section = params.section(name)
    values: dict[str, Any] = {}
    for key in TUNABLE:
        value = getattr(section, key)
        if value == "tuned":
            if key not in best:
                raise InputError(
                    f"{name}.{key}: tuned, but the search wrote no value; "
                    f"give a number, or set {name}.search.trials above 0"
                )
            value = best[key]
        values[key] = value
    if params.lr is not None:
        values["lr"] = params.lr
    epochs = min(section.epochs, params.caps.epochs or section.epochs)
    return Hyperparameters(**values, epochs=epochs)
