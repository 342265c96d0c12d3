"""Small results of sections, as the stages leave them; only for tests."""

import base64
from typing import Any

import numpy as np
import pandas as pd

from lstm_ae.report.results import Results

METRICS = {
    "mse": 0.01,
    "mean_mse": 0.08,
    "pca_mse": 0.02,
    "pca_clipped_mse": 0.019,
    "code_size": 32,
    "hidden_size": 48,
    "layers": 2,
    "sequence_length": 50,
    "features": 1,
    "parameters": 1234,
    "test_sequences": 20,
    "data_source": "generated",
    "best_epoch": 2,
    "validation_loss": 0.011,
}
HORIZONS = {
    "one_step": {"skill": 0.27, "skill_drift": 0.01, "skill_least_squares": 0.26},
    "multi_step": {
        "by_horizon": [
            {
                "horizon": day,
                "skill": 0.2 / day,
                "skill_drift": 0.001 * day,
                "skill_least_squares": 0.1 / day,
                "rmse_dollars": 1.0 + day,
                "rmse_dollars_persistence": 1.2 + day,
            }
            for day in range(1, 9)
        ]
    },
}
CURVES = pd.DataFrame(
    {
        "train/reconstruction": [np.nan, 0.03, 0.02],
        "validation/reconstruction": [0.04, 0.02, 0.011],
    },
    index=pd.RangeIndex(3, name="epoch"),
)
CLASS_CURVES = CURVES.assign(
    **{
        "train/accuracy": [np.nan, 0.8, 0.9],
        "validation/accuracy": [0.1, 0.85, 0.93],
        "test/accuracy": [0.1, 0.8, 0.9],
    }
)
TRIALS = pd.DataFrame(
    {
        "trial": range(4),
        "state": ["complete", "complete", "pruned", "complete"],
        "loss": [0.04, 0.02, 0.05, 0.015],
        "best_epoch": [2, 2, None, 2],
        "hidden_size": [32, 40, 48, 36],
        "lr": [1e-4, 1e-3, 1e-2, 3e-3],
        "gradient_clip": [0.1, 1.5, 3.2, 5.0],
        "layers": [1, 2, 3, 1],
    }
)
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 540 200" width="540" height="200">'
    '<title>what is found</title><path d="M0 0L540 200" stroke="#000"/></svg>'
)
STEPS, VARIANCE = [-1.0, 0.0, 1.0], [0.6, 0.2]


def images(count: int = 2) -> dict[str, Any]:
    """What evaluate keeps of images of 4 by 4 pixels."""
    random = np.random.default_rng(0)

    def pack(*leading: int) -> str:
        return base64.b64encode(
            random.integers(0, 256, (*leading, 4, 4), np.uint8).tobytes()
        ).decode()

    items = [
        {
            "label": f"{i}, test image {i}",
            "mse": 0.001 * i,
            "dates": None,
            "answer": f"{i} (99.0 %)",
            "original": pack(),
            "reconstruction": pack(),
            "moved": pack(len(VARIANCE), len(STEPS)),
        }
        for i in range(count)
    ]
    return {
        "shape": [4, 4],
        "columns": [],
        "unit": "",
        "steps": STEPS,
        "variance": VARIANCE,
        "items": items,
    }


def series(columns: list[str], dates: bool = False, length: int = 12) -> dict[str, Any]:
    """What evaluate keeps of series."""
    random = np.random.default_rng(0)
    days = [str(day.date()) for day in pd.bdate_range("2017-01-02", periods=length)]
    items = [
        {
            "label": f"sequence {i}",
            "mse": 0.01,
            "dates": days if dates else None,
            "answer": None,
            "original": random.random((length, len(columns))).tolist(),
            "reconstruction": random.random((length, len(columns))).tolist(),
            "moved": random.random((len(VARIANCE), len(STEPS), length, len(columns))).tolist(),
        }
        for i in range(3)
    ]
    return {
        "shape": None,
        "columns": columns,
        "unit": "dollars",
        "steps": STEPS,
        "variance": VARIANCE,
        "items": items,
    }


def drawn(*names: str) -> dict[str, str]:
    """What evaluate drew, by the name of the figure."""
    return dict.fromkeys(names, SVG)


def results(
    metrics: dict[str, Any] | None = None, curves: pd.DataFrame = CURVES, **changes: Any
) -> Results:
    """A section as it is everywhere but in what a test changes."""
    fields: dict[str, Any] = {
        "trials": TRIALS,
        "figures": drawn("loss", "search", "unknown"),
        "parameters": {
            "lr": "tuned",
            "data": {"length": 50, "split": {"train": 0.6, "validation": 0.2, "test": 0.2}},
        },
    }
    return Results(METRICS | (metrics or {}), curves, **(fields | changes))


def all_results() -> dict[str, Results]:
    """A section of each kind: a series, images with and without a class, forecasts of several
    columns by date, and one without a search.
    """
    return {
        "toy": results(
            figures=drawn("unknown", "search", "examples", "loss"), explorer=series(["value"])
        ),
        "mnist_rows": results(figures=drawn("digits", "loss", "search"), explorer=images()),
        "mnist_rows_class": results(
            {"accuracy": 0.99, "sequence_length": 784},
            CLASS_CURVES,
            figures=drawn("digits", "learning", "search"),
            explorer=images(),
        ),
        "snp_forecast": results(
            HORIZONS,
            figures=drawn("error_by_horizon", "forecasts", "loss", "search"),
            explorer=series(["open", "high"], dates=True),
        ),
        "a_table": results(
            {"data_source": "REDUCED <script>alert(1)</script>"},
            trials=TRIALS.iloc[:0],
            figures=drawn("reconstructions", "loss"),
            explorer=series(["<b>", "y"]),
        ),
    }
