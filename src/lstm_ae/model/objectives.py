"""Batches of a split, their losses and the weighted sum of them.

Shapes: B sequences, T steps, m features.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from lstm_ae.core.splits import Split
from lstm_ae.model.autoencoder import Output, as_input
from lstm_ae.model.runtime import in_parallel

POINTWISE = {
    "mse": functional.mse_loss,
    "l1": functional.l1_loss,
    "smooth_l1": functional.smooth_l1_loss,
}

EVALUATION_BATCH = 500

Metrics = dict[str, float]
Number = TypeVar("Number", float, Tensor)


@dataclass(frozen=True)
class Batch:
    """B sequences with what is asked of them.

    Parameters
    ----------
    sequences
        (B, T, m).
    labels
        (B,), or None.
    targets
        (B, T, m) the step after each, or None where nothing is predicted.
    first_scored
        (B,) the first step of each sequence whose target is scored; reconstructions are scored
        after it. None scores all steps.
    """

    sequences: Tensor
    labels: Tensor | None
    targets: Tensor | None
    first_scored: Tensor | None

    def __len__(self) -> int:
        return len(self.sequences)

    def take(self, rows: slice) -> "Batch":
        """The batch of these rows alone."""
        return Batch(
            sequences=self.sequences[rows],
            labels=_rows(self.labels, rows),
            targets=_rows(self.targets, rows),
            first_scored=_rows(self.first_scored, rows),
        )

    def scored(self, loss: str) -> Tensor | None:
        """(B, T) the steps over which a loss is a mean; None where it is one over all."""
        if self.first_scored is None or loss not in ("reconstruction", "prediction"):
            return None
        ahead = loss == "prediction"
        _, length, _ = self.sequences.shape
        steps = torch.arange(length, device=self.sequences.device)
        return steps + ahead > self.first_scored[:, None]


def shuffled(
    count: int,
    size: int,
    group: NDArray[np.int64] | None,
    generator: torch.Generator,
) -> list[Tensor]:
    """The rows of each batch of an epoch, drawn at random.

    Parameters
    ----------
    count, size
        Of the rows in all, and of those in a batch.
    group
        (count,) where it is given, each batch holds rows of one group.
    """
    rows = torch.randperm(count, generator=generator)
    if group is None:
        return list(rows.split(size))
    group_of_row = torch.from_numpy(group)[rows]
    batches: list[Tensor] = []
    for key in group_of_row.unique():
        batches.extend(rows[group_of_row == key].split(size))
    order = torch.randperm(len(batches), generator=generator)
    return [batches[i] for i in order.tolist()]


def translated(
    images: Tensor,
    most: int,
    generator: torch.Generator,
) -> Tensor:
    """Images (B, height, width), each moved by up to `most` pixels in both directions.

    What comes in at an edge is 0.
    """
    count, height, width = images.shape
    device = images.device
    padded = functional.pad(images, (most, most, most, most))
    places = 2 * most + 1
    moves = torch.randint(0, places, (2, count), generator=generator)
    down, right = moves.to(device)
    rows = torch.arange(height, device=device)
    rows = down[:, None] + rows
    columns = torch.arange(width, device=device)
    columns = right[:, None] + columns
    numbers = torch.arange(count, device=device)
    return padded[
        numbers[:, None, None],
        rows[:, :, None],
        columns[:, None, :],
    ]


@dataclass(frozen=True)
class DeviceSplit:
    """The tensors of a split on the device, where batches are cut from them.

    Parameters
    ----------
    image_shape
        Height and width, where a sequence is an image.
    sequences, labels, following, first_scored
        As in `Split`.
    """

    image_shape: tuple[int, ...] | None
    sequences: Tensor
    labels: Tensor | None
    following: Tensor | None
    first_scored: Tensor | None

    @classmethod
    def of(cls, split: Split, device: torch.device) -> "DeviceSplit":
        """Copy a split to the device."""
        image_shape = None
        if split.image_shape is not None:
            image_shape = tuple(split.image_shape.tolist())
        sequences = _on_device(split.sequences, device)
        assert sequences is not None
        return cls(
            image_shape=image_shape,
            sequences=sequences,
            labels=_on_device(split.labels, device),
            following=_on_device(split.following, device),
            first_scored=_on_device(split.first_scored, device),
        )

    def batch(
        self,
        rows: Tensor,
        dtype: torch.dtype = torch.float32,
        shift: int = 0,
        generator: torch.Generator | None = None,
    ) -> Batch:
        """The rows as a batch.

        Parameters
        ----------
        shift
            Images are moved at random by up to that many pixels (`translated`).
        generator
            Draws these moves; needed where `shift` is above 0.
        """
        sequences = self.sequences[rows]
        if shift:
            assert self.image_shape is not None and generator is not None
            images = sequences.view(-1, *self.image_shape)
            sequences = translated(images, shift, generator).view_as(sequences)
        sequences = as_input(sequences, dtype)
        targets = None
        if self.following is not None:
            following = self.following[rows, None].to(dtype)
            later = sequences[:, 1:]
            targets = torch.cat([later, following], dim=1)
        return Batch(
            sequences=sequences,
            labels=_rows(self.labels, rows),
            targets=targets,
            first_scored=_rows(self.first_scored, rows),
        )

    def batches(self, size: int, dtype: torch.dtype = torch.float32) -> Iterator[Batch]:
        """All rows in order."""
        count = len(self.sequences)
        rows = torch.arange(count, device=self.sequences.device)
        for part in rows.split(size):
            yield self.batch(part, dtype)


def losses(
    output: Output,
    batch: Batch,
    loss: str,
    correlation: float = 0.0,
) -> dict[str, Tensor]:
    """Each loss that the batch allows, by name: reconstruction, classification, prediction.

    `accuracy` stands beside classification, and beside prediction `surprise`, the part of it that
    does not count.

    Parameters
    ----------
    loss
        "mse", "l1" or "smooth_l1", of reconstruction and prediction, a mean over the scored
        elements.
    correlation
        Of the prediction errors of one day, where a batch holds sequences of the same days. The
        loss of a step's mean error then counts by the share that generalised least squares gives
        it (Fuller and Battese 1974): a day that surprised all B is one surprise, not B.
    """
    pointwise = POINTWISE[loss]
    elements = pointwise(output.reconstruction, batch.sequences, reduction="none")
    terms = {"reconstruction": _mean(elements, batch.scored("reconstruction"))}
    if output.logits is not None and batch.labels is not None:
        terms["classification"] = functional.cross_entropy(output.logits, batch.labels)
        is_right = output.logits.argmax(dim=1) == batch.labels
        terms["accuracy"] = is_right.float().mean()
    if output.predictions is not None and batch.targets is not None:
        elements = pointwise(output.predictions, batch.targets, reduction="none")
        terms["prediction"] = _mean(elements, batch.scored("prediction"))
        if correlation:
            mean_error = (output.predictions - batch.targets).mean(dim=0)
            rest = 1 - correlation
            share = rest / (rest + len(batch) * correlation)
            of_mean_error = pointwise(mean_error, torch.zeros_like(mean_error))
            terms["surprise"] = (1 - share) * of_mean_error
    return terms


def weighted(terms: Mapping[str, Number], weights: Mapping[str, float]) -> Number:
    """The sum that training minimises.

    A term of weight 0 stays in it, so that all processes have a gradient of every parameter.
    """
    counted = dict(terms)
    if "surprise" in terms:
        counted["prediction"] = terms["prediction"] - terms["surprise"]
    products = []
    for name, value in counted.items():
        if name in weights:
            products.append(weights[name] * value)
    return sum(products)  # type: ignore[return-value]


def mean_losses(
    model: torch.nn.Module,
    split: DeviceSplit,
    loss: str,
    weights: Mapping[str, float],
) -> Metrics:
    """Mean of each loss over all that is scored in a split, and their weighted sum as `loss`."""

    @torch.no_grad()
    def of_batch(batch: Batch) -> dict[str, tuple[float, int]]:
        output = model(batch.sequences)
        sums = {}
        for name, value in losses(output, batch, loss).items():
            scored = batch.scored(name)
            count = len(batch) if scored is None else int(scored.sum())
            sums[name] = (float(value) * count, count)
        return sums

    model.eval()
    batches = in_parallel(of_batch, split.batches(EVALUATION_BATCH))
    means = {}
    for name in batches[0]:
        total = sum(sums[name][0] for sums in batches)
        count = sum(sums[name][1] for sums in batches)
        means[name] = total / count
    return {**means, "loss": weighted(means, weights)}


def _rows(tensor: Tensor | None, rows: Tensor | slice) -> Tensor | None:
    if tensor is None:
        return None
    return tensor[rows]


def _on_device(array: NDArray[np.generic] | None, device: torch.device) -> Tensor | None:
    if array is None:
        return None
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)


def _mean(values: Tensor, scored: Tensor | None) -> Tensor:
    """Mean of (B, T, m) over the scored steps (B, T); 0 where none is."""
    if scored is None:
        return values.mean()
    by_step = values.mean(dim=2)
    kept = by_step[scored]
    return kept.sum() / max(len(kept), 1)
