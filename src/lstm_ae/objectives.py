"""The losses of a batch and their weighted sum."""

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor
from torch.nn import functional

from lstm_ae.model import Output

POINTWISE = {"mse": functional.mse_loss, "l1": functional.l1_loss, "smooth_l1": functional.smooth_l1_loss}


class Batch(NamedTuple):
    """B sequences with what is asked of them."""

    sequences: Tensor  # (B, T, m)
    labels: Tensor | None  # (B,)
    targets: Tensor | None  # (B, T, m): the step after each
    first_scored: Tensor | None  # (B,): targets before this step are not scored, reconstructions up to it neither


def losses(output: Output, batch: Batch, loss: str) -> dict[str, Tensor]:
    """Each loss that the batch allows, by name: reconstruction, classification, prediction; accuracy beside the second.

    Parameters
    ----------
    loss
        "mse", "l1" or "smooth_l1", of reconstruction and prediction, a mean over the scored elements.
    """
    pointwise = POINTWISE[loss]
    steps = _steps(batch)
    scored = None if batch.first_scored is None else steps > batch.first_scored[:, None]
    found = {"reconstruction": _mean(pointwise(output.reconstruction, batch.sequences, reduction="none"), scored)}
    if output.logits is not None and batch.labels is not None:
        found["classification"] = functional.cross_entropy(output.logits, batch.labels)
        found["accuracy"] = (output.logits.argmax(dim=1) == batch.labels).float().mean()
    if output.predictions is not None and batch.targets is not None:
        scored = None if batch.first_scored is None else steps >= batch.first_scored[:, None]
        found["prediction"] = _mean(pointwise(output.predictions, batch.targets, reduction="none"), scored)
    return found


def weighted(found: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """The sum that training minimises."""
    return sum((weights[name] * value for name, value in found.items() if weights.get(name)), start=next(iter(found.values())).new_zeros(()))


def _steps(batch: Batch) -> Tensor:
    length = batch.sequences.shape[1]
    return batch.sequences.new_ones(length).cumsum(0)[None] - 1


def _mean(values: Tensor, scored: Tensor | None) -> Tensor:
    """Mean of (B, T, m) over the scored steps (B, T)."""
    if scored is None:
        return values.mean()
    return values.mean(dim=2)[scored].mean()
