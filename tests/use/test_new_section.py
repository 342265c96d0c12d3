import shutil
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import modify_yaml
from typer.testing import CliRunner

from lstm_ae.cli import app
from lstm_ae.core.errors import InputError
from lstm_ae.core.yaml import load_yaml, to_text
from lstm_ae.params import load_params
from lstm_ae.use.new_section import extend_files, pipeline_items, section_name
from lstm_ae.use.proposal import PANEL, propose_section
from lstm_ae.use.table_summary import summarize_table

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch) -> None:
    """The project's two files in a folder of their own."""
    for name in ("params.yaml", "dvc.yaml", ".gitignore"):
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)


def hours(count: int = 900) -> pd.DataFrame:
    """An hourly temperature with a day, and a load."""
    random = np.random.default_rng(0)
    day = 10 * np.sin(2 * np.pi * np.arange(count) / 24)
    times = pd.date_range("2021-03-01", periods=count, freq="h").strftime("%Y-%m-%d %H:%M")
    return pd.DataFrame(
        {
            "time": times,
            "temperature": day + random.normal(0, 1, count),
            "load": 50 + day + random.normal(0, 3, count),
        }
    )


def saved(frame: pd.DataFrame, name: str = "my data.csv", **how: Any) -> Path:
    frame.to_csv(name, index=False, **how)
    return Path(name)


def proposed(path: Path, predict: bool = False, columns_are: str = "variables") -> dict:
    return propose_section(path, summarize_table(path), predict, columns_are).section


def test_time_interval_and_columns_are_found() -> None:
    summary = summarize_table(saved(hours()))
    assert (summary.time, summary.series, summary.columns) == (
        "time",
        None,
        ["temperature", "load"],
    )
    assert (summary.interval, summary.jumps) == (3600, 0)


def test_missing_hours_are_counted() -> None:
    assert summarize_table(saved(hours().drop(index=[100, 101, 300]))).jumps == 2


def test_the_column_of_series_is_the_one_within_which_times_rise() -> None:
    both = pd.concat(
        [hours().assign(place="north", sky="grey"), hours().assign(place="south", sky="grey")]
    )
    assert summarize_table(saved(both)).series == "place"


def test_numbers_may_name_the_series_and_the_steps() -> None:
    both = pd.concat(
        [hours().assign(sensor=number, step=range(900)).drop(columns="time") for number in (3, 7)]
    )
    summary = summarize_table(saved(both))
    assert (summary.time, summary.series, summary.columns) == (
        "step",
        "sensor",
        ["temperature", "load"],
    )


def test_without_a_column_of_time_the_rows_count() -> None:
    assert summarize_table(saved(hours().drop(columns="time"))).time is None


def test_a_column_that_counts_or_names_a_part_of_the_date_is_left_out_beside_dates() -> None:
    summary = summarize_table(
        saved(
            hours().assign(
                number=range(900), hour=[hour % 24 for hour in range(900)], t=hours()["load"]
            )
        )
    )
    assert summary.columns == ["temperature", "load", "t"]
    assert summary.left_out == {
        "number": "says what the time says",
        "hour": "says what the time says",
    }


def test_dates_in_another_order_are_named_and_the_rows_count() -> None:
    summary = summarize_table(
        saved(hours().assign(time=pd.date_range("2021-03-01", periods=900).strftime("%d/%m/%Y")))
    )
    assert summary.time is None and "dates like 2014-01-31" in summary.left_out["time"]


def test_columns_of_series_cannot_stand_beside_a_column_of_series() -> None:
    both = pd.concat([hours().assign(place="north"), hours().assign(place="south")])
    with pytest.raises(InputError, match="times rise within place alone"):
        proposed(saved(both), columns_are="series")


