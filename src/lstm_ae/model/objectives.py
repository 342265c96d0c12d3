"""Batches of a split, their losses and the weighted sum of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from lstm_ae.core.splits import Split
from lstm_ae.model.autoencoder import Output, as_input

POINTWISE = {
    "mse": functional.mse_loss,
    "l1": functional.l1_loss,
    "smooth_l1": functional.smooth_l1_loss,
}

EVALUATION_BATCH = 500

Metrics = dict[str, float]
Number = TypeVar("Number", float, Tensor)


class Batch(NamedTuple):
    """B sequences with what is asked of them."""

    sequences: Tensor  # (B, T, m)
    labels: Tensor | None  # (B,)
    targets: Tensor | None  # (B, T, m): the step after each
    first_scored: (
        Tensor | None
    )  # (B,): targets before this step are not scored, reconstructions up to it neither

    def scored(self, loss: str) -> Tensor | None:
        """(B, T): the steps over which that loss is a mean; None where it is one over all, or over the sequences."""
        if self.first_scored is None or loss not in ("reconstruction", "prediction"):
            return None
        ahead = loss == "prediction"
        steps = torch.arange(self.sequences.shape[1], device=self.sequences.device)
        return steps + ahead > self.first_scored[:, None]


def shuffled(
    count: int, size: int, group: NDArray[np.int64] | None, generator: torch.Generator
) -> list[Tensor]:
    """The rows of each batch of an epoch, drawn at random; each batch of one group, where there are groups."""
    rows = torch.randperm(count, generator=generator)
    if group is None:
        return list(rows.split(size))
    member = torch.from_numpy(group)[rows]
    batches = [batch for key in member.unique() for batch in rows[member == key].split(size)]
    return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]


def translated(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Images (B, height, width), each moved by up to `most` pixels up or down and left or right; what comes in is 0."""
    count, height, width = images.shape
    padded = functional.pad(images, (most, most, most, most))
    down, right = torch.randint(0, 2 * most + 1, (2, count), generator=generator).to(images.device)
    rows = down[:, None] + torch.arange(height, device=images.device)
    columns = right[:, None] + torch.arange(width, device=images.device)
    which = torch.arange(count, device=images.device)[:, None, None]
    return padded[which, rows[:, :, None], columns[:, None, :]]


@dataclass(frozen=True)
class DeviceSplit:
    """A split on the device, indexed there."""

    image_shape: tuple[int, ...] | None
    sequences: Tensor
    labels: Tensor | None
    following: Tensor | None
    first_scored: Tensor | None

    @classmethod
    def of(cls, split: Split, device: torch.device) -> "DeviceSplit":
        arrays = (split.sequences, split.labels, split.following, split.first_scored)
        tensors = (
            None if array is None else torch.from_numpy(np.ascontiguousarray(array)).to(device)
            for array in arrays
        )
        shape = None if split.image_shape is None else tuple(split.image_shape.tolist())
        return cls(shape, *tensors)  # type: ignore[arg-type]

    def batch(
        self,
        rows: Tensor,
        dtype: torch.dtype = torch.float32,
        shift: int = 0,
        generator: torch.Generator | None = None,
    ) -> Batch:
        """The rows as a batch; `shift` moves images at random by up to that many pixels (`translated`)."""
        sequences = self.sequences[rows]
        if shift:
            assert self.image_shape is not None and generator is not None
            sequences = translated(sequences.view(-1, *self.image_shape), shift, generator).view_as(
                sequences
            )
        sequences = as_input(sequences, dtype)
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


def losses(output: Output, batch: Batch, loss: str, correlation: float = 0.0) -> dict[str, Tensor]:
    """Each loss that the batch allows, by name: reconstruction, classification, prediction; accuracy beside the second, and beside the
    last `surprise`, the part of it that does not count.

    Parameters
    ----------
    loss
        "mse", "l1" or "smooth_l1", of reconstruction and prediction, a mean over the scored elements.
    correlation
        Of the prediction errors of one day, where a batch holds sequences of the same days. The loss of a step's mean error then counts
        by the share that generalised least squares gives it (Fuller and Battese 1974): a day that surprised all B is one surprise, not B.
    """
    pointwise = POINTWISE[loss]
    elements = pointwise(output.reconstruction, batch.sequences, reduction="none")
    found = {"reconstruction": _mean(elements, batch.scored("reconstruction"))}
    if output.logits is not None and batch.labels is not None:
        found["classification"] = functional.cross_entropy(output.logits, batch.labels)
        found["accuracy"] = (output.logits.argmax(dim=1) == batch.labels).float().mean()
    if output.predictions is not None and batch.targets is not None:
        elements = pointwise(output.predictions, batch.targets, reduction="none")
        found["prediction"] = _mean(elements, batch.scored("prediction"))
        if correlation:
            common = (output.predictions - batch.targets).mean(dim=0)
            share = (1 - correlation) / (1 - correlation + len(batch.sequences) * correlation)
            found["surprise"] = (1 - share) * pointwise(common, torch.zeros_like(common))
    return found


def weighted(found: Mapping[str, Number], weights: Mapping[str, float]) -> Number:
    """The sum that training minimises. A term of weight 0 stays in it, so that all processes have a gradient of every parameter."""
    counted = (
        {**found, "prediction": found["prediction"] - found["surprise"]}
        if "surprise" in found
        else found
    )
    return sum(weights[name] * value for name, value in counted.items() if name in weights)  # type: ignore[return-value]


@torch.no_grad()
def mean_losses(
    model: torch.nn.Module, split: DeviceSplit, loss: str, weights: Mapping[str, float]
) -> Metrics:
    """Mean of each loss over all that is scored in a split, and their weighted sum as `loss`."""
    model.eval()
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for batch in split.batches(EVALUATION_BATCH):
        for name, value in losses(model(batch.sequences), batch, loss).items():
            scored = batch.scored(name)
            count = len(batch.sequences) if scored is None else int(scored.sum())
            sums[name] = sums.get(name, 0.0) + float(value) * count
            counts[name] = counts.get(name, 0) + count
    means = {name: sums[name] / counts[name] for name in sums}
    return {**means, "loss": weighted(means, weights)}


def _mean(values: Tensor, scored: Tensor | None) -> Tensor:
    """Mean of (B, T, m) over the scored steps (B, T); 0 where none is."""
    if scored is None:
        return values.mean()
    kept = values.mean(dim=2)[scored]
    return kept.sum() / max(len(kept), 1)
