"""Losses and scores by epoch, of training, validation and test."""

from pathlib import Path

import pandas as pd
import torch

from lstm_ae.core.splits import Split
from lstm_ae.model.objectives import DeviceSplit, mean_losses
from lstm_ae.package.loading import load_autoencoder
from lstm_ae.params import Training

Curves = dict[str, dict[str, "pd.Series[float]"]]  # by measure and split, over epochs


def read_curves(directory: Path) -> Curves:
    """What DVCLive wrote while the model was trained."""
    curves: Curves = {}
    for split in ("train", "validation"):
        for path in sorted((directory / "plots" / "metrics" / split).glob("*.tsv")):
            table = pd.read_csv(path, sep="\t", index_col="step")
            curves.setdefault(path.stem, {})[split] = table[path.stem]
    return curves


def with_test(
    curves: Curves,
    weights: Path,
    test: Split,
    training: Training,
    device: torch.device,
) -> Curves:
    """Add the curves of the test split where training kept the weights of each epoch.

    Training never saw that split. A memory that it left as it was is computed as validation
    computed it (`model.fixed_memory`).
    """
    frozen = training.lr_factors.frozen()
    on_device = DeviceSplit.of(test, device)
    by_epoch: dict[int, dict[str, float]] = {}
    for path in sorted((weights / "epochs").glob("*.safetensors")):
        model = load_autoencoder(weights, f"epochs/{path.name}").to(device)
        model.freeze(frozen)
        model.fix_memory()
        by_epoch[int(path.stem)] = mean_losses(model, on_device, training.loss, {})
    table = pd.DataFrame.from_dict(by_epoch, orient="index")
    measures = [measure for measure in curves if measure in table and measure != "loss"]
    added: Curves = {measure: {**curves[measure], "test": table[measure]} for measure in measures}
    return curves | added


def curves_table(curves: Curves) -> pd.DataFrame:
    """The curves as a table: a row an epoch, a column `split/measure`."""
    columns = {}
    for measure, by_split in curves.items():
        for split, series in by_split.items():
            columns[f"{split}/{measure}"] = series
    return pd.DataFrame(columns)
