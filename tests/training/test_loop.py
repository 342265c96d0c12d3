import itertools
import logging
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Split
from lstm_ae.model.objectives import DeviceSplit, losses, mean_losses, weighted
from lstm_ae.model.runtime import start
from lstm_ae.params import Params
from lstm_ae.training import loop
from lstm_ae.training.building import build
from lstm_ae.training.checkpoint import save_state
from lstm_ae.training.hyperparameters import Hyperparameters
from lstm_ae.training.loop import fit
from lstm_ae.training.processes import accelerate
from lstm_ae.training.records import UNTRACKED, Epoch, Recipe, Tracking

HYPERPARAMETERS = Hyperparameters(hidden_size=32, lr=1e-3, gradient_clip=1.0, layers=1, epochs=2)


@pytest.fixture
def fabric():
    return accelerate(start("cpu", threads=1), "32-true")


def toy_split(count: int = 200) -> Split:
    return Split(np.random.default_rng(0).random((count, 50, 1), dtype=np.float32))


def trained(
    fabric,
    params: Params,
    hyperparameters=HYPERPARAMETERS,
    tracking=UNTRACKED,
    validation=None,
    **changes,
):
    section = params.section("toy")
    model = build(section.model, hyperparameters, toy_split(), None, seed=0)
    block = section.training.model_copy(update=changes)
    recipe = Recipe(block, hyperparameters, seed=0)
    return fit(fabric, model, toy_split(), validation or toy_split(40), recipe, tracking)


def test_training_lowers_the_loss_and_keeps_the_best_epoch(fabric, params: Params) -> None:
    found = trained(fabric, params, replace(HYPERPARAMETERS, epochs=5))
    validation = [epoch["validation"]["loss"] for epoch in found.history]
    assert min(validation[1:]) == found.best_loss == validation[found.best_epoch]
    again = mean_losses(
        found.model,
        DeviceSplit.of(toy_split(40), torch.device("cpu")),
        "mse",
        {"reconstruction": 1.0},
    )
    assert again["loss"] == pytest.approx(found.best_loss)
    assert found.history[-1]["train"]["loss"] < found.history[1]["train"]["loss"]


def test_a_start_depends_on_its_seed_alone(params: Params) -> None:
    form = params.section("toy").model.model_copy(update={"initialization": "chrono"})

    def weights(seed: int) -> dict[str, torch.Tensor]:
        return build(form, HYPERPARAMETERS, toy_split(), None, seed).state_dict()

    first = weights(3)
    torch.rand(7)
    state = torch.get_rng_state()
    again, other = weights(3), weights(4)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["encoder.first.weight_hh_l0"], other["encoder.first.weight_hh_l0"])


def test_the_same_seed_gives_the_same_weights(fabric, params: Params) -> None:
    first, second = (trained(fabric, params).model.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_validation_chooses_the_epoch_and_moves_no_step(fabric, params: Params) -> None:
    ours, other = (
        trained(fabric, params, validation=split)
        for split in (toy_split(40), Split(toy_split(40).sequences + 5))
    )
    assert [epoch["train"] for epoch in ours.history] == [epoch["train"] for epoch in other.history]
    assert ours.best_loss < other.best_loss


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "muon", "sgd"])
@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "constant"])
def test_every_optimizer_and_schedule_trains(
    fabric, params: Params, optimizer: str, schedule: str
) -> None:
    found = trained(
        fabric, params, replace(HYPERPARAMETERS, epochs=1), optimizer=optimizer, schedule=schedule
    )
    assert math.isfinite(found.best_loss)


