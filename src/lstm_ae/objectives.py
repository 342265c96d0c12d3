"""Batches of a split, their losses and the weighted sum of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lstm_ae.datasets.base import Split
from lstm_ae.model import Output, as_input

POINTWISE = {"mse": functional.mse_loss, "l1": functional.l1_loss, "smooth_l1": functional.smooth_l1_loss}

EVALUATION_BATCH = 500

Metrics = dict[str, float]


class Batch(NamedTuple):
    """B sequences with what is asked of them."""

    sequences: Tensor  # (B, T, m)
    labels: Tensor | None  # (B,)
    targets: Tensor | None  # (B, T, m): the step after each
    first_scored: Tensor | None  # (B,): targets before this step are not scored, reconstructions up to it neither


@dataclass(frozen=True)
class DeviceSplit:
    """A split on the device, indexed there."""

    sequences: Tensor
    labels: Tensor | None
    following: Tensor | None
    first_scored: Tensor | None

    @classmethod
    def of(cls, split: Split, device: torch.device) -> "DeviceSplit":
        arrays = (split.sequences, split.labels, split.following, split.first_scored)
        return cls(*(None if array is None else torch.from_numpy(np.ascontiguousarray(array)).to(device) for array in arrays))  # type: ignore[arg-type]

    def batch(self, rows: Tensor, dtype: torch.dtype = torch.float32) -> Batch:
        sequences = as_input(self.sequences[rows], dtype)
        targets = None
        if self.following is not None:
            targets = torch.cat([sequences[:, 1:], self.following[rows, None].to(dtype)], dim=1)
        return Batch(
            sequences,
            None if self.labels is None else self.labels[rows],
            targets,
            None if self.first_scored is None else self.first_scored[rows],
        )

    def batches(self, size: int, dtype: torch.dtype = torch.float32) -> Iterator[Batch]:
        """All rows in order."""
        for rows in torch.arange(len(self.sequences), device=self.sequences.device).split(size):
            yield self.batch(rows, dtype)


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
    return sum(
        (weights[name] * value for name, value in found.items() if weights.get(name)),
        start=next(iter(found.values())).new_zeros(()),
    )


@torch.no_grad()
def mean_losses(model: torch.nn.Module, split: DeviceSplit, loss: str, weights: Mapping[str, float]) -> Metrics:
    """Mean of each loss over a split, and their weighted sum as `loss`."""
    model.eval()
    sums: dict[str, float] = {}
    count = 0
    for batch in split.batches(EVALUATION_BATCH):
        found = losses(model(batch.sequences), batch, loss)
        for name, value in {**found, "loss": weighted(found, weights)}.items():
            sums[name] = sums.get(name, 0.0) + float(value) * len(batch.sequences)
        count += len(batch.sequences)
    return {name: value / count for name, value in sums.items()}


def _steps(batch: Batch) -> Tensor:
    length = batch.sequences.shape[1]
    return batch.sequences.new_ones(length).cumsum(0)[None] - 1


def _mean(values: Tensor, scored: Tensor | None) -> Tensor:
    """Mean of (B, T, m) over the scored steps (B, T)."""
    if scored is None:
        return values.mean()
    return values.mean(dim=2)[scored].mean()
