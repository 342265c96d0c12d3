"""What the tests of both kinds of stocks share: prices changed in their file, days of windows."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from lstm_ae.data.prepared import Prepared


def rewrite(path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change a file of prices, whose cells are text."""
    change(pd.read_csv(path, dtype=str)).to_csv(path, index=False)


def days_of(prepared: Prepared, split: str) -> np.ndarray:
    """The day of every step of a split's windows, the following one's last."""
    times = prepared.splits[split].times
    assert times is not None
    return prepared.description.read_times(times).astype("datetime64[D]")
