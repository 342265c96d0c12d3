"""Optimizer, learning rates and their schedule."""

from typing import Any

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LRScheduler, OneCycleLR

from lstm_ae.model.autoencoder import Autoencoder
from lstm_ae.params import Training
from lstm_ae.training.muon import Muon

ADAPTIVE = {"adam": Adam, "adamw": AdamW, "muon": Muon}


def make_optimizer(
    model: Autoencoder,
    training: Training,
    lr: float,
    device: str,
) -> Optimizer:
    """The optimizer of a model.

    The learning rate of each group of parameters is `lr` times its factor. Groups of factor 0 are
    frozen.

    On the CPU the fused form takes exact square roots, where the usual one takes approximations
    that differ by the processor.
    """
    frozen = training.lr_factors.frozen()
    model.freeze(frozen)
    factors = training.lr_factors.model_dump()
    groups: list[dict[str, Any]] = []
    for name, parameters in model.groups().items():
        if name not in frozen:
            groups.append({"params": parameters, "lr": lr * factors[name]})

    decay = training.weight_decay
    if training.optimizer == "sgd":
        return SGD(groups, momentum=training.momentum, weight_decay=decay)
    if training.optimizer == "muon":
        groups = _by_matrices(groups, model.matrices())
    kind = ADAPTIVE[training.optimizer]
    return kind(groups, weight_decay=decay, fused=device == "cpu")


def _by_matrices(
    groups: list[dict[str, Any]],
    matrices: dict[nn.Parameter, int],
) -> list[dict[str, Any]]:
    """The groups, each cut into those whose parameters are of as many matrices."""
    cut = []
    for group in groups:
        by_count: dict[int, list[nn.Parameter]] = {}
        for parameter in group["params"]:
            count = matrices.get(parameter, 0)
            by_count.setdefault(count, []).append(parameter)
        for count, parameters in by_count.items():
            cut.append({**group, "params": parameters, "matrices": count})
    return cut


def make_schedule(
    optimizer: Optimizer,
    training: Training,
    steps: int,
) -> LRScheduler:
    """The schedule of the learning rates over that many steps."""
    if training.schedule == "one_cycle":
        return OneCycleLR(
            optimizer,
            [group["lr"] for group in optimizer.param_groups],
            total_steps=max(steps, 2) + 1,
            pct_start=training.warmup,
            cycle_momentum=False,
        )
    if training.schedule == "cosine":
        return CosineAnnealingLR(optimizer, steps)
    return ConstantLR(optimizer, factor=1.0)
