"""A table of shops and how it is prepared, for the tests of tables, layouts and windows."""

from pathlib import Path

import numpy as np
import pandas as pd

from lstm_ae.data import table
from lstm_ae.data.prepared import Prepared
from lstm_ae.params import TableData

DATA = {
    "dataset": "table",
    "columns": ["x", "y"],
    "columns_are": "variables",
    "series": "shop",
    "time": "day",
    "window": 12,
    "stride": 5,
    "split_by": "time",
    "split": {"train": 0.6, "validation": 0.2, "test": 0.2},
    "scaling": "zscore",
    "predict": False,
    "group_by_time": False,
}
SCALINGS = ("none", "minmax", "zscore", "log_return")
DAYS = 200
BORDERS = (120, 160)  # the first days of validation and of test


def table_data(**changed: object) -> TableData:
    return TableData.model_validate(DATA | changed)


def shops(names: str = "abcdef", days: int = DAYS) -> pd.DataFrame:
    """Two random walks above zero of each shop."""
    random = np.random.default_rng(0)
    dates = pd.date_range("2020-01-01", periods=days).strftime("%Y-%m-%d")
    walks = np.exp(random.normal(0, 0.05, (len(names), days, 2)).cumsum(axis=1))
    return pd.concat(
        [
            pd.DataFrame({"day": dates, "shop": name, "x": x, "y": y})
            for name, (x, y) in zip(names, walks.transpose(0, 2, 1), strict=True)
        ]
    )


def prepare_shops(path: Path, **changed: object) -> Prepared:
    return table.prepare_table(path, table_data(**changed), 0, "shops")
