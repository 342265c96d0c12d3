"""How a table is read, cut and scaled, and how sequences come back in its units.

Shapes: N windows of T steps of m variables.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, FiniteFloat, NonNegativeInt, PositiveInt
from pydantic import dataclasses as checked

from lstm_ae.core.files import read_record, write_json
from lstm_ae.core.splits import as_real
from lstm_ae.params import TableData

Array = NDArray[np.float64]

SERIES = "series"  # the column that names a row which is a whole sequence
RECENT = 20  # steps whose returns tell how far a series moves now: a month of trading


STRICT = ConfigDict(extra="forbid", strict=True)


@checked.dataclass(frozen=True, config=STRICT)
class Fill:
    """Missing values of at most `limit` steps are filled.

    Parameters
    ----------
    method
        "previous" repeats the value before them, "linear" draws a line to the value after them.
    """

    method: Literal["previous", "linear"]
    limit: PositiveInt


@checked.dataclass(frozen=True, config=STRICT)
class Layout:
    """How a table becomes windows: all that new data need to be treated as the training data were.

    Parameters
    ----------
    columns
        The columns of values; none where `columns_are` is "steps" and all but `SERIES` are.
    columns_are
        "variables": a row holds the m variables of one series at one time. "series": each column is
        a series of one variable. "steps": a row is a whole sequence, step after step, and within a
        step variable after variable.
    series
        The column that names the series of a row. None: the rows are one series, or each column is
        one.
    time
        The column of dates or numbers that rise within a series. None: the rows are counted.
    window, stride
        Steps of a window, and between the first steps of two training windows.
    predict
        The step after each step is predicted.
    scaling
        "none", "minmax", "zscore" or "log_return": the log of a value over the one before it where
        the next step is predicted, else over the first of its window.
    centre, scale
        (m,) of each variable in the training windows: a step is read as (step - centre) / scale.
    after
        (m,) where the next step is predicted, the variable from whose last value the log return of
        each is counted. None: from its own.
    time_parts, time_format, duplicates, missing, fill, longest_step
        As in `TableData`.
    interval
        From row to row of the training table, mostly: seconds of dates, or a difference of numbers.
        None: the rows are counted, or nobody knows.
    """

    columns: list[str]
    columns_are: Literal["variables", "series", "steps"]
    series: str | None
    time: str | None
    window: PositiveInt
    stride: PositiveInt
    predict: bool
    scaling: Literal["none", "minmax", "zscore", "log_return"]
    centre: list[FiniteFloat]
    scale: list[Annotated[FiniteFloat, Field(gt=0)]]
    after: list[NonNegativeInt] | None = None
    time_parts: list[str] | None = None
    time_format: str | None = None
    duplicates: Literal["first", "last", "mean"] | None = None
    missing: list[FiniteFloat] | None = None
    fill: Fill | None = None
    longest_step: Annotated[FiniteFloat, Field(gt=0)] | None = None
    interval: FiniteFloat | None = None

    @classmethod
    def of_table(cls, data: TableData) -> "Layout":
        """The layout of a person's table, before its scaling is known."""
        features = len(data.columns) if data.columns_are == "variables" else 1
        return cls(
            columns=data.columns,
            columns_are=data.columns_are,
            series=data.series,
            time=data.time,
            time_parts=data.time_parts,
            time_format=data.time_format,
            duplicates=data.duplicates,
            missing=data.missing,
            fill=None if data.fill is None else Fill(data.fill.method, data.fill.limit),
            longest_step=data.longest_step,
            window=data.window,
            stride=data.stride,
            predict=data.predict,
            scaling=data.scaling,
            centre=[0.0] * features,
            scale=[1.0] * features,
        )

    @classmethod
    def of_sequences(
        cls,
        length: int,
        features: int,
        scale: float = 1.0,
    ) -> "Layout":
        """The layout of a table whose rows are whole sequences."""
        return cls(
            columns=[],
            columns_are="steps",
            series=None,
            time=None,
            window=length,
            stride=length,
            predict=False,
            scaling="none",
            centre=[0.0] * features,
            scale=[scale] * features,
        )

    @property
    def features(self) -> int:
        """The number m of variables of a step."""
        return len(self.scale)

    @property
    def variables(self) -> list[str]:
        """The names of the m variables of a step."""
        if self.columns_are == "variables":
            return self.columns
        if self.features == 1:
            return ["value"]
        return [f"variable {number}" for number in range(1, self.features + 1)]

    @property
    def bases(self) -> list[int]:
        """`after` in numbers: the variable from which each one's log return is counted."""
        return list(range(self.features)) if self.after is None else self.after

    @property
    def before(self) -> int:
        """Rows that a window needs before its first step."""
        return int(self.predict and self.scaling == "log_return")


