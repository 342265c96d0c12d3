"""Muon: steps along orthogonal matrices, and Adam's steps for all that is no matrix.

Of Jordan et al. (2024), with steps of the size of Adam's (Liu et al. 2025). torch has a Muon too,
which computes in bfloat16, by products whose bytes depend on the processor.
"""

from typing import Any

import torch
from torch import Tensor
from torch.optim import AdamW

from lstm_ae.model.layers import inner_product, product
from lstm_ae.model.runtime import in_parallel

MOMENTUM = 0.95
ADAMS_STEP = 0.2  # root mean square of Adam's usual step, of its learning rate
ITERATIONS = 5
QUINTIC = (3.4445, -4.7750, 2.0315)  # brings singular values from (0, 1] near 1


class Muon(AdamW):
    """AdamW whose groups with `matrices` above 0 take steps along orthogonal matrices.

    Each parameter of such a group is made of so many matrices, one upon the other. A step has the
    size that Adam's usually has, so that one learning rate suits all groups.
    """

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Take one step."""
        groups = self.param_groups
        self.param_groups = [group for group in groups if not group["matrices"]]
        loss = super().step(closure)
        self.param_groups = groups
        for group in groups:
            if group["matrices"]:
                self._step_along_matrices(group)
        return loss

    def _step_along_matrices(self, group: dict[str, Any]) -> None:
        count = group["matrices"]
        trained = [weight for weight in group["params"] if weight.grad is not None]
        directions: list[Tensor] = []
        for weight in trained:
            directions.extend(self._direction(weight).chunk(count))
        steps = in_parallel(orthogonal, directions)
        for place, weight in enumerate(trained):
            first = place * count
            step = torch.cat(steps[first : first + count])
            size = ADAMS_STEP * max(directions[first].shape) ** 0.5
            lr = group["lr"]
            weight.mul_(1 - lr * group["weight_decay"])
            weight.add_(step, alpha=-lr * size)

    def _direction(self, weight: Tensor) -> Tensor:
        """The mean of past gradients of a weight, with Nesterov's look ahead."""
        assert weight.grad is not None
        state = self.state[weight]
        if not state:
            state["step"] = torch.zeros(())  # Adam looks for it where a state is loaded
            state["momentum"] = torch.zeros_like(weight)
        momentum = state["momentum"].lerp_(weight.grad, 1 - MOMENTUM)
        return weight.grad.lerp(momentum, MOMENTUM)


@torch.no_grad()
def orthogonal(matrix: Tensor) -> Tensor:
    """The orthogonal matrix nearest to one (N, M), roughly: singular values of about 0.7 to 1.2.

    By a Newton-Schulz iteration of fifth order (Jordan et al. 2024).
    """
    rows, columns = matrix.shape
    is_wide = columns > rows
    tall = matrix.T if is_wide else matrix
    smallest = torch.finfo(matrix.dtype).tiny
    near = tall / tall.norm().clamp(min=smallest)
    first, third, fifth = QUINTIC
    for _ in range(ITERATIONS):
        square = inner_product(near, near)
        factor = third * square + fifth * product(square, square)
        near = first * near + product(near, factor)
    return near.T if is_wide else near
