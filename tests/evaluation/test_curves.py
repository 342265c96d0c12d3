"""Losses by epoch: those of training, and the test split scored with each epoch's weights."""

from pathlib import Path

import numpy as np
import pytest

from lstm_ae.core.splits import Split
from lstm_ae.evaluation.curves import Curves, curves_table, read_curves, with_test
from lstm_ae.model.objectives import DeviceSplit, mean_losses
from lstm_ae.model.saving import save_autoencoder, save_weights
from lstm_ae.params import Params
from lstm_ae.units.layout import Layout
from tests.evaluation.cases import CPU, package_of

LOSSES = {
    "train/loss": {1: 2.0, 2: 1.0},
    "train/accuracy": {1: 0.5, 2: 0.75},
    "train/reconstruction": {1: 1.5, 2: 0.5},
    "validation/loss": {0: 3.0, 1: 2.5, 2: 2.0},
    "validation/accuracy": {0: 0.1, 1: 0.4, 2: 0.6},
    "validation/reconstruction": {0: 2.5, 1: 2.0, 2: 1.5},
}


@pytest.fixture
def curves(tmp_path: Path) -> Curves:
    """The files of DVCLive, read."""
    for name, values in LOSSES.items():
        path = tmp_path / "plots" / "metrics" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{epoch}\t{value}" for epoch, value in values.items()]
        path.write_text("\n".join([f"step\t{path.stem}", *lines]) + "\n")
    return read_curves(tmp_path)


def test_what_training_wrote_is_read_by_measure_and_split(curves) -> None:
    assert set(curves) == {"loss", "accuracy", "reconstruction"}
    for name, values in LOSSES.items():
        split, measure = name.split("/")
        assert curves[measure][split].to_dict() == values


def test_the_table_has_a_row_an_epoch_and_a_column_a_curve(curves) -> None:
    table = curves_table(curves)
    assert set(table.columns) == set(LOSSES)
    assert table.index.tolist() == [0, 1, 2]
    assert table["validation/loss"].tolist() == [3.0, 2.5, 2.0]
    assert np.isnan(table["train/loss"][0])


@pytest.mark.parametrize(("name", "is_fixed"), [("toy", False), ("mnist_rows_class", True)])
def test_test_is_scored_with_the_weights_of_each_epoch(
    params: Params, curves, tmp_path, name: str, is_fixed: bool
) -> None:
    model = package_of(Layout.of_sequences(6, 1), classes=3).model
    random = np.random.default_rng(0)
    test = Split(random.random((30, 6, 1), dtype=np.float32), labels=random.integers(0, 3, 30))
    save_autoencoder(model, tmp_path)
    on_device = DeviceSplit.of(test, CPU)
    expected = {}
    model.requires_grad_(not is_fixed).fix_memory()
    for epoch in range(3):
        model.readout.bias.data += epoch
        save_weights(model, tmp_path / "epochs" / f"{epoch:03d}.safetensors")
        expected[epoch] = mean_losses(model, on_device, "mse", {})
    training = params.section(name).training
    with_third = with_test(curves, tmp_path, test, training, CPU)
    for measure in ("reconstruction", "accuracy"):
        by_epoch = {epoch: losses[measure] for epoch, losses in expected.items()}
        assert with_third[measure]["test"].to_dict() == pytest.approx(by_epoch)
        assert with_third[measure]["train"] is curves[measure]["train"]
    assert "test" not in with_third["loss"]  # which is weighted for training alone
    assert "test" not in curves["reconstruction"]


def test_without_weights_of_each_epoch_there_is_no_curve_of_test(
    params: Params, curves, tmp_path
) -> None:
    test = Split(np.zeros((3, 6, 1), np.float32))
    training = params.section("toy").training
    assert with_test(curves, tmp_path, test, training, CPU) == curves