def test_a_column_with_gaps_or_without_change_or_of_text_is_left_out_and_named() -> None:
    table = hours().assign(gaps=[np.nan, *range(899)], same=1, words="a")
    assert summarize_table(saved(table)).left_out == {
        "gaps": "1 of 900 rows without a number",
        "same": "never changes",
        "words": "neither numbers nor dates like 2014-01-31",
    }


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            hours().iloc[::-1],
            r"column time, line 3: found '.*' after '.*', and no column of series within which "
            r"times rise",
        ),
        (pd.concat([hours(), hours()]), r"column time, line 902: found '2021-03-01 00:00' after"),
        (hours()[["time"]], "no column of numbers"),
        (hours().head(0), "found no rows"),
    ],
    ids=["falling times", "times twice", "no numbers", "no rows"],
)
def test_a_table_that_cannot_become_a_section_is_named(table: pd.DataFrame, said: str) -> None:
    with pytest.raises(InputError, match=said):
        summarize_table(saved(table))


def test_hours_give_windows_of_a_day_and_a_code_below_a_quarter() -> None:
    proposal = proposed(saved(hours()))
    assert proposal["data"]["window"] == 24
    assert 1 <= proposal["model"]["code_size"] <= 24 * 2 // 4
    assert (
        proposal["model"]["lags"] == 0 and proposal["training"]["loss_weights"]["prediction"] == 0
    )


def test_a_code_is_no_larger_than_pca_needs() -> None:
    waves = hours().assign(
        temperature=np.sin(2 * np.pi * np.arange(900) / 24),
        load=np.cos(2 * np.pi * np.arange(900) / 24),
    )
    assert proposed(saved(waves))["model"]["code_size"] == 2


def test_prices_become_log_returns() -> None:
    prices = pd.DataFrame(
        {"date": pd.date_range("2010-01-01", periods=900), "close": np.geomspace(5, 500, 900)}
    )
    assert proposed(saved(prices))["data"]["scaling"] == "log_return"


def test_short_series_are_split_by_series() -> None:
    many = pd.concat([hours(60).assign(place=f"p{place}") for place in range(20)])
    assert proposed(saved(many))["data"]["split_by"] == "series"


def test_a_panel_that_is_predicted_counts_a_time_once() -> None:
    many = pd.concat([hours(200).assign(place=f"p{place}") for place in range(PANEL)])
    proposal = proposed(saved(many), predict=True)
    assert proposal["data"]["group_by_time"] and proposal["training"]["error_correlation"] > 0


@pytest.mark.parametrize("predict", [False, True])
@pytest.mark.parametrize("columns_are", ["variables", "series"])
def test_the_block_is_valid_and_all_else_stays_to_the_byte(predict: bool, columns_are: str) -> None:
    old = {path: path.read_text() for path in (Path("params.yaml"), Path("dvc.yaml"))}
    proposal = proposed(saved(hours()), predict, columns_are)
    new = extend_files("mine", proposal)
    for path, text in new.items():
        path.write_text(text)
    params = load_params(Path("params.yaml"))
    assert params.sections[-1] == "mine" and params.section("mine").data.predict == predict
    assert new[Path("params.yaml")].replace("- mine\n", "", 1).startswith(old[Path("params.yaml")])
    pipeline = new[Path("dvc.yaml")]
    items = pipeline_items("mine", predict)
    for text in (to_text(items["plots"]), textwrap.indent(to_text(items["artifacts"]), "  ")):
        assert pipeline.count(text) == 1
        pipeline = pipeline.replace(text, "")
    assert pipeline == old[Path("dvc.yaml")]
    plots = load_yaml(Path("dvc.yaml"))["plots"]
    curves = [list(plot["y"]) for named in plots for plot in named.values()]
    assert curves.count(["metrics/mine/curves.csv"]) == 1 + predict


def test_the_files_stay_in_the_layout_of_dvc() -> None:
    for path, text in extend_files("mine", proposed(saved(hours()), predict=True)).items():
        path.write_text(text)
        with modify_yaml(path):
            pass
        assert path.read_text() == text


def test_a_project_whose_lists_stand_in_brackets_is_extended_in_brackets() -> None:
    params, pipeline = Path("params.yaml"), Path("dvc.yaml")
    block = "".join(f"- {name}\n" for name in load_params(params).sections)
    flow = f"sections: [{', '.join(load_params(params).sections)}]  # all\n"
    params.write_text(params.read_text().replace(f"sections:\n{block}", flow))
    pipeline.write_text(pipeline.read_text().split("\nartifacts:")[0] + "\nplots: []\n")
    for path, text in extend_files("mine", proposed(saved(hours()))).items():
        path.write_text(text)
    assert flow.replace("]", ", mine]") in params.read_text()
    assert load_params(params).sections[-1] == "mine"
    assert "\nplots: [mine reconstruction loss: {" in pipeline.read_text()
    assert load_yaml(pipeline)["artifacts"] == {"mine": {"path": "models/mine", "type": "model"}}


