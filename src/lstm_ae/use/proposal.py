"""A section proposed for a table: its block of params.yaml, and what speaks for its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Split
from lstm_ae.data.series import read_series
from lstm_ae.data.table import prepare_table
from lstm_ae.params import TableData
from lstm_ae.units.layout import Layout
from lstm_ae.units.windows import Series
from lstm_ae.use.table_summary import SHORTEST_CYCLE, TableSummary

CYCLES = {
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "month": 30 * 86_400,
    "year": 365 * 86_400,
}  # seconds
WITHOUT_CYCLE = 48
MOST_WINDOWS = 20_000
UPDATES = 2500  # of a training, as many as the sections of the study have
EXPLAINED = 0.99  # of the variance, by PCA with as many components as the code has numbers
PANEL = 32  # series that share their times; with fewer, a time's errors do not tell it apart


@dataclass(frozen=True)
class Proposal:
    """A section for a table.

    Parameters
    ----------
    section
        The block of params.yaml, without what `defaults` says.
    reasons
        What speaks for its numbers, a line each.
    """

    section: dict[str, Any]
    reasons: list[str]


def propose_section(
    path: Path,
    summary: TableSummary,
    predict: bool,
    columns_are: str,
) -> Proposal:
    """The section that suits a table.

    Raises
    ------
    InputError
        The table is too short, or cannot be read with that layout.
    """
    if columns_are == "series" and summary.series:
        raise InputError(
            f"{path}: times rise within {summary.series} alone: a row a series and time, "
            "whose columns are variables"
        )
    cycle, window_reason = _cycle(summary)
    data = _data(summary, cycle, predict, columns_are)
    series = read_series(path, Layout.of_table(TableData(**data)))
    lengths = [len(each.times) for each in series]
    if _shortest_part(lengths) < cycle:
        if not predict and len(series) >= 10:
            data["split_by"] = "series"
        else:
            data["window"] = max(_shortest_part(lengths), 4 if predict else 2)
            rows = int(np.median(lengths))
            window_reason = f"a fifth of {rows} rows, the part that is validation"
    data["stride"] = max(1, -(-sum(lengths) * 6 // 10 // MOST_WINDOWS))
    data["scaling"], scaling_reason = _scaling(series)
    data["group_by_time"] = predict and len(series) >= PANEL

    prepared = prepare_table(
        path,
        TableData(**data),
        seed=0,
        data_source=str(path),
    )
    train = prepared.splits["train"]
    code_size, code_reason = _code_size(train)
    reasons = [
        f"window {data['window']}: {window_reason}",
        f"scaling {data['scaling']}: {scaling_reason}",
        f"code_size {code_size}: {code_reason}",
        f"{len(train)} training windows, {sum(lengths)} rows of {len(series)} series",
    ]
    return Proposal(_section(data, code_size, train), reasons)


def _cycle(summary: TableSummary) -> tuple[int, str]:
    """The steps of a window, and why: the shortest cycle of enough steps."""
    if summary.has_dates and summary.interval:
        for name, seconds in CYCLES.items():
            steps = round(seconds / summary.interval)
            if steps >= SHORTEST_CYCLE:
                return steps, f"a {name}"
    return WITHOUT_CYCLE, "nothing tells how long a cycle is"


def _data(
    summary: TableSummary,
    window: int,
    predict: bool,
    columns_are: str,
) -> dict[str, Any]:
    """The block `data` of a table that is long enough, before its values are known."""
    return {
        "dataset": "table",
        "columns": summary.columns,
        "columns_are": columns_are,
        "series": summary.series,
        "time": summary.time,
        "window": window,
        "stride": 1,
        "split_by": "time",
        "split": {"train": 0.6, "validation": 0.2, "test": 0.2},
        "scaling": "none",
        "predict": predict,
        "group_by_time": False,
    }


def _shortest_part(lengths: list[int]) -> int:
    """Rows of the part that is a fifth of a series, two less than which a window may have."""
    return int(np.median(lengths)) // 5 - 2


def _scaling(series: Sequence[Series]) -> tuple[str, str]:
    """How values are scaled, and why."""
    values = np.concatenate([each.values for each in series])
    is_tenfold = values.max(axis=0) > 10 * values.min(axis=0)
    if (values > 0).all() and is_tenfold.any():
        return "log_return", "all values are above 0 and differ more than tenfold"
    return "zscore", "the values do not differ tenfold, or reach 0"


def _code_size(train: Split) -> tuple[int, str]:
    """How many numbers the code has, and why."""
    window, features = train.sequences.shape[1:]
    needed = _components(train, EXPLAINED)
    quarter = window * features // 4
    reason = (
        f"PCA needs {needed} for {EXPLAINED:.0%} of the variance, "
        f"a quarter of {window} steps of {features} is {quarter}"
    )
    return max(1, min(needed, quarter)), reason


def _components(train: Split, share: float) -> int:
    """Principal components that hold this share of the variance of the training windows."""
    sample = train.thinned(5000).values()
    flat = sample.reshape(len(sample), -1)
    centred = flat - flat.mean(axis=0)
    energy = np.square(np.linalg.svd(centred, compute_uv=False))
    return int(np.searchsorted(np.cumsum(energy), share * energy.sum())) + 1


def _section(
    data: dict[str, Any],
    code_size: int,
    train: Split,
) -> dict[str, Any]:
    """The block of a section whose data are known."""
    predict = data["predict"]
    window, features = train.sequences.shape[1:]
    lags = min(10, window // 2) if predict else 0
    is_walk = data["scaling"] == "log_return" and not predict
    batch_size = 64 if len(train) < 10_000 else 128
    epochs = int(np.clip(round(UPDATES * batch_size / len(train)), 3, 100))
    weights = {"reconstruction": 1.0, "classification": 0.0, "prediction": 0.0}
    if predict:
        weights |= {"reconstruction": 0.2, "prediction": 0.8}
    return {
        **dict.fromkeys(("lr", "hidden_size", "layers", "gradient_clip"), "tuned"),
        "epochs": epochs,
        "data": data,
        "model": {
            "code_size": code_size,
            "amplitude": 0.005 if is_walk else 0.02,
            "period": 1,
            "lags": lags,
        },
        "training": {
            "batch_size": batch_size,
            "loss": "mse",
            "loss_weights": weights,
            "error_correlation": 0.3 if data["group_by_time"] else 0.0,
            "shift": 0,
            "lr_factors": {"encoder": 0.02, "decoder": 0.02, "biases": 0.0005, "heads": 1.0},
        },
        "search": {
            "trials": 12,
            "epochs": max(1, epochs // 4),
            "sequences": 6000,
            "space": _space(code_size, lags * features),
        },
    }


def _space(code_size: int, kept: int) -> dict[str, dict[str, float]]:
    """The ranges of a search; `kept` are the numbers of the steps that a spectral start keeps."""
    return {
        "hidden_size": {"low": code_size + kept, "high": max(4 * code_size, 32) + kept},
        "lr": {"low": 3e-4, "high": 5e-3},
        "gradient_clip": {"low": 0.1, "high": 10.0},
        "layers": {"low": 2, "high": 3},
    }
