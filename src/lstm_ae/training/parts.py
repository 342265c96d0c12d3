"""A batch computed in parts by threads and processes; the result does not tell how many.

Which rows are a part, and the order in which the gradients of the parts are added, follow from the
sizes of the batch and of a part alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from lstm_ae.model.autoencoder import Output
from lstm_ae.model.runtime import in_parallel


@dataclass(frozen=True)
class Computed:
    """A batch of which this process has computed its share.

    Parameters
    ----------
    rows
        Of each part.
    own
        The outputs of the parts that this process computed, by their number.
    whole
        The output of all, the same in every process. A loss of it leaves its gradients here.
    """

    rows: list[slice]
    own: dict[int, Output]
    whole: Output


def cut(count: int, size: int) -> list[slice]:
    """The rows of each part, neighbours, at most `size` of them, as even as can be."""
    parts = -(-count // size)
    bounds = [count * part // parts for part in range(parts + 1)]
    return [slice(begin, end) for begin, end in pairwise(bounds)]


def compute(
    forward: Callable[[Tensor], Output],
    sequences: Tensor,
    part_size: int,
    fabric: Fabric,
) -> Computed:
    """Run `forward` over sequences (B, T, m), each process over its share of the parts.

    A process without a share computes the first part too, since it needs the shapes.
    """
    rows = cut(len(sequences), part_size)
    mine = range(fabric.global_rank, len(rows), fabric.world_size) or [0]
    outputs = in_parallel(lambda part: forward(sequences[rows[part]]), mine)
    own = dict(zip(mine, outputs, strict=True))

    def joined(field: int) -> Any:
        if outputs[0][field] is None:
            return None
        found: list[Any] = [output[field] for output in outputs]
        tensors = {part: tensor.detach() for part, tensor in zip(mine, found, strict=True)}
        one = found[0]
        shapes = [(part.stop - part.start, *one.shape[1:]) for part in rows]
        together = torch.cat(_of_all_parts(tensors, shapes, fabric))
        return together.requires_grad_()

    return Computed(rows, own, Output(*map(joined, range(len(Output._fields)))))


def add_gradients(
    computed: Computed,
    parameters: list[nn.Parameter],
    fabric: Fabric,
) -> None:
    """Give each parameter the gradient of the loss that was taken of the whole output."""

    def of_part(part: int) -> list[Tensor]:
        outputs = []
        arriving = []
        for own, whole in zip(computed.own[part], computed.whole, strict=True):
            if own is not None and whole is not None and whole.grad is not None:
                outputs.append(own)
                arriving.append(whole.grad[computed.rows[part]])
        found = torch.autograd.grad(outputs, parameters, arriving, allow_unused=True)
        return [
            torch.zeros_like(parameter) if gradient is None else gradient
            for parameter, gradient in zip(parameters, found, strict=True)
        ]

    mine = list(computed.own)
    by_part = in_parallel(of_part, mine)
    of_parameters = []
    for parameter, found in zip(parameters, zip(*by_part, strict=True), strict=True):
        shapes = [parameter.shape] * len(computed.rows)
        of_parts = _of_all_parts(dict(zip(mine, found, strict=True)), shapes, fabric)
        of_parameters.append(of_parts)
    sums = in_parallel(_sum_in_order, of_parameters)
    for parameter, total in zip(parameters, sums, strict=True):
        parameter.grad = total


def _of_all_parts(
    own: dict[int, Tensor],
    shapes: Sequence[Sequence[int]],
    fabric: Fabric,
) -> list[Tensor]:
    """The tensors of all parts in order, where each process gives those of its share."""
    if fabric.world_size == 1:
        return list(own.values())
    some = next(iter(own.values()))
    given = []
    for part, shape in enumerate(shapes):
        is_share = part % fabric.world_size == fabric.global_rank
        tensor = own[part] if is_share else some.new_zeros(shape)
        given.append(tensor.flatten())
    together: Any = fabric.all_reduce(torch.cat(given), reduce_op="sum")  # x + 0 is x
    flat = together.split([tensor.numel() for tensor in given])
    return [tensor.view(shape) for tensor, shape in zip(flat, shapes, strict=True)]


def _sum_in_order(tensors: Sequence[Tensor]) -> Tensor:
    total, *others = tensors
    for tensor in others:
        total = total + tensor
    return total.contiguous()
