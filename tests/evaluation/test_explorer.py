import base64
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from lstm_ae.core.splits import Prepared, Split
from lstm_ae.data.table import prepare
from lstm_ae.evaluation.explorer import STEPS, as_numbers, explore, principal_directions
from lstm_ae.model.autoencoder import Architecture, LSTMAutoencoder
from lstm_ae.package.answers import compute_answers
from lstm_ae.params import Fractions, TableData

CPU = torch.device("cpu")
RANDOM = np.random.default_rng(0)
STILL = int(np.flatnonzero(STEPS == 0)[0])


def model(length: int, features: int, classes: int | None = None) -> LSTMAutoencoder:
    return LSTMAutoencoder(
        Architecture(
            features, length, 8, 6, 1, 1, "state", "backward", "sigmoid", classes, 8, False
        )
    )


def test_directions_are_those_along_which_the_codes_vary_most() -> None:
    codes = RANDOM.normal(size=(400, 3)) * (1, 5, 0.1) + 7
    scale, directions, variance = principal_directions(codes, 2)
    assert np.abs(directions) == pytest.approx(np.array([[0, 1, 0], [1, 0, 0]]), abs=0.05)
    assert scale == pytest.approx(codes.std(axis=0)[[1, 0]], rel=0.01)
    assert variance == pytest.approx([25 / 26.01, 1 / 26.01], rel=0.2)
    assert (directions[[0, 1], [1, 0]] > 0).all()


def test_a_code_that_is_not_moved_decodes_to_the_reconstruction() -> None:
    test = Split(RANDOM.random((20, 9, 2), np.float32))
    autoencoder = model(9, 2)
    found = explore(autoencoder, test, {}, compute_answers(autoencoder, test.sequences, CPU), CPU)
    assert found["columns"] == ["feature 1", "feature 2"]
    for item in found["items"]:
        moved = np.array(item["moved"])
        assert moved.shape == (4, len(STEPS), 9, 2)
        assert moved[:, STILL] == pytest.approx(
            np.broadcast_to(item["reconstruction"], (4, 9, 2)), rel=1e-4
        )
        assert not np.allclose(moved[:, 0], moved[:, STILL])
    json.dumps(found, allow_nan=False)


def test_a_sequence_without_a_step_that_counts_is_not_offered() -> None:
    test = Split(RANDOM.random((20, 9, 2), np.float32), first_scored=np.array([2] * 19 + [8]))
    autoencoder = model(9, 2)
    found = explore(autoencoder, test, {}, compute_answers(autoencoder, test.sequences, CPU), CPU)
    assert found["items"][-1]["label"] == "test sequence 18"
    json.dumps(found, allow_nan=False)


def test_images_are_two_of_each_digit_with_what_the_class_head_says() -> None:
    digits = np.arange(60) % 10
    test = Split(
        RANDOM.integers(0, 256, (60, 4, 4), np.uint8),
        image_shape=np.array([4, 4]),
        extras={"digits": digits},
    )
    autoencoder = model(4, 4, classes=10)
    said = compute_answers(autoencoder, test.sequences, CPU)
    found = explore(autoencoder, test, {"classes": 10}, said, CPU)
    assert [item["label"].split(",")[0] for item in found["items"]] == [
        f"digit {digit}" for digit in range(10) for _ in range(2)
    ]
    first = found["items"][0]
    assert first["original"] == base64.b64encode(test.sequences[0].tobytes()).decode()
    assert first["answer"].startswith(str(said.probabilities[0].argmax()))
    assert found["shape"] == [4, 4]


def test_stock_windows_are_shown_in_dollars_on_their_days() -> None:
    days = [f"2014-01-{day:02d}" for day in range(1, 31)]
    extras = {
        "anchor": np.log([50.0, 80.0]),
        "symbol": np.array([0, 1]),
        "start": np.array([3, 20]),
    }
    test = Split(np.zeros((2, 9, 1), np.float32), extras=extras)
    description = {
        "days": days,
        "symbols": {"test": ["AAA", "BBB"]},
        "column": "high",
        "scale": 0.1,
    }
    autoencoder = model(9, 1)
    found = explore(
        autoencoder, test, description, compute_answers(autoencoder, test.sequences, CPU), CPU
    )
    first, second = found["items"]
    assert (found["columns"], found["unit"]) == (["high"], "dollars")
    assert (first["label"], second["dates"][0]) == ("AAA, 2014-01-04 to 2014-01-12", "2014-01-21")
    assert np.array(first["original"]) == pytest.approx(50) and np.array(
        second["original"]
    ) == pytest.approx(80)


def prepared_table(path: Path, freq: str) -> Prepared:
    """Two sensors, each a row a step of the clock, read as log returns."""
    times = pd.date_range("2020-01-01", periods=120, freq=freq).astype(str)
    walks = np.exp(RANDOM.normal(0, 0.1, (2, 120)).cumsum(axis=1))
    table = pd.concat(
        [
            pd.DataFrame({"at": times, "sensor": name, "x": walk})
            for name, walk in zip("ab", walks, strict=True)
        ]
    )
    table.to_csv(path, index=False)
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
    return prepare(path, data, 0, "sensors")


def test_a_table_is_shown_in_its_units_with_its_series_and_times(tmp_path) -> None:
    prepared = prepared_table(tmp_path / "sensors.csv", "D")
    autoencoder, test = model(8, 1), prepared.splits["test"]
    found = explore(
        autoencoder,
        test,
        prepared.description,
        compute_answers(autoencoder, test.sequences, CPU),
        CPU,
    )
    written = pd.read_csv(tmp_path / "sensors.csv").set_index(["sensor", "at"])["x"]
    assert found["columns"] == ["x"]
    for item in found["items"]:
        series, first, *_ = item["label"].replace(",", "").split()
        assert item["dates"][0] == first
        assert np.array(item["original"])[:, 0] == pytest.approx(
            written[series][item["dates"]], rel=1e-4
        )


def test_steps_of_a_table_that_are_shorter_than_a_day_are_counted(tmp_path) -> None:
    prepared = prepared_table(tmp_path / "sensors.csv", "h")
    autoencoder, test = model(8, 1), prepared.splits["test"]
    (first, *_) = explore(
        autoencoder,
        test,
        prepared.description,
        compute_answers(autoencoder, test.sequences, CPU),
        CPU,
    )["items"]
    assert first["dates"] is None and first["label"].startswith(
        "a, 2020-01-05 to 2020-01-05 07:00:00"
    )


def test_the_error_of_an_item_counts_only_the_steps_that_are_scored() -> None:
    test = Split(np.zeros((1, 4, 1), np.float32), first_scored=np.array([2]))
    autoencoder = model(4, 1)
    said = compute_answers(autoencoder, test.sequences, CPU)
    (item,) = explore(autoencoder, test, {}, said, CPU)["items"]
    assert item["mse"] == pytest.approx(np.square(said.reconstruction[0, 3]).mean())


def test_long_series_of_many_columns_are_kept_short() -> None:
    test = Split(RANDOM.random((30, 200, 7), np.float32))
    autoencoder = model(200, 7)
    found = explore(autoencoder, test, {}, compute_answers(autoencoder, test.sequences, CPU), CPU)
    assert len(found["items"]) == 2 and found["columns"] == [
        f"feature {number}" for number in range(1, 6)
    ]
    assert np.array(found["items"][0]["moved"]).shape == (4, len(STEPS), 200, 5)


def test_numbers_are_kept_to_five_digits() -> None:
    assert as_numbers(np.array([[1.23456789], [1234567.0]])) == [[1.2346], [1234600.0]]
