import os
import shutil
import subprocess
import sys
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
from lstm_ae.use.proposal import PANEL, Shape, propose_section
from lstm_ae.use.table_summary import summarize_table
from lstm_ae.use.times import TimeForm
from lstm_ae.use.wishes import Wishes

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
    return propose_section(path, summarize_table(path), Shape(predict, columns_are)).section


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


@pytest.mark.parametrize(
    "time_format",
    [
        "%d/%m/%Y",
        "%m/%d/%Y",
        "%d.%m.%Y %H:%M",
        "%Y%m%d",
        "%d %b %Y",
        "%m-%d-%Y",
        "%b-%d-%Y",
        "%b %d %Y",
    ],
)
def test_dates_in_another_form_are_read_where_one_reading_alone_is_possible(time_format) -> None:
    days = pd.date_range("2021-03-01", periods=900)
    summary = summarize_table(saved(hours().assign(time=days.strftime(time_format))))
    assert (summary.time, summary.time_format) == ("time", time_format)
    assert summary.interval == 86_400 and summary.jumps == 0


@pytest.mark.parametrize("time_format", ["%Y %b", "%b-%Y", "%m/%Y", "%YM%m", "%B %Y"])
def test_months_are_dates(time_format: str) -> None:
    months = pd.date_range("1991-07-01", periods=900, freq="MS")
    summary = summarize_table(saved(hours().assign(time=months.strftime(time_format))))
    assert (summary.time, summary.time_format) == ("time", time_format)


@pytest.mark.parametrize("time_format", ["%YQ%q", "%Y Q%q", "%Y-Q%q", "Q%q %Y"])
def test_quarters_are_dates_and_written_as_they_were(time_format: str) -> None:
    quarters = pd.period_range("1970Q1", periods=400, freq="Q")
    table = hours(400).assign(time=quarters.strftime(time_format))
    summary = summarize_table(saved(table))
    assert (summary.time, summary.time_format) == ("time", time_format)
    times = quarters.to_timestamp().to_numpy("datetime64[us]")
    assert TimeForm(time_format).written(times).tolist() == table["time"].tolist()


def test_names_that_stay_through_long_runs_are_series_where_the_rows_count() -> None:
    both = pd.concat([hours().assign(place="north"), hours().assign(place="south")])
    summary = summarize_table(saved(both.drop(columns="time")))
    assert (summary.time, summary.series) == (None, "place")


def test_a_window_fits_between_the_gaps_of_most_rows() -> None:
    table = hours()
    table.loc[[3, 5, 8, 12, 14, 20, 22], "load"] = np.nan
    section = proposed(saved(table))
    assert section["data"]["window"] == 24


def test_a_window_is_no_longer_than_can_be_trained() -> None:
    times = pd.date_range("2021-03-01", periods=20_000, freq="15ms")
    noise = np.random.default_rng(0).normal(size=20_000)
    path = saved(pd.DataFrame({"time": times, "load": noise}))
    assert proposed(path)["data"]["window"] == 48


def test_days_and_months_that_cannot_be_told_apart_are_named() -> None:
    days = [f"0{month}/0{month}/2021" for month in range(1, 10)]
    table = pd.DataFrame({"time": days, "load": range(9)})
    with pytest.raises(InputError, match=r"found '01/01/2021', which may be %d/%m/%Y or %m/%d/%Y"):
        summarize_table(saved(table))


@pytest.mark.parametrize("name", ["unix_time", "epoch", "when", "load_index"])
@pytest.mark.parametrize(("unit", "a_second"), [("s", 1), ("ms", 10**3), ("ns", 10**9)])
def test_counts_since_1970_are_times_by_their_size(name: str, unit: str, a_second: int) -> None:
    seconds = 1_609_459_200 + 3600 * np.arange(900)
    table = hours().drop(columns="time").assign(**{name: seconds * a_second})
    summary = summarize_table(saved(table))
    assert (summary.time, summary.time_format, summary.interval) == (name, unit, 3600)


def test_a_cell_that_is_no_date_among_dates_is_named() -> None:
    table = hours()
    table["time"] = table["time"].astype(str)
    table.loc[7, "time"] = "?"
    with pytest.raises(InputError, match=r"column time, line 9: found '\?' among dates"):
        summarize_table(saved(table))


def test_the_newest_row_may_stand_first() -> None:
    summary = summarize_table(saved(hours().iloc[::-1]))
    assert (summary.time, summary.interval, summary.jumps) == ("time", 3600, 0)


