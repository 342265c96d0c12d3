import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from lstm_ae.core.errors import InputError
from lstm_ae.units.layout import (
    RECENT,
    Layout,
    last_base,
    load_layout,
    local_scale,
    predictions_to_units,
    recent_volatility,
    save_layout,
    to_comparable,
    to_units,
)
from tests.tables import SCALINGS, prepare_shops, table_data

LAYOUT = Layout.of_table(table_data(predict=True, scaling="log_return"))


@pytest.mark.parametrize("layout", [LAYOUT, Layout.of_sequences(28, 28, scale=255.0)])
def test_a_layout_comes_back_whole(tmp_path, layout: Layout) -> None:
    save_layout(layout, tmp_path)
    assert load_layout(tmp_path) == layout


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("window", None, "window: Field required"),
        ("window", 0, "window: found 0; Input should be greater than 0"),
        ("window", "12", "window: found '12'; Input should be a valid integer"),
        ("scaling", "log", "scaling: found 'log'; Input should be 'none', "),
        ("scale", [1.0, 0.0], r"scale\.1: found 0\.0; Input should be greater than 0"),
        ("rows", True, "rows: found True; Unexpected keyword argument"),
    ],
)
def test_a_wrong_or_missing_key_of_a_layout_is_an_error_of_one_line(
    tmp_path, key: str, value: object, problem: str
) -> None:
    content = asdict(LAYOUT) | {key: value}
    if value is None:
        del content[key]
    (tmp_path / "layout.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=rf"layout\.json: {problem}") as error:
        load_layout(tmp_path)
    assert "\n" not in str(error.value)


def test_a_missing_layout_is_an_error(tmp_path) -> None:
    with pytest.raises(InputError, match=r"layout\.json: not found"):
        load_layout(tmp_path)


def test_variables_have_the_names_of_columns_or_numbers() -> None:
    assert LAYOUT.variables == ["x", "y"]
    series = Layout.of_table(table_data(columns_are="series", series=None))
    assert (series.features, series.variables) == (1, ["value"])
    rows = Layout.of_sequences(3, 2)
    assert (rows.features, rows.variables) == (2, ["variable 1", "variable 2"])
    assert Layout.of_sequences(3, 1).variables == ["value"]


@pytest.mark.parametrize("scaling", SCALINGS)
def test_predictions_and_forecasts_come_back_in_units(shops_csv, scaling: str) -> None:
    prepared = prepare_shops(shops_csv, scaling=scaling, predict=True)
    layout, split = prepared.layout, prepared.splits["test"]
    base, past = split.base, split.sequences[:, :8]
    assert base is not None
    truth = to_units(split.sequences, base, layout)
    ahead = predictions_to_units(split.sequences[:, 1:], split.sequences[:, :-1], base, layout)
    np.testing.assert_allclose(ahead, truth[:, 1:], rtol=1e-5)
    later = to_units(split.sequences[:, 8:], last_base(past, base, layout), layout)
    np.testing.assert_allclose(later, truth[:, 8:], rtol=1e-5)


@pytest.mark.parametrize("after", [None, [1, 1], [0, 0]])
def test_log_returns_count_from_the_variable_that_after_names(after: list[int] | None) -> None:
    layout = replace(LAYOUT, centre=[0.1, -0.2], scale=[0.5, 2.0], after=after)
    random = np.random.default_rng(0)
    levels = random.normal(size=(3, 13, 2))
    bases = [0, 1] if after is None else after
    returns = levels[:, 1:] - levels[:, :-1, bases]
    sequences = (returns - layout.centre) / layout.scale
    values = to_units(sequences, levels[:, 0], layout)
    np.testing.assert_allclose(values, np.exp(levels[:, 1:]), rtol=1e-12)
    base = last_base(sequences, levels[:, 0], layout)
    np.testing.assert_allclose(base, levels[:, -1], rtol=1e-12)
    ahead = predictions_to_units(sequences[:, 1:], sequences[:, :-1], levels[:, 0], layout)
    np.testing.assert_allclose(ahead, np.exp(levels[:, 2:]), rtol=1e-12)


def test_values_are_comparable_as_logs_or_as_the_model_reads_them() -> None:
    values = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    assert np.array_equal(to_comparable(values, LAYOUT), np.log(values))
    scaled = replace(LAYOUT, scaling="zscore", centre=[1.0, 2.0], scale=[2.0, 4.0])
    assert to_comparable(values, scaled).tolist() == [[[0.0, 0.0], [1.0, 0.5]]]


def test_the_volatility_is_that_of_the_last_returns() -> None:
    returns = np.random.default_rng(0).normal(size=(3, 2 * RECENT, 2))
    volatility = recent_volatility(returns)
    for step in (0, 5, RECENT - 1, RECENT, 2 * RECENT - 1):
        last = returns[:, max(0, step + 1 - RECENT) : step + 1]
        expected = np.sqrt(np.square(last).mean(axis=1))
        np.testing.assert_allclose(volatility[:, step], expected, rtol=1e-10)


def test_the_local_scale_is_the_volatility_of_the_variable_that_returns_count_from() -> None:
    layout = replace(LAYOUT, centre=[0.1, -0.2], scale=[0.5, 2.0], after=[1, 1])
    sequences = np.random.default_rng(0).normal(size=(3, 12, 2))
    scale = local_scale(sequences, layout)
    volatility = recent_volatility(sequences * [0.5, 2.0] + [0.1, -0.2])
    assert np.array_equal(scale, volatility[:, :, [1, 1]])
    assert (local_scale(sequences, replace(layout, scaling="zscore")) == 1).all()
