"""What the study of a table says: errors in the units of each column, windows that count."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstm_ae.core.splits import Description, Split
from lstm_ae.data.prepared import Prepared
from lstm_ae.data.table import prepare_table
from lstm_ae.evaluation import figures
from lstm_ae.evaluation.studies import STUDIES, Findings, table
from lstm_ae.params import TableData
from tests.evaluation.cases import case_of

Array = np.ndarray
WINDOW = 12


def prepared_table(directory: Path, **changed: object) -> Prepared:
    """A table of two variables of very different size, with the cycle of a day."""
    hours = pd.date_range("2021-03-01", periods=300, freq="h").strftime("%Y-%m-%d %H:%M")
    day = np.sin(2 * np.pi * np.arange(300) / 24)
    columns = {"time": hours, "cold": day - 3, "load": 1000 + 100 * day}
    pd.DataFrame(columns).to_csv(directory / "a.csv", index=False)
    values = {
        "dataset": "table",
        "columns": ["cold", "load"],
        "columns_are": "variables",
        "series": None,
        "time": "time",
        "window": WINDOW,
        "stride": 1,
        "split_by": "time",
        "split": {"train": 0.6, "validation": 0.2, "test": 0.2},
        "scaling": "zscore",
        "predict": False,
        "group_by_time": False,
    } | changed
    data = TableData.model_validate(values)
    return prepare_table(directory / "a.csv", data, 0, "data/tables/a.csv")


def studied(
    directory: Path, reconstruct: Callable[[Array], Array] | None = None, **changed: object
) -> Findings:
    """The findings of a model that answers `reconstruct` of what it reads."""
    prepared = prepared_table(directory, **changed)
    reconstruction = reconstruct and reconstruct(prepared.splits["test"].values())
    return STUDIES["table"].study(case_of(prepared, reconstruction))


def test_errors_are_in_the_units_of_each_column(tmp_path) -> None:
    findings = studied(tmp_path, lambda truth: truth + np.array([0.5, -0.5]))
    columns = findings.metrics["columns"]
    cold, load = columns["cold"], columns["load"]
    assert cold["rmse"] == pytest.approx(0.5 / 2**0.5, rel=0.02)
    assert cold["mae"] == pytest.approx(cold["rmse"])
    assert load["rmse"] == pytest.approx(100 * cold["rmse"], rel=1e-4)
    assert set(findings.figures) == {"reconstructions", "loss"}


def test_a_window_without_a_step_that_counts_is_not_shown(tmp_path) -> None:
    description = Description("test", unit_interval=False, series=[""], clock="int64")
    case = replace(case_of(prepared_table(tmp_path)), description=description)
    times = np.arange(5)[:, None] + np.arange(3)
    split = Split(np.zeros((5, 3, 1)), series=np.zeros(5, np.int64), times=times)
    errors = np.array([3.0, np.nan, 1, 2, np.nan])
    panels = table.shown_windows(case, split, errors, {"original": np.zeros((5, 3, 1))})
    assert [panel.times[0] for panel in panels] == [2, 3, 3]


def test_a_predicted_table_stands_beside_persistence_and_least_squares(tmp_path) -> None:
    findings = studied(tmp_path, predict=True)
    one, many = findings.metrics["one_step"], findings.metrics["multi_step"]
    assert one["skill_least_squares"] > 0.99 > one["skill"]  # a sine follows from two steps
    horizons = [scores["horizon"] for scores in many["by_horizon"]]
    assert horizons == list(range(1, WINDOW // 2 + 1))
    assert set(one["columns"]) == {"cold", "load"}
    assert one["p_value_persistence"] <= 1
    assert many["interval"]["level"] == 0.9
    assert 0 <= many["interval"]["coverage"] <= 1
    drawn = findings.figures
    assert set(drawn) == {"reconstructions", "loss", "forecasts", "error_by_horizon"}
    for name, figure in drawn.items():
        figures.save(figure, tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size < 100_000
