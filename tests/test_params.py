import difflib
import shutil
from operator import attrgetter
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from pydantic import ValidationError

from lstm_ae.core.errors import InputError
from lstm_ae.data import registry
from lstm_ae.params import KINDS, Params, Section, TableData, load_params

ROOT = Path(__file__).resolve().parent.parent


def test_the_committed_params_are_valid(params: Params) -> None:
    assert params.sections == [
        "toy",
        "mnist_rows",
        "mnist_rows_class",
        "mnist_pixels_class",
        "mnist_permuted_class",
        "snp",
        "snp_forecast",
    ]
    assert set(params.blocks) == set(params.sections)


def changed_lines(overrides: list[str], directory: Path) -> list[str]:
    """The lines that `dvc exp run -S` writes anew in params.yaml."""
    path = directory / "params.yaml"
    shutil.copy(ROOT / "params.yaml", path)
    apply_overrides(path, overrides)
    load_params(path)
    before, after = (file.read_text().splitlines() for file in (ROOT / "params.yaml", path))
    return [line for line in difflib.ndiff(before, after) if line.startswith(("+", "-"))]


@pytest.mark.parametrize("override", ["seed=0", "lr=null", "budget=full", "toy.training.loss=mse"])
def test_a_value_set_to_itself_leaves_the_file_as_it_is(tmp_path, override: str) -> None:
    path = tmp_path / "params.yaml"
    shutil.copy(ROOT / "params.yaml", path)
    apply_overrides(path, [override])
    assert path.read_bytes() == (ROOT / "params.yaml").read_bytes()


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("toy.training.loss=l1", "    loss: l1 "),
        ("lr=1e-3", "lr: 0.001 "),
        ("toy.lr=1e-5", "  lr: 1e-05 "),
        ("budget=smoke", "budget: smoke "),
        ("threads=1", "threads: 1 "),
        ("toy.hidden_size=48", "  hidden_size: 48"),
        ("snp.data.stride=5", "    stride: 5 "),
        ("defaults.training.optimizer=sgd", "    optimizer: sgd "),
    ],
)
def test_an_override_changes_the_line_it_means(tmp_path, override: str, line: str) -> None:
    lines = changed_lines([override], tmp_path)
    assert [kind[0] for kind in lines] == ["-", "+"]
    assert lines[1].removeprefix("+ ").startswith(line)


def test_a_run_without_a_search_changes_five_lines(tmp_path) -> None:
    overrides = ["toy.search.trials=0", "toy.lr=2e-3", "toy.hidden_size=48", "toy.layers=1"]
    assert len(changed_lines([*overrides, "toy.gradient_clip=1.0"], tmp_path)) == 10


DEFAULTS = {
    "model.decoding": "forward",
    "training.schedule": "cosine",
    "training.warmup": 0.5,
    "search.concurrency": 2,
}


@pytest.mark.parametrize("key", DEFAULTS)
def test_a_section_may_set_a_default_itself(changed_params, params: Params, key: str) -> None:
    changes = {"toy.model.initialization": "plain", f"toy.{key}": DEFAULTS[key]}
    changed = load_params(changed_params(changes))
    assert attrgetter(key)(changed.section("toy")) == DEFAULTS[key]
    assert attrgetter(key)(changed.section("snp")) == attrgetter(key)(params.section("snp"))


@pytest.mark.parametrize("key", DEFAULTS)
def test_a_default_holds_for_every_section(changed_params, params: Params, key: str) -> None:
    changes = {"defaults.model.initialization": "plain", f"defaults.{key}": DEFAULTS[key]}
    changes |= {f"{name}.model.lags": 0 for name in params.sections}
    changes["snp_forecast.model.averages"] = []
    changed = load_params(changed_params(changes))
    for name in params.sections:
        assert attrgetter(key)(changed.section(name)) == DEFAULTS[key]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"defaults.training.los": 1},
            r"defaults\.training\.los: unknown key; the nearest is loss",
        ),
        ({"defaults.trainin": {}}, r"defaults\.trainin: unknown key; the nearest is training"),
        ({"defaults.search.trials": 1}, r"defaults\.search\.trials: unknown key; there are con"),
        ({"defaults.training": 1}, r"defaults\.training: found 1; a mapping is needed"),
        ({"defaults": None}, r"defaults: found None; a mapping is needed"),
        (
            {"defaults.training.warmup": 2.0},
            r"defaults\.training\.warmup: found 2\.0; Input should",
        ),
        ({"snp.training.warmup": 2.0}, r"snp\.training\.warmup: found 2\.0; Input should"),
        ({"toy.search.storage": None}, r"toy\.search\.storage: .* write it under defaults\.search"),
        (
            {"toy.data.split.trian": 1},
            r"toy\.data\.split\.trian: unknown key; the nearest is train",
        ),
        ({"snp.search.space.lr.low": 1}, r"snp\.search\.space\.lr: low 1\.0 is above high 0\.003"),
        ({"toy.data.dataset": "tabel"}, r"toy\.data\.dataset: found 'tabel'; .*nearest is table"),
        ({"defalts": {}}, r"defalts: unknown key; the nearest is defaults"),
    ],
)
def test_what_is_wrong_is_named_where_it_stands(changed_params, changes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_params(changed_params(changes))


def test_every_kind_of_data_set_that_params_may_name_is_registered() -> None:
    assert KINDS.keys() == registry.KINDS.keys()
    assert KINDS["table"] is TableData


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
    "split": {"train": 0.6, "validation": 0.2, "test": 0.2},
    "scaling": "zscore",
    "predict": False,
    "group_by_time": False,
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"columns": ["load", "load"]}, "column load stands twice among columns, series and time"),
        ({"time": "load"}, "column load stands twice among columns, series and time"),
        ({"columns": []}, "at least 1 item"),
        (
            {"columns_are": "series", "series": "place"},
            "but each column is a series by itself; leave it empty",
        ),
        ({"split_by": "series"}, "but the table is one series; set it to time"),
        ({"group_by_time": True, "series": "place"}, "needs several series and predict: true"),
        ({"group_by_time": True, "predict": True}, "needs several series and predict: true"),
        ({"window": 1}, "greater than or equal to 2"),
        ({"window": 3, "predict": True}, "set it to at least 4"),
    ],
)
def test_a_layout_of_a_table_that_contradicts_itself_is_an_error(
    changed: dict, message: str
) -> None:
    TableData.model_validate(TABLE)
    with pytest.raises(ValidationError, match=message):
        TableData.model_validate(TABLE | changed)


@pytest.mark.parametrize(
    ("data", "training", "message"),
    [
        (
            {},
            {"prediction": 0.5},
            r"loss_weights.prediction or .* is above 0, but no next step",
        ),
        ({"predict": True}, {"prediction": 0.5}, None),
        (
            {"predict": True},
            {"error_correlation": 0.3},
            "error_correlation is above 0, but batches are not grouped by time",
        ),
        (
            {"predict": True, "series": "place", "group_by_time": True},
            {"error_correlation": 0.3},
            None,
        ),
    ],
)
def test_a_table_is_predicted_where_its_data_say_so(
    params: Params, data: dict, training: dict, message: str | None
) -> None:
    block = params.section("toy").model_dump() | {"data": TABLE | data}
    weights = block["training"]["loss_weights"] | {"prediction": training.get("prediction", 0.0)}
    block["training"] |= {
        "loss_weights": weights,
        "error_correlation": training.get("error_correlation", 0.0),
    }
    if message is None:
        Section.model_validate(block)
        return
    with pytest.raises(ValidationError, match=message):
        Section.model_validate(block)
