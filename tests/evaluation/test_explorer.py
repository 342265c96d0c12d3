"""What the page lets a reader try: plain numbers in the units of the data, and moved codes."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstm_ae.core.splits import Description, Split
from lstm_ae.data.prepared import Prepared
from lstm_ae.data.table import prepare_table
from lstm_ae.evaluation.explorer import STEPS, View, as_numbers, explore, principal_directions
from lstm_ae.evaluation.studies import STUDIES, Case
from lstm_ae.package.answers import Answers, compute_answers
from lstm_ae.package.package import Package
from lstm_ae.params import Fractions, TableData
from lstm_ae.units.layout import Layout
from tests.evaluation.cases import CPU, package_of

RANDOM = np.random.default_rng(0)
STILL = int(np.flatnonzero(STEPS == 0)[0])


def case_of_sequences(
    test: Split,
    layout: Layout | None = None,
    description: Description | None = None,
    classes: int | None = None,
) -> Case:
    """A model at its start and what it answers to a test split; the other splits do not count."""
    layout = layout or Layout.of_sequences(*test.sequences.shape[1:])
    description = description or Description("test", unit_interval=True)
    package = package_of(layout, classes)
    answers = compute_answers(package.model, test.sequences, CPU)
    return Case(package, description, {"test": test}, answers, {}, {}, "mse")


def explored(case: Case, dataset: str) -> dict[str, Any]:
    """What a reader of a kind of data set may try."""
    return explore(case.package, case.test, case.answers, STUDIES[dataset].view(case))


def test_directions_are_those_along_which_the_codes_vary_most() -> None:
    codes = RANDOM.normal(size=(400, 3)) * (1, 5, 0.1) + 7
    scale, directions, variance = principal_directions(codes, 2)
    assert np.abs(directions) == pytest.approx(np.array([[0, 1, 0], [1, 0, 0]]), abs=0.05)
    assert scale == pytest.approx(codes.std(axis=0)[[1, 0]], rel=0.01)
    assert variance == pytest.approx([25 / 26.01, 1 / 26.01], rel=0.2)
    assert (directions[[0, 1], [1, 0]] > 0).all()


def test_a_code_that_is_not_moved_decodes_to_the_reconstruction() -> None:
    case = case_of_sequences(Split(RANDOM.random((20, 9, 2), np.float32)))
    page = explored(case, "toy")
    assert page["columns"] == ["variable 1", "variable 2"]
    for item in page["items"]:
        moved = np.array(item["moved"])
        assert moved.shape == (4, len(STEPS), 9, 2)
        unmoved = np.broadcast_to(item["reconstruction"], (4, 9, 2))
        assert moved[:, STILL] == pytest.approx(unmoved, rel=1e-4)
        assert not np.allclose(moved[:, 0], moved[:, STILL])
    json.dumps(page, allow_nan=False)


def test_a_sequence_without_a_step_that_counts_is_not_offered() -> None:
    first_scored = np.array([2] * 19 + [8])
    test = Split(RANDOM.random((20, 9, 2), np.float32), first_scored=first_scored)
    page = explored(case_of_sequences(test), "toy")
    assert page["items"][-1]["label"] == "test sequence 18"
    json.dumps(page, allow_nan=False)


def test_images_are_two_of_each_digit_with_what_the_class_head_says() -> None:
    digits = np.arange(60) % 10
    test = Split(
        RANDOM.integers(0, 256, (60, 4, 4), np.uint8),
        image_shape=np.array([4, 4]),
        extras={"digits": digits},
    )
    case = case_of_sequences(test, classes=10)
    page = explored(case, "mnist")
    labels = [item["label"].split(",")[0] for item in page["items"]]
    assert labels == [f"digit {digit}" for digit in np.repeat(range(10), 2)]
    first = page["items"][0]
    assert first["original"] == base64.b64encode(test.sequences[0].tobytes()).decode()
    assert first["answer"].startswith(str(case.answers.probabilities[0].argmax()))
    assert page["shape"] == [4, 4]


def layout_of_highs(window: int, predict: bool) -> Layout:
    return Layout(
        columns=["high"],
        columns_are="variables",
        series="Name",
        time="date",
        window=window,
        stride=1,
        predict=predict,
        scaling="log_return",
        centre=[0.001],
        scale=[0.1],
    )


def two_stocks(base: list[float], steps: int) -> tuple[Split, Description]:
    """Two windows of zeros, over days of January 2014."""
    days = np.arange("2014-01-01", "2014-01-31", dtype="datetime64[D]").astype("datetime64[us]")
    times = np.stack([days[3 : 3 + steps], days[20 : 20 + steps]]).view(np.int64)
    test = Split(
        np.zeros((2, 9, 1), np.float32),
        base=np.array(base)[:, None],
        series=np.array([0, 1]),
        times=times,
    )
    description = Description(
        "test", unit_interval=False, series=["AAA", "BBB"], clock="datetime64[us]"
    )
    return test, description


def test_stock_windows_are_shown_in_dollars_on_their_days() -> None:
    test, description = two_stocks(np.log([50.0, 80.0]) - 0.001, steps=9)
    case = case_of_sequences(test, layout_of_highs(9, predict=False), description)
    page = explored(case, "stock_windows")
    first, second = page["items"]
    assert (page["columns"], page["unit"]) == (["high"], "dollars")
    assert (first["label"], second["dates"][0]) == ("AAA, 2014-01-04 to 2014-01-12", "2014-01-21")
    assert np.array(first["original"]) == pytest.approx(50)
    assert np.array(second["original"]) == pytest.approx(80)


def test_stock_returns_are_shown_in_per_cent_on_their_days() -> None:
    test, description = two_stocks([0.0, 0.0], steps=10)
    case = case_of_sequences(test, layout_of_highs(9, predict=True), description)
    page = explored(case, "stock_forecast")
    first = page["items"][0]
    assert (page["columns"], page["unit"]) == (["high"], "log change in per cent")
    assert first["label"] == "AAA, 2014-01-04 to 2014-01-12"
    assert len(first["dates"]) == 9
    assert np.array(first["original"]) == pytest.approx(0.1)
    reconstruction = 100 * (0.1 * case.answers.reconstruction[0] + 0.001)
    assert np.array(first["reconstruction"]) == pytest.approx(reconstruction, rel=1e-4)


def prepared_sensors(path: Path, freq: str) -> Prepared:
    """Two sensors, each a row a step of the clock, read as log returns."""
    times = pd.date_range("2020-01-01", periods=120, freq=freq).astype(str)
    walks = np.exp(RANDOM.normal(0, 0.1, (2, 120)).cumsum(axis=1))
    sensors = []
    for name, walk in zip("ab", walks, strict=True):
        sensors.append(pd.DataFrame({"at": times, "sensor": name, "x": walk}))
    pd.concat(sensors).to_csv(path, index=False)
    data = TableData(
        dataset="table",
        columns=["x"],
        columns_are="variables",
        series="sensor",
        time="at",
        window=8,
        stride=2,
        split_by="time",
        split=Fractions(train=0.6, validation=0.2, test=0.2),
        scaling="log_return",
        predict=False,
        group_by_time=False,
    )
    return prepare_table(path, data, 0, "sensors")


def explored_sensors(path: Path, freq: str) -> dict[str, Any]:
    prepared = prepared_sensors(path, freq)
    test = prepared.splits["test"]
    return explored(case_of_sequences(test, prepared.layout, prepared.description), "table")


def test_a_table_is_shown_in_its_units_with_its_series_and_times(tmp_path) -> None:
    page = explored_sensors(tmp_path / "sensors.csv", "D")
    written = pd.read_csv(tmp_path / "sensors.csv").set_index(["sensor", "at"])["x"]
    assert page["columns"] == ["x"]
    for item in page["items"]:
        series, first, *_ = item["label"].replace(",", "").split()
        assert item["dates"][0] == first
        values = written[series][item["dates"]]
        assert np.array(item["original"])[:, 0] == pytest.approx(values, rel=1e-4)


def test_steps_of_a_table_that_are_shorter_than_a_day_are_counted(tmp_path) -> None:
    first, *_ = explored_sensors(tmp_path / "sensors.csv", "h")["items"]
    assert first["dates"] is None
    assert first["label"].startswith("a, 2020-01-05 to 2020-01-05 07:00:00")


def plain(package: Package, test: Split, answers: Answers) -> dict[str, Any]:
    """Explored as numbers that mean nothing."""
    view = View(package.layout.variables, "", lambda row: f"row {row}")
    return explore(package, test, answers, view)


def test_the_error_of_an_item_counts_only_the_steps_that_are_scored() -> None:
    test = Split(np.zeros((1, 4, 1), np.float32), first_scored=np.array([2]))
    case = case_of_sequences(test)
    (item,) = plain(case.package, test, case.answers)["items"]
    assert item["mse"] == pytest.approx(np.square(case.answers.reconstruction[0, 3]).mean())


def test_long_series_of_many_columns_are_kept_short() -> None:
    test = Split(RANDOM.random((30, 200, 7), np.float32))
    case = case_of_sequences(test)
    page = plain(case.package, test, case.answers)
    assert len(page["items"]) == 2
    assert page["columns"] == [f"variable {number}" for number in range(1, 6)]
    assert np.array(page["items"][0]["moved"]).shape == (4, len(STEPS), 200, 5)


def test_numbers_are_kept_to_five_digits() -> None:
    assert as_numbers(np.array([[1.23456789], [1234567.0]])) == [[1.2346], [1234600.0]]
