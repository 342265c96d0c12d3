"""A batch in parts: one result, whoever computes them."""

import numpy as np
import pytest
import torch

from lstm_ae.core.splits import Split
from lstm_ae.model.runtime import in_parallel, start
from lstm_ae.params import Params
from lstm_ae.training.building import build
from lstm_ae.training.hyperparameters import Hyperparameters
from lstm_ae.training.loop import fit
from lstm_ae.training.parts import cut
from lstm_ae.training.processes import accelerate
from lstm_ae.training.records import Recipe, Trained

HYPERPARAMETERS = Hyperparameters(hidden_size=40, lr=1e-3, gradient_clip=0.5, layers=2, epochs=2)


@pytest.fixture(autouse=True)
def one_thread():
    yield
    start("cpu", threads=1)


@pytest.mark.parametrize("count", [1, 2, 31, 32, 33, 64, 100])
@pytest.mark.parametrize("size", [1, 7, 32])
def test_parts_are_even_and_hold_every_row_once(count: int, size: int) -> None:
    parts = cut(count, size)
    rows = [row for part in parts for row in range(part.start, part.stop)]
    assert rows == list(range(count))
    sizes = [part.stop - part.start for part in parts]
    assert max(sizes) <= size and max(sizes) - min(sizes) <= 1


def test_threads_give_results_in_order() -> None:
    start("cpu", threads=3)
    assert in_parallel(lambda number: number * number, range(20)) == [n * n for n in range(20)]
    with pytest.raises(ZeroDivisionError):
        in_parallel(lambda number: 1 / number, [1, 0])


def series(count: int) -> Split:
    random = np.random.default_rng(0)
    steps = random.normal(size=(count, 13, 2)).astype(np.float32)
    day = np.repeat(np.arange(count // 10), 10)
    return Split(steps[:, :12], following=steps[:, 12].copy(), group=day)


def digits(count: int) -> Split:
    random = np.random.default_rng(0)
    sequences = random.random((count, 12, 2)).astype(np.float32)
    return Split(sequences, labels=random.integers(0, 3, count))


def trained(params: Params, split: Split, threads: int, **changes) -> Trained:
    fabric = accelerate(start("cpu", threads), "32-true")
    section = params.section("toy")
    form = section.model.model_copy(update={"code_size": 8})
    block = section.training.model_copy(update={"batch_size": 30, "part_size": 7, **changes})
    classes = None if split.labels is None else 3
    model = build(form, HYPERPARAMETERS, split, classes, seed=0)
    return fit(fabric, model, split, split, Recipe(block, HYPERPARAMETERS, seed=0))


@pytest.mark.parametrize("kind", ["reconstruction", "classes", "days"])
def test_no_byte_depends_on_the_number_of_threads(params: Params, kind: str) -> None:
    weights = params.section("toy").training.loss_weights
    split, changes = {
        "reconstruction": (Split(digits(100).sequences), {}),
        "classes": (digits(100), {"loss_weights": replaced(weights, classification=0.5)}),
        "days": (
            series(100),
            {"loss_weights": replaced(weights, prediction=0.9), "error_correlation": 0.3},
        ),
    }[kind]
    one, *others = (trained(params, split, threads, **changes) for threads in (1, 2, 4))
    assert len(one.history[1]["train"]) > 1 or kind == "reconstruction"
    for other in others:
        assert other.history == one.history
        for name, tensor in one.model.state_dict().items():
            assert torch.equal(other.model.state_dict()[name], tensor), name


def test_another_size_of_parts_is_another_rounding_alone(params: Params) -> None:
    split = digits(100)
    one, other = (trained(params, split, 1, part_size=size) for size in (7, 30))
    assert other.history != one.history
    assert other.best_loss == pytest.approx(one.best_loss, rel=1e-4)


def replaced(weights, **changes):
    return weights.model_copy(update=changes)
