import numpy as np
import pytest
import torch

from lstm_ae.model import objectives
from lstm_ae.model.autoencoder import Output
from lstm_ae.model.objectives import (
    Batch,
    DeviceSplit,
    losses,
    mean_losses,
    shuffled,
    translated,
    weighted,
)


def test_an_epoch_has_every_row_once() -> None:
    batches = shuffled(103, 10, None, torch.Generator().manual_seed(0))
    assert torch.cat(batches).sort().values.tolist() == list(range(103))
    assert [len(batch) for batch in batches] == [10] * 10 + [3]


def test_a_batch_holds_one_group() -> None:
    group = np.array([7, 8] * 30 + [9] * 5)
    batches = shuffled(65, 20, group, torch.Generator().manual_seed(0))
    assert torch.cat(batches).sort().values.tolist() == list(range(65))
    assert all(len(set(group[batch.numpy()])) == 1 for batch in batches)
    assert len(batches) == 5


def test_images_move_with_nothing_lost_but_what_leaves() -> None:
    images = torch.zeros(200, 9, 7, dtype=torch.uint8)
    images[:, 4, 3] = 255
    moved = translated(images, 2, torch.Generator().manual_seed(0))
    assert moved.dtype == torch.uint8 and moved.shape == images.shape
    assert (moved.flatten(1).sum(1) == 255).all()
    _, rows, columns = moved.nonzero().T
    assert set(rows.tolist()) == {2, 3, 4, 5, 6} and set(columns.tolist()) == {1, 2, 3, 4, 5}
    assert (
        translated(torch.ones(50, 9, 7), 2, torch.Generator().manual_seed(0)).sum((1, 2)) >= 7 * 5
    ).all()


def test_a_move_keeps_the_neighbours_of_a_pixel() -> None:
    image = torch.rand(1, 8, 8)
    for seed in range(20):
        (moved,) = translated(image, 1, torch.Generator().manual_seed(seed))
        shifts = [
            torch.roll(image[0], (down, right), (0, 1))[1:-1, 1:-1]
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
        ]
        assert any(torch.equal(moved[1:-1, 1:-1], shift) for shift in shifts)


def predicted(errors: torch.Tensor) -> tuple[Output, Batch]:
    sequences = torch.zeros(errors.shape)
    return Output(sequences, sequences[:, 0], None, errors), Batch(
        sequences, None, torch.zeros_like(errors), None
    )


def test_correlated_errors_count_as_in_generalised_least_squares() -> None:
    correlation, count = 0.4, 30
    errors = torch.randn(count, 1, 1, generator=torch.Generator().manual_seed(0)).double() + 2
    found = losses(*predicted(errors), "mse", correlation)
    covariance = (1 - correlation) * torch.eye(count).double() + correlation
    wanted = (
        (1 - correlation)
        * errors[:, 0, 0]
        @ torch.linalg.solve(covariance, errors[:, 0, 0])
        / count
    )
    assert float(weighted(found, {"prediction": 1.0})) == pytest.approx(float(wanted))


@pytest.mark.parametrize("loss", ["mse", "l1", "smooth_l1"])
def test_a_day_that_surprises_all_counts_less(loss: str) -> None:
    alike, apart = (
        torch.full((20, 3, 2), 1.0),
        torch.cat([torch.full((10, 3, 2), 1.0), torch.full((10, 3, 2), -1.0)]),
    )
    together, separate = (
        weighted(losses(*predicted(errors), loss, 0.5), {"prediction": 1.0})
        for errors in (alike, apart)
    )
    assert 0 < float(together) < 0.1 * float(separate)
    plain = losses(*predicted(alike), loss)
    assert (
        "surprise" not in plain
        and plain["prediction"] == losses(*predicted(apart), loss)["prediction"]
    )


def test_a_batch_without_a_scored_step_changes_no_mean(monkeypatch) -> None:
    class Zero(torch.nn.Module):
        def forward(self, sequences: torch.Tensor) -> Output:
            return Output(
                torch.zeros_like(sequences), sequences[:, 0], None, torch.zeros_like(sequences)
            )

    monkeypatch.setattr(objectives, "EVALUATION_BATCH", 1)
    sequences = torch.tensor([[1.0, 1, 1, 2], [9, 9, 9, 9]])[..., None]
    split = DeviceSplit(None, sequences, None, torch.tensor([[3.0], [5.0]]), torch.tensor([1, 3]))
    found = mean_losses(Zero(), split, "mse", {"reconstruction": 0.5, "prediction": 0.5})
    assert found["reconstruction"] == pytest.approx((1 + 4) / 2)
    assert found["prediction"] == pytest.approx((1 + 4 + 9 + 25) / 4)