def save_layout(layout: Layout, directory: Path) -> None:
    """Write layout.json."""
    write_json(directory / "layout.json", asdict(layout))


def load_layout(directory: Path) -> Layout:
    """Read layout.json.

    Raises
    ------
    InputError
        The file is missing or is not a layout.
    """
    return read_record(directory / "layout.json", Layout)


def to_units(
    sequences: NDArray[Any],
    base: Array,
    layout: Layout,
) -> Array:
    """Bring scaled windows back to the units of the table.

    Parameters
    ----------
    sequences
        (N, T, m) windows as the model reads them, or forecasts of the T steps after windows.
    base
        (N, m) the log value from which the log returns of each window count
        (`lstm_ae.units.windows.Windows`); for forecasts, `last_base` of the windows before them.
    """
    steps = np.asarray(sequences, np.float64) * layout.scale + layout.centre
    if layout.scaling != "log_return":
        return np.asarray(steps)
    if not layout.predict:
        return np.asarray(np.exp(base[:, None] + steps))
    levels = base[:, None] + np.cumsum(steps, axis=1)
    if layout.after is not None:
        levels_before = levels[:, :-1]
        before = np.concatenate([base[:, None], levels_before], axis=1)
        levels = before[:, :, layout.bases] + steps
    return np.asarray(np.exp(levels))


def last_base(
    sequences: NDArray[Any],
    base: Array,
    layout: Layout,
) -> Array:
    """The log values (N, m) at the end of windows, from which the steps after them count."""
    if layout.scaling != "log_return":
        return base
    return np.log(to_units(sequences, base, layout)[:, -1])


def predictions_to_units(
    predictions: NDArray[Any],
    sequences: NDArray[Any],
    base: Array,
    layout: Layout,
) -> Array:
    """Bring one-step predictions (N, T, m) back to the units of the table.

    Prediction t is of step t + 1 and counts from step t of `sequences`.
    """
    steps = np.asarray(predictions, np.float64) * layout.scale + layout.centre
    if layout.scaling != "log_return":
        return np.asarray(steps)
    return to_units(sequences, base, layout)[:, :, layout.bases] * np.exp(steps)


def to_comparable(values: Array, layout: Layout) -> Array:
    """Bring values (..., m) to a measure in which errors of several variables may be averaged.

    That is the logarithm where the layout takes log returns, else the scale of the model.
    """
    if layout.scaling == "log_return":
        return np.log(values)
    return np.asarray((values - layout.centre) / layout.scale)


def local_scale(sequences: NDArray[Any], layout: Layout) -> Array:
    """How far each variable moves at each step of windows (N, T, m).

    For log returns it is the `recent_volatility` of the variable from which they count; it is 1 for
    every other scaling.
    """
    if layout.scaling != "log_return":
        return np.ones(sequences.shape)
    returns = as_real(sequences) * layout.scale + layout.centre
    return recent_volatility(returns)[:, :, layout.bases]


def recent_volatility(returns: Array) -> Array:
    """Root mean square of the last log returns, at most `RECENT`, at each step of (N, T, ...)."""
    sums = np.cumsum(np.square(returns), axis=1)
    sums[:, RECENT:] -= sums[:, :-RECENT].copy()
    steps = np.arange(1, returns.shape[1] + 1)
    counts = np.minimum(steps, RECENT).reshape(-1, *[1] * (returns.ndim - 2))
    return np.sqrt(np.asarray((sums / counts).clip(1e-12)))
