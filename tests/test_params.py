import pytest
from pydantic import ValidationError

from lstm_ae.core.errors import InputError
from lstm_ae.params import Params, Section, TableData, load_yaml


def test_the_committed_params_are_valid(params: Params) -> None:
    assert params.sections == [
        "toy",
        "mnist_rows",
        "mnist_rows_class",
        "mnist_pixels_class",
        "snp",
        "snp_forecast",
    ]
    assert set(params.blocks) == set(params.sections)


@pytest.mark.parametrize("written", ["1e-05", "1e-5", "1.0E-5", "0.00001"])
def test_floats_are_numbers_however_they_are_written(tmp_path, written: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"lr: {written}\nname: e5\n")
    assert load_yaml(path) == {"lr": 1e-5, "name": "e5"}


def test_an_unlisted_section_is_an_error(params: Params) -> None:
    with pytest.raises(
        InputError, match=r"section toys: not listed; params\.yaml lists toy, mnist_rows"
    ):
        params.section("toys")


TABLE = {
    "dataset": "table",
    "columns": ["load"],
    "columns_are": "variables",
    "series": None,
    "time": "hour",
    "window": 24,
    "stride": 1,
    "split_by": "time",
    "split": [0.6, 0.2, 0.2],
    "scaling": "zscore",
    "predict": False,
    "group_by_time": False,
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"columns": ["load", "load"]}, "column load stands twice among columns, series and time"),
        ({"time": "load"}, "column load stands twice among columns, series and time"),
        ({"columns": []}, "at least 1 item"),
        (
            {"columns_are": "series", "series": "place"},
            "where each column is a series; null is allowed",
        ),
        ({"split_by": "series"}, "for a table of one series; time is allowed"),
        ({"group_by_time": True, "series": "place"}, "needs several series and predict: true"),
        ({"group_by_time": True, "predict": True}, "needs several series and predict: true"),
        ({"window": 1}, "greater than or equal to 2"),
        ({"window": 3, "predict": True}, "at least 4 is allowed"),
    ],
)
def test_a_layout_of_a_table_that_contradicts_itself_is_an_error(changed: dict, said: str) -> None:
    TableData.model_validate(TABLE)
    with pytest.raises(ValidationError, match=said):
        TableData.model_validate(TABLE | changed)


@pytest.mark.parametrize(
    ("data", "training", "said"),
    [
        (
            {},
            {"prediction": 0.5},
            r"loss_weights.prediction, .* is above 0 for data without a next step",
        ),
        ({"predict": True}, {"prediction": 0.5}, None),
        (
            {"predict": True},
            {"error_correlation": 0.3},
            "error_correlation is above 0 with data.group_by_time: false",
        ),
        (
            {"predict": True, "series": "place", "group_by_time": True},
            {"error_correlation": 0.3},
            None,
        ),
    ],
)
def test_a_table_is_predicted_where_its_data_say_so(
    params: Params, data: dict, training: dict, said: str | None
) -> None:
    block = params.section("toy").model_dump() | {"data": TABLE | data}
    weights = block["training"]["loss_weights"] | {"prediction": training.get("prediction", 0.0)}
    block["training"] |= {
        "loss_weights": weights,
        "error_correlation": training.get("error_correlation", 0.0),
    }
    if said is None:
        Section.model_validate(block)
        return
    with pytest.raises(ValidationError, match=said):
        Section.model_validate(block)