def test_devices_that_count_their_own_steps_are_series() -> None:
    parts = [hours().drop(columns="time").head(length) for length in (120, 80, 150)]
    engines = [
        part.assign(unit=unit, cycle=range(1, len(part) + 1)) for unit, part in enumerate(parts, 1)
    ]
    summary = summarize_table(saved(pd.concat(engines)))
    assert (summary.time, summary.series) == ("cycle", "unit")
    assert summary.columns == ["temperature", "load"]


def test_a_measured_column_is_no_name_of_a_series() -> None:
    table = hours().assign(degrees=np.arange(900) // 60 % 7, pump=np.arange(900) % 2)
    again = table.iloc[[199]].assign(pump=0, degrees=9)
    twice = pd.concat([table.head(200), again, table.iloc[200:]])
    with pytest.raises(InputError, match=r"line 202: found '.*' a second time .such rows: 1."):
        summarize_table(saved(twice))


def test_names_that_are_partly_numbers_name_series() -> None:
    both = pd.concat([hours().assign(meter="007"), hours().assign(meter="08/15")])
    assert summarize_table(saved(both)).series == "meter"


def test_parts_of_dates_and_counters_are_no_values_where_no_column_holds_dates() -> None:
    day = np.arange(900) // 24
    table = hours().assign(No=range(900), day=day % 28 + 1, hour=np.arange(900) % 24)
    summary = summarize_table(saved(table.drop(columns="time")))
    assert summary.columns == ["temperature", "load"]


def test_a_flag_that_moves_after_training_alone_is_left_out() -> None:
    summary = summarize_table(saved(hours().assign(flag=np.arange(900) > 700)))
    assert summary.left_out == {"flag": "never changes in the first 60 %"}


def test_columns_of_series_cannot_stand_beside_a_column_of_series() -> None:
    both = pd.concat([hours().assign(place="north"), hours().assign(place="south")])
    with pytest.raises(InputError, match="times rise within place alone"):
        proposed(saved(both), columns_are="series")


def test_a_column_without_numbers_or_change_is_left_out_and_named() -> None:
    mostly = np.where(np.arange(900) % 3, np.nan, np.sin(np.arange(900)))
    units = ["kWh", *np.sin(np.arange(899))]
    table = hours().assign(mostly=mostly, units=units, same=1, words="a", label=[0, 1] * 450)
    assert summarize_table(saved(table)).left_out == {
        "mostly": "600 of 900 rows without a number (line 3, 4; the first has nothing)",
        "units": "1 of 900 rows without a number (line 2; the first has 'kWh')",
        "same": "never changes",
        "words": "neither numbers nor dates like 2014-01-31",
        "label": "labels of 0 and 1, which are no input",
    }


def test_missing_values_are_remarked_and_no_window_holds_one() -> None:
    table = hours()
    table.loc[[7, 400], "load"] = np.nan
    path = saved(table)
    summary = summarize_table(path)
    assert summary.columns == ["temperature", "load"]
    assert summary.remarks == ["missing: load, 2 of 900 rows (line 9, 402); no window holds one"]
    reasons = propose_section(path, summary, Shape()).reasons
    assert any(reason.startswith("99.0% of the rows lie in windows") for reason in reasons)


def test_a_number_far_off_that_stands_often_is_asked_about() -> None:
    table = hours()
    table.loc[::50, "load"] = -99
    (remark,) = summarize_table(saved(table)).remarks
    assert remark.startswith("far off: load, -99 in 18 rows (line 2)")
    assert remark.endswith("--missing -99")


def test_a_counter_is_no_value_beside_others() -> None:
    meter = np.cumsum(np.random.default_rng(0).random(900))
    summary = summarize_table(saved(hours().assign(meter=meter)))
    assert summary.left_out == {"meter": "only rises, as a counter does"}
    alone = summarize_table(saved(hours()[["time"]].assign(meter=meter)))
    assert alone.columns == ["meter"]


@pytest.mark.parametrize(
    ("removed", "longest"),
    [([], 1.5), ([100, 101, 300], 1.5), ([*range(5, 900, 7), *range(6, 900, 7)], 3.5)],
    ids=["none", "a few", "weekends"],
)
def test_a_jump_is_a_step_of_the_clock_that_is_rare(removed: list[int], longest: float) -> None:
    days = pd.date_range("2021-03-01", periods=900).strftime("%Y-%m-%d")
    summary = summarize_table(saved(hours().assign(time=days).drop(index=removed)))
    assert summary.longest_step == longest * 86_400


def test_an_irregular_clock_has_no_jumps() -> None:
    seconds = np.random.default_rng(0).exponential(60, 900).cumsum().astype("timedelta64[s]")
    times = np.datetime64("2021-03-01T00:00:00") + seconds
    table = hours().assign(time=times).drop_duplicates("time")
    assert summarize_table(saved(table)).longest_step is None


def test_what_a_person_says_counts() -> None:
    table = hours().assign(when=hours()["time"], start="2021-01-01", place="here")
    twice = pd.concat([table, table.iloc[[5]]]).sort_values("time", kind="stable")
    path = saved(twice.drop(columns="time"))
    wishes = Wishes(["load"], time="when", duplicates="mean")
    summary = summarize_table(path, wishes)
    assert (summary.time, summary.series, summary.columns) == ("when", None, ["load"])
    shape = Shape(window=30, stride=7, split=(0.5, 0.25, 0.25))
    data = propose_section(path, summary, shape).section["data"]
    assert (data["window"], data["stride"], data["duplicates"]) == (30, 7, "mean")
    assert data["split"] == {"train": 0.5, "validation": 0.25, "test": 0.25}


def test_a_date_and_a_time_of_day_are_one_time() -> None:
    times = pd.date_range("2021-03-01", periods=900, freq="h")
    table = hours().drop(columns="time")
    table.insert(0, "Date", times.strftime("%d/%m/%Y"))
    table.insert(1, "Time", times.strftime("%H:%M:%S"))
    path = saved(table)
    summary = summarize_table(path)
    assert (summary.time, summary.time_parts) == ("time", ["Date", "Time"])
    assert summary.interval == 3600 and summary.columns == ["temperature", "load"]
    assert propose_section(path, summary, Shape()).section["data"]["window"] == 24


def test_a_year_and_its_quarters_are_one_time() -> None:
    quarters = np.arange(900)
    table = hours().assign(year=1800 + quarters // 4, quarter=quarters % 4 + 1)
    summary = summarize_table(saved(table.drop(columns="time")))
    assert summary.time_parts == ["year", "quarter"] and summary.columns == ["temperature", "load"]


def test_a_cycle_is_found_where_the_rows_count() -> None:
    wave = np.sin(2 * np.pi * np.arange(900) / 37) + hours()["load"] / 1000
    path = saved(pd.DataFrame({"load": wave}))
    assert propose_section(path, summarize_table(path), Shape()).section["data"]["window"] == 37


def test_a_wide_table_gets_no_code_that_cannot_be_trained() -> None:
    noise = np.random.default_rng(0).normal(size=(2000, 60))
    section = proposed(saved(pd.DataFrame(noise, columns=[f"x{n}y" for n in range(60)])))
    assert section["model"]["code_size"] == 128
    assert section["search"]["space"]["hidden_size"]["high"] == 256


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            hours().iloc[[*range(500, 900), *range(500)]],
            r"column time, line 402: found '.*' after '.*', and no column of series within which "
            r"times rise",
        ),
        (
            pd.concat([hours(), hours()]),
            r"column time, line 902: found '2021-03-01 00:00' a second time .such rows: 900.",
        ),
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
    initialized()
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


def initialized() -> None:
    for command in (["git", "init", "--quiet"], ["dvc", "init", "--quiet"]):
        subprocess.run(command, check=True)


def test_an_addition_that_was_cut_short_is_taken_up_again() -> None:
    initialized()
    path = saved(hours())
    proposal = proposed(path)
    Path("params.yaml").write_text(extend_files("my_data", proposal)[Path("params.yaml")])
    result = CliRunner().invoke(app, ["new-section", str(path), "--add"])
    assert result.exit_code == 0, result.output
    assert load_params(Path("params.yaml")).sections.count("my_data") == 1
    assert not extend_files("my_data", proposal), "both files have the section"
    staged = subprocess.run(
        ["git", "diff", "--cached", "--name-only"], capture_output=True, text=True, check=True
    )
    assert {"params.yaml", "dvc.yaml", "data/tables/my_data.csv.dvc"} <= set(staged.stdout.split())


@pytest.mark.slow
def test_three_additions_at_once_all_arrive() -> None:
    initialized()
    names = ("first", "second", "third")
    for name in names:
        saved(hours(), f"{name}.csv")
    command = [sys.executable, "-m", "lstm_ae.cli", "new-section", "--add"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    running = [subprocess.Popen([*command, f"{name}.csv"], env=environment) for name in names]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert set(load_params(Path("params.yaml")).sections) >= set(names)
    assert set(load_yaml(Path("dvc.yaml"))["artifacts"]) >= set(names)


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
