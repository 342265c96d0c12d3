"""A section proposed for a table: its block of params.yaml, and what speaks for its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Split
from lstm_ae.data.series import series_of
from lstm_ae.data.splitting import split_of
from lstm_ae.data.table import Plan, planned
from lstm_ae.params import TableData
from lstm_ae.units.layout import Layout
from lstm_ae.units.windows import Series
from lstm_ae.use.cycles import WITHOUT_CYCLE, cycle_of
from lstm_ae.use.table_summary import TableSummary

OUTER = (0.01, 0.99)  # of a column's numbers: a few far ones do not tell how it is scaled
AMPLITUDE = 0.002  # at which a trend that leaves the range of training does not bend the memory
LARGEST_CODE = 128
SAMPLED_WINDOWS, SAMPLED_NUMBERS = 5000, 10_000_000  # that PCA looks at
MOST_KEPT = 128  # numbers of the last steps that a spectral start keeps
LARGEST_HIDDEN = 256
MOST_WINDOWS = 20_000
MOST_NUMBERS = 50_000_000  # in all training windows together
UPDATES = 2500  # of a training, as many as the sections of the study have
EXPLAINED = 0.99  # of the variance, by PCA with as many components as the code has numbers
PANEL = 32  # series that share their times; with fewer, a time's errors do not tell it apart


@dataclass(frozen=True)
class Shape:
    """What a person says of a section; None: the table says it.

    Parameters
    ----------
    predict
        The step after each step is predicted.
    columns_are
        "variables" or "series".
    window, stride
        Steps.
    split
        How large train, validation and test are.
    """

    predict: bool = False
    columns_are: str = "variables"
    window: int | None = None
    stride: int | None = None
    split: tuple[float, float, float] | None = None


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


class RefusedError(InputError):
    """A table that cannot be prepared as proposed; `data` is the block to edit."""

    def __init__(self, error: InputError, data: dict[str, Any]) -> None:
        super().__init__(str(error))
        self.data = data


def propose_section(
    path: Path,
    summary: TableSummary,
    shape: Shape,
) -> Proposal:
    """The section that suits a table.

    Raises
    ------
    RefusedError
        The table is too short, or cannot be read with that layout.
    """
    data = _data(summary, shape)
    if shape.columns_are == "series" and summary.series:
        error = InputError(
            f"{path}: times rise within {summary.series} alone: a row a series and time, "
            "whose columns are variables"
        )
        raise RefusedError(error, data)
    try:
        return _proposal(path, summary, shape, data)
    except InputError as error:
        raise RefusedError(error, data) from error


def _proposal(
    path: Path,
    summary: TableSummary,
    shape: Shape,
    data: dict[str, Any],
) -> Proposal:
    """The section, its block `data` filled in as more of the table is known."""
    series = series_of(summary.table, Layout.of_table(TableData(**data)), path)
    if summary.rows_are_sequences:
        data["stride"] = 1
        return _proposal_of_rows(path, data, series)
    lengths = [len(each.times) for each in series]
    pieces = [end - begin for each in series for begin, end in each.unbroken]
    window_reason = "as you said"
    if shape.window is None:
        data["window"], window_reason = cycle_of(summary, series)
        if _longest_window(lengths, pieces) < data["window"]:
            window_reason = _shorten(data, lengths, pieces)
    if shape.stride is None:
        data["stride"] = _stride(sum(lengths), data)
    data["scaling"], scaling_reason = _scaling(series)
    data["group_by_time"] = shape.predict and len(series) >= PANEL

    plan, train = _training(path, data, series)
    code_size, code_reason = _code_size(train)
    reasons = [
        f"window {data['window']}: {window_reason}",
        f"scaling {data['scaling']}: {scaling_reason}",
        f"code_size {code_size}: {code_reason}",
        f"{len(train)} training windows, {sum(lengths)} rows of {len(series)} series",
    ]
    if data["stride"] > data["window"]:
        left_out = 1 - data["window"] / data["stride"]
        reasons.append(
            f"stride {data['stride']}: {left_out:.0%} of the training rows lie in no window; a "
            "smaller one reads more and takes longer"
        )
    reasons += _share_covered(series, plan.layout)
    return Proposal(_section(data, code_size, train), reasons)


def _proposal_of_rows(
    path: Path,
    data: dict[str, Any],
    series: Sequence[Series],
) -> Proposal:
    """The section of a table whose rows are whole sequences."""
    _, train = _training(path, data, series)
    code_size, code_reason = _code_size(train)
    reasons = [
        f"code_size {code_size}: {code_reason}",
        f"{len(train)} training sequences of {len(series)}, drawn at random",
    ]
    return Proposal(_section(data, code_size, train), reasons)


def _stride(rows: int, data: dict[str, Any]) -> int:
    """Steps between two training windows, so that there are not too many."""
    window_size = data["window"] * len(data["columns"])
    most = min(MOST_WINDOWS, MOST_NUMBERS // window_size)
    training_rows = rows * 6 // 10
    return max(1, -(-training_rows // most))


def _training(
    path: Path,
    data: dict[str, Any],
    series: Sequence[Series],
) -> tuple[Plan, Split]:
    """How the series are split and scaled, and the training windows."""
    block = TableData(**data)
    plan = planned(path, series, block, seed=0)
    train = split_of(
        series,
        plan.layout,
        plan.parts["train"],
        block.predict,
    )
    return plan, train


def _shorten(
    data: dict[str, Any],
    lengths: list[int],
    pieces: list[int],
) -> str:
    """Split by series, or shorten the window, where a fifth of a series has none; the reason."""
    if not data["predict"] and len(lengths) >= 10:
        data["split_by"] = "series"
        longest = max(4, _usual_piece(pieces))
        if longest >= data["window"]:
            return "a cycle; validation and test are whole series"
        data["window"] = longest
        return f"half of all rows lie in pieces of {longest} rows or more"
    longest = _longest_window(lengths, pieces)
    data["window"] = max(longest, 4 if data["predict"] else 2)
    rows = int(np.median(lengths))
    return f"a fifth of {rows} rows, the part that is validation, and no longer than most pieces"


def _longest_window(lengths: list[int], pieces: list[int]) -> int:
    """The rows of a window that two fit in the part that is a fifth of a series, between gaps."""
    fifth = int(np.median(lengths)) // 5
    return min(fifth, _usual_piece(pieces)) - 2


def _usual_piece(pieces: list[int]) -> int:
    """The rows of a piece such that half of all rows lie in pieces at least that long."""
    falling = np.sort(pieces)[::-1]
    reached = np.cumsum(falling)
    return int(falling[np.searchsorted(reached, reached[-1] / 2)])


def _share_covered(series: Sequence[Series], layout: Layout) -> list[str]:
    """What share of the rows windows reach, where there are gaps."""
    if all(len(each.unbroken) == 1 and len(each) == each.unbroken[0][1] for each in series):
        return []
    rows = sum(len(each) for each in series)
    reached = 0
    for each in series:
        for begin, end in each.unbroken:
            if end - begin >= layout.window + layout.before:
                reached += end - begin
    return [
        f"{reached / rows:.1%} of the rows lie in windows, which hold no missing value and no jump "
        "of the clock; `fill` in the block fills short gaps"
    ]


def _data(summary: TableSummary, shape: Shape) -> dict[str, Any]:
    """The block `data` before the values of the table are known."""
    wishes = summary.wishes
    said = {
        "time_parts": summary.time_parts,
        "time_format": summary.time_format,
        "duplicates": wishes.duplicates,
        "missing": wishes.missing,
        "longest_step": summary.longest_step,
    }
    train, validation, test = shape.split or (0.6, 0.2, 0.2)
    rows = summary.rows_are_sequences
    return {
        "dataset": "table",
        "columns": summary.columns,
        "columns_are": "steps" if rows else shape.columns_are,
        "series": summary.series,
        "time": summary.time,
        **{key: value for key, value in said.items() if value},
        "window": len(summary.columns) if rows else shape.window or WITHOUT_CYCLE,
        "stride": shape.stride or 1,
        "split_by": "series" if rows else "time",
        "split": {"train": train, "validation": validation, "test": test},
        "scaling": "zscore",
        "predict": shape.predict,
        "group_by_time": False,
    }


def _scaling(series: Sequence[Series]) -> tuple[str, str]:
    """How values are scaled, and why."""
    values = np.concatenate([each.values for each in series])
    low, high = np.nanquantile(values, OUTER, axis=0)
    is_tenfold = high > 10 * low
    if (np.nanmin(values, axis=0) > 0).all() and is_tenfold.mean() > 0.5:
        return "log_return", "all values are above 0 and most columns differ more than tenfold"
    return "zscore", "the values do not differ tenfold, or reach 0"


def _code_size(train: Split) -> tuple[int, str]:
    """How many numbers the code has, and why."""
    window, features = train.sequences.shape[1:]
    needed = _components(train, EXPLAINED)
    quarter = window * features // 4
    reason = (
        f"PCA needs {needed} for {EXPLAINED:.0%} of the variance, "
        f"a quarter of {window} steps of {features} is {quarter}, at most {LARGEST_CODE}"
    )
    return max(1, min(needed, quarter, LARGEST_CODE)), reason


def _components(train: Split, share: float) -> int:
    """Principal components that hold this share of the variance of the training windows."""
    _, window, features = train.sequences.shape
    most = min(SAMPLED_WINDOWS, SAMPLED_NUMBERS // (window * features))
    sample = train.thinned(max(most, 1)).values()
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
    lags = max(1, min(10, window // 2, MOST_KEPT // features)) if predict else 0
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
            "amplitude": AMPLITUDE,
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
    largest = max(code_size, min(max(4 * code_size, 32), LARGEST_HIDDEN))
    return {
        "hidden_size": {"low": code_size + kept, "high": largest + kept},
        "lr": {"low": 3e-4, "high": 5e-3},
        "gradient_clip": {"low": 0.1, "high": 10.0},
        "layers": {"low": 2, "high": 3},
    }
