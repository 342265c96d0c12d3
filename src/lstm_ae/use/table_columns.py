"""Which columns of a table are values, and what a person should know of them."""

import re

import numpy as np
import pandas as pd

from lstm_ae.data.cells import exact, shown
from lstm_ae.data.measured import extremes
from lstm_ae.use.table_cells import PARTS_OF_DATES, TableCells
from lstm_ae.use.wishes import Wishes

MOST_MISSING = 0.2  # of a column of values
LONG = 50  # rows in which a column that only rises is a counter
OFTEN = 0.5  # of its steps
LABELS = re.compile(r"(?i)(is_?)?(label|anomaly|anomalous|outlier|target|fault|attack|class|y)s?")


def columns_of(
    cells: TableCells,
    time: str | None,
    series: str | None,
    wishes: Wishes,
) -> tuple[list[str], dict[str, str]]:
    """The columns of values, and why others are none."""
    columns, left_out, counters = [], {}, {}
    for name in wishes.columns or cells.numbers:
        if name in (time, series) or name in cells.parts():
            continue
        values = cells.numbers[name].replace([np.inf, -np.inf], np.nan)
        reason = _reason_against(name, values, cells)
        if reason is None and not wishes.columns:
            reason = _reason_to_leave_out(name, values, cells, time, series)
            if reason is None and _only_rises(values, cells, series):
                counters[name] = "only rises, as a counter does"
                continue
        if reason is None:
            columns.append(name)
        else:
            left_out[name] = reason
    if not columns:
        columns, counters = list(counters), {}
    return columns, left_out | counters


def _reason_against(
    name: str,
    values: pd.Series,
    cells: TableCells,
) -> str | None:
    """Why a column cannot be one of values; None where it can."""
    missing = values.isna()
    if missing.all():
        return "neither numbers nor dates like 2014-01-31"
    bad = cells.bad(name) | (missing & cells.numbers[name].notna())
    if bad.any() or missing.mean() > MOST_MISSING:
        wrong = bad if bad.any() else missing
        return _without_number(cells.table[name], wrong, missing)
    if values.min() == values.max():
        return "never changes"
    return None


def _without_number(
    cells: pd.Series,
    wrong: pd.Series,
    missing: pd.Series,
) -> str:
    """How many cells have no number, and where the first wrong ones are."""
    places = ", ".join(map(str, cells.index[wrong][:2]))
    first = shown(cells[wrong].iloc[0])
    return (
        f"{int(missing.sum())} of {len(cells)} rows without a number ({cells.index.name} {places}; "
        f"the first has {first})"
    )


def _reason_to_leave_out(
    name: str,
    values: pd.Series,
    cells: TableCells,
    time: str | None,
    series: str | None,
) -> str | None:
    """Why a column of numbers is none of values where nobody wished for it."""
    if LABELS.fullmatch(name) and values.dropna().isin([0, 1]).all():
        return "labels of 0 and 1, which are no input"
    if _says_times(name, cells, time):
        return "says what the time says"
    training = len(values) * 6 // 10 if series is None else len(values)
    first = values.iloc[:training]
    if first.min() == first.max():
        return "never changes in the first 60 %"
    return None


def _says_times(name: str, cells: TableCells, time: str | None) -> bool:
    """Whether a column says what the time says: it counts the rows, or is a part of a date."""
    values = cells.numbers[name]
    counts_rows = bool((values.diff().dropna() == 1).all())
    parts = [other for other in cells.numbers if PARTS_OF_DATES.fullmatch(other)]
    is_part = name in parts and (time is not None or len(parts) > 1)
    return is_part or (counts_rows and (time is not None or len(parts) > 1))


def _only_rises(
    values: pd.Series,
    cells: TableCells,
    series: str | None,
) -> bool:
    """Whether a column counts on and on in every series."""
    if len(values) < LONG:
        return False
    steps = values.diff() if series is None else values.groupby(cells.table[series]).diff()
    steps = steps.dropna()
    return bool(len(steps) and (steps >= 0).all() and (steps > 0).mean() > OFTEN)


def remarks_on(name: str, cells: TableCells) -> list[str]:
    """What a person should know of a column of values."""
    column = cells.table[name]
    values = cells.numbers[name]
    missing = values.isna()
    remarks = []
    if missing.any():
        places = ", ".join(map(str, column.index[missing][:2]))
        remarks.append(
            f"missing: {name}, {int(missing.sum())} of {len(values)} rows ({column.index.name} "
            f"{places}); no window holds one"
        )
    for extreme, times in extremes(values.to_numpy(float)):
        rows = values == extreme
        if times > 1 and rows.sum() > 1:
            remarks.append(
                f"far off: {name}, {exact(extreme)} in {int(rows.sum())} rows ({column.index.name} "
                f"{column.index[rows][0]}); if it means that nothing was measured, add "
                f"--missing {exact(extreme)}"
            )
    return remarks