WORDS = ["NO", "NO2", "y", "on", "10:00", "1e5", "null", "a: b", "#c"]


@pytest.mark.parametrize("overrides", [[], ["seed=1"], ["mine.training.loss=l1"]])
def test_a_column_named_like_a_value_of_yaml_stays_text(overrides: list[str]) -> None:
    table = hours()[["time"]].assign(**{word: hours()["load"] for word in WORDS})
    for path, text in extend_files("mine", proposed(saved(table))).items():
        path.write_text(text)
    apply_overrides(Path("params.yaml"), overrides)
    assert load_params(Path("params.yaml")).section("mine").data.columns == WORDS


def test_lines_that_nothing_can_be_added_to_are_an_error() -> None:
    pipeline = Path("dvc.yaml")
    pipeline.write_text(pipeline.read_text().replace("\nartifacts:\n", "\nartifacts:\n  mine: 1\n"))
    with pytest.raises(InputError, match=r"dvc\.yaml: artifacts or plots are written in a way"):
        extend_files("mine", proposed(saved(hours())))


def test_a_name_that_is_taken_is_an_error() -> None:
    with pytest.raises(
        InputError, match=r"section toy: params\.yaml has a key of that name; --name gives another"
    ):
        extend_files("toy", proposed(saved(hours())))


@pytest.mark.parametrize(
    ("file", "name"),
    [("My data-2.csv", "my_data_2"), ("2021 Load.CSV.GZ", "load"), ("_1.parquet", "table")],
)
def test_a_section_is_named_after_its_file(file: str, name: str) -> None:
    assert section_name(Path(file), None) == name


def test_nothing_is_written_unless_it_is_told_to() -> None:
    path = saved(hours())
    before = {file: file.read_bytes() for file in Path().iterdir()}
    result = CliRunner().invoke(app, ["new-section", str(path)])
    assert (
        result.exit_code == 0
        and "Nothing is written yet" in result.output
        and "my_data:" in result.output
    )
    assert {file: file.read_bytes() for file in Path().iterdir()} == before


def test_a_section_is_added_with_its_table_in_dvc() -> None:
    for command in (["git", "init", "--quiet"], ["dvc", "init", "--quiet"]):
        subprocess.run(command, check=True)
    path = saved(hours())
    result = CliRunner().invoke(
        app, ["new-section", str(path), "--name", "mine", "--columns", "load", "--predict", "--add"]
    )
    assert result.exit_code == 0, result.output
    assert Path("data/tables/mine.csv").read_bytes() == path.read_bytes()
    assert load_yaml(Path("data/tables/mine.csv.dvc"))["outs"][0]["path"] == "mine.csv"
    assert load_params(Path("params.yaml")).section("mine").data.columns == ["load"]
    ignored = subprocess.run(
        ["git", "check-ignore", "data/tables/mine.csv", "data/tables/mine.csv.dvc"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ignored.stdout.split() == ["data/tables/mine.csv"]
    graph = subprocess.run(
        ["dvc", "dag", "--md", "acquire@mine"], capture_output=True, text=True, check=True
    )
    assert "data/tables/mine.csv.dvc" in graph.stdout, "experiments in a copy would miss the table"


def test_a_table_that_dvc_does_not_take_leaves_nothing_behind() -> None:
    path = saved(hours())
    before = {file: file.read_bytes() for file in Path().iterdir()}
    for _ in range(2):
        result = CliRunner().invoke(app, ["new-section", str(path), "--add"])
        assert isinstance(result.exception, InputError) and str(result.exception).startswith(
            "dvc add data/tables/my_data.csv: ERROR"
        )
    assert {file: file.read_bytes() for file in Path().iterdir() if file.is_file()} == before
    assert not [found for found in Path("data").rglob("*") if found.is_file()]