def killed_after(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a training checkpoint after every batch, and die after so many of them."""
    saves = itertools.count(1)

    def save(state, path) -> None:
        save_state(state, path)
        if next(saves) == count:
            raise KeyboardInterrupt

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(loop, "save_state", save)


# Four batches an epoch, two epochs; a checkpoint after each batch and each epoch.
@pytest.mark.parametrize("saves", [1, 3, 5, 8, 10])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "muon", "sgd"])
@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "constant"])
def test_a_training_goes_on_where_it_was_killed(
    fabric, params, tmp_path, monkeypatch, caplog, optimizer, schedule, saves
) -> None:
    settings = {"optimizer": optimizer, "schedule": schedule, "weight_decay": 0.01}
    unbroken = trained(fabric, params, **settings)
    killed_after(saves, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        trained(fabric, params, tracking=Tracking(checkpoint=tmp_path / "c"), **settings)
    caplog.set_level(logging.INFO)
    again = trained(fabric, params, tracking=Tracking(checkpoint=tmp_path / "c"), **settings)
    epochs, batches = divmod(saves, 5)
    assert f"going on from epoch {epochs + 1} after batch {batches} of 4" in caplog.text
    assert again.history == unbroken.history
    assert (again.best_epoch, again.best_loss) == (unbroken.best_epoch, unbroken.best_loss)
    found, wanted = again.model.state_dict(), unbroken.model.state_dict()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_the_epochs_before_a_kill_are_told_again(fabric, params, tmp_path, monkeypatch) -> None:
    unbroken: list[Epoch] = []
    trained(fabric, params, tracking=Tracking(unbroken.append))
    killed_after(7, monkeypatch)
    checkpoint = tmp_path / "c"
    with pytest.raises(KeyboardInterrupt):
        trained(fabric, params, tracking=Tracking(checkpoint=checkpoint))
    again: list[Epoch] = []
    trained(fabric, params, tracking=Tracking(again.append, checkpoint=checkpoint))
    assert [replace(epoch, model=None) for epoch in again] == [
        replace(epoch, model=None) for epoch in unbroken
    ]
    assert [epoch.model is None for epoch in again] == [True, True, False]


def test_a_training_that_diverged_diverges_again_after_a_kill(
    fabric, params, tmp_path, monkeypatch
) -> None:
    changes = {"optimizer": "sgd", "schedule": "constant"}
    wild = replace(HYPERPARAMETERS, lr=1e30, gradient_clip=1e30, epochs=3)
    with pytest.raises(InputError, match="diverged in its first epoch"):
        trained(fabric, params, wild, **changes)
    killed_after(2, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        trained(fabric, params, wild, Tracking(checkpoint=tmp_path / "c"), **changes)
    with pytest.raises(InputError, match="diverged in its first epoch"):
        trained(fabric, params, wild, Tracking(checkpoint=tmp_path / "c"), **changes)


def forecaster(fabric, params: Params, correlation: float, tracking=UNTRACKED):
    """Two epochs on 60 sequences of three days."""
    random, section = np.random.default_rng(0), params.section("snp_forecast")
    split = Split(
        random.normal(size=(60, 10, 3)).astype(np.float32),
        following=random.normal(size=(60, 3)).astype(np.float32),
        group=np.repeat([0, 10, 20], 20),
    )
    form = section.model.model_copy(update={"lags": 2, "code_size": 20})
    block = section.training.model_copy(update={"batch_size": 8, "error_correlation": correlation})
    model = build(form, HYPERPARAMETERS, split, None, seed=0)
    recipe = Recipe(block, HYPERPARAMETERS, seed=0)
    return fit(fabric, model, split, split, recipe, tracking)


def test_batches_of_one_day_go_on_where_they_were_killed(
    fabric, params, tmp_path, monkeypatch
) -> None:
    unbroken = forecaster(fabric, params, 0.3)
    killed_after(12, monkeypatch)  # nine batches an epoch
    with pytest.raises(KeyboardInterrupt):
        forecaster(fabric, params, 0.3, Tracking(checkpoint=tmp_path / "c"))
    again = forecaster(fabric, params, 0.3, Tracking(checkpoint=tmp_path / "c"))
    assert again.history == unbroken.history


def test_a_correlation_of_errors_is_trained_with(fabric, params: Params) -> None:
    alike, correlated = (
        forecaster(fabric, params, correlation).history[-1] for correlation in (0.0, 0.3)
    )
    assert "surprise" not in alike["train"] and correlated["train"]["surprise"] > 0
    weights = params.section("snp_forecast").training.loss_weights
    counted = correlated["train"]["prediction"] - correlated["train"]["surprise"]
    wanted = (
        weights.prediction * counted
        + weights.reconstruction * correlated["train"]["reconstruction"]
    )
    assert correlated["train"]["loss"] == pytest.approx(wanted, rel=1e-5)
    assert alike["validation"] != correlated["validation"]


@pytest.mark.parametrize("loss", ["mse", "l1", "smooth_l1"])
def test_every_loss_trains(fabric, params: Params, loss: str) -> None:
    assert math.isfinite(
        trained(fabric, params, replace(HYPERPARAMETERS, epochs=1), loss=loss).best_loss
    )


def test_divergence_ends_at_the_best_epoch_before_it(fabric, params: Params) -> None:
    def poison(epoch: Epoch) -> None:
        if epoch.number == 2:
            with torch.no_grad():
                epoch.model.readout.bias.fill_(math.nan)

    found = trained(fabric, params, replace(HYPERPARAMETERS, epochs=5), Tracking(poison))
    assert found.diverged_at_epoch == 3
    assert found.best_epoch in (1, 2)
    assert all(torch.isfinite(tensor).all() for tensor in found.model.state_dict().values())


def test_divergence_in_the_first_epoch_fails_with_a_line(fabric, params: Params) -> None:
    def poison(epoch: Epoch) -> None:
        with torch.no_grad():
            epoch.model.readout.bias.fill_(math.nan)

    with pytest.raises(InputError, match=r"training diverged in its first epoch at lr 0\.001"):
        trained(fabric, params, HYPERPARAMETERS, Tracking(poison))


def test_an_absent_device_is_an_error() -> None:
    if torch.cuda.is_available():
        pytest.skip("CUDA is available here")
    with pytest.raises(InputError, match=r"device: cuda is not available on this machine; .* cpu"):
        start("cuda", threads=1)


def test_more_devices_than_there_are_is_an_error() -> None:
    with pytest.raises(
        InputError, match="devices 2: this machine has 1 of mps; set devices to at most 1"
    ):
        accelerate(torch.device("mps"), "32-true", 2)


def test_half_precision_on_the_cpu_is_refused() -> None:
    with pytest.raises(InputError, match="precision bf16-mixed: the CPU trains without autocast"):
        accelerate(torch.device("cpu"), "bf16-mixed")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_auto_takes_cuda(params: Params) -> None:
    fabric = accelerate(start("auto", threads=1), "32-true")
    assert fabric.device.type == "cuda"
    assert math.isfinite(trained(fabric, params).best_loss)


def test_a_code_as_large_as_the_sequence_is_refused(params: Params) -> None:
    with pytest.raises(InputError, match="code_size 32: no smaller than a sequence, which has 20"):
        build(
            params.section("toy").model,
            HYPERPARAMETERS,
            Split(np.zeros((4, 20, 1), np.float32)),
            None,
            seed=0,
        )


def test_a_period_that_does_not_divide_the_sequence_is_refused(params: Params) -> None:
    form = params.section("toy").model.model_copy(update={"period": 7})
    with pytest.raises(InputError, match="period 7: does not divide the 50 steps"):
        build(form, HYPERPARAMETERS, toy_split(), None, seed=0)


@pytest.mark.parametrize(
    ("lags", "line"),
    [
        (9, "lags 9: too many for sequences of 10 steps; set it to at most 8"),
        (8, "hidden_size 32: too small for a code of 10 and 8 lags and averages of 3 .* least 34"),
    ],
)
def test_lags_that_do_not_fit_are_refused(params: Params, lags: int, line: str) -> None:
    sequences = np.random.default_rng(0).random((6, 10, 3), dtype=np.float32)
    changes = {"lags": lags, "averages": [], "code_size": 10}
    form = params.section("snp_forecast").model.model_copy(update=changes)
    with pytest.raises(InputError, match=line):
        build(form, HYPERPARAMETERS, Split(sequences, following=sequences[:, 0]), None, seed=0)


def test_a_rate_factor_of_zero_fixes_its_parameters(fabric, params: Params) -> None:
    starts = {}
    fixed = params.section("toy").training.lr_factors.model_copy(
        update={"encoder": 0.0, "biases": 0.0}
    )

    def keep(epoch: Epoch) -> None:
        if epoch.number == 0:
            for name, tensor in epoch.model.state_dict().items():
                starts[name] = tensor.clone()

    ended = trained(fabric, params, HYPERPARAMETERS, Tracking(keep), lr_factors=fixed)
    found = ended.model.state_dict()
    moved = {name for name in found if not torch.equal(found[name], starts[name])}
    assert {"decoder.first.weight_hh_l0", "readout.weight"} <= moved
    assert not moved & {
        name for name in found if name.startswith("encoder.first.") or ".bias_" in name
    }


def test_terms_of_another_split_are_not_scored(params: Params) -> None:
    sequences = np.random.default_rng(0).random((6, 10, 3), dtype=np.float32)
    split = Split(sequences, following=sequences[:, 0], first_scored=np.full(6, 4))
    form = params.section("snp_forecast").model.model_copy(update={"lags": 2, "averages": []})
    model = build(form, HYPERPARAMETERS, split, None, seed=0)
    batch = DeviceSplit.of(split, torch.device("cpu")).batch(torch.arange(6))
    output = model(batch.sequences)
    before = losses(output, batch, "mse")
    elsewhere = replace(batch, sequences=batch.sequences.clone(), targets=batch.targets.clone())
    elsewhere.sequences[:, :5] += 1
    elsewhere.targets[:, :4] += 1
    after = losses(output, elsewhere, "mse")
    assert before == after
    elsewhere.targets[:, 4] += 1
    assert losses(output, elsewhere, "mse")["prediction"] > before["prediction"]


def test_targets_are_the_next_step() -> None:
    sequences = np.arange(24, dtype=np.float32).reshape(2, 4, 3)
    split = Split(sequences, following=np.full((2, 3), 99, np.float32))
    batch = DeviceSplit.of(split, torch.device("cpu")).batch(torch.arange(2))
    assert torch.equal(batch.targets[:, :-1], batch.sequences[:, 1:])
    assert (batch.targets[:, -1] == 99).all()


def test_the_weighted_sum_leaves_out_what_has_no_weight() -> None:
    found = {
        "reconstruction": torch.tensor(2.0),
        "accuracy": torch.tensor(9.0),
        "classification": torch.tensor(3.0),
    }
    assert weighted(found, {"reconstruction": 0.5, "classification": 1.0}) == 4.0
