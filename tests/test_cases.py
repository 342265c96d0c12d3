"""Small tables as people have them, in tests/cases: each stands for a kind."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import lstm_ae
from lstm_ae.cli import app
from lstm_ae.core.errors import InputError
from lstm_ae.data.table import prepare_table
from lstm_ae.package.package import Package, save_package
from lstm_ae.params import Params, TableData
from lstm_ae.use.proposal import Shape, propose_section
from lstm_ae.use.table_summary import summarize_table
from lstm_ae.use.wishes import Wishes
from tests.packages import packaged

CASES = Path(__file__).parent / "cases"


def case_package(
    params: Params,
    name: str,
    shape: Shape | None = None,
) -> Package:
    """A model of a case as it would be proposed, not trained."""
    path = CASES / name
    proposal = propose_section(path, summarize_table(path), shape or Shape())
    data = TableData.model_validate(proposal.section["data"])
    prepared = prepare_table(path, data, 0, name)
    section = "snp_forecast" if data.predict else "toy"
    return packaged(params, section, prepared, proposal.section["model"]["code_size"])


HOURS = ("time", "one", ["load"], 24)


@pytest.mark.parametrize(
    ("name", "time", "series", "columns", "window"),
    [
        ("bom.csv", *HOURS),
        ("indexed.parquet", *HOURS),
        ("dst_offset.csv", *HOURS),
        ("newest_first.csv", *HOURS),
        ("one_gap.csv", *HOURS),
        ("day_missing.csv", *HOURS),
        ("trailing_all.csv", *HOURS),
        ("sep_line.csv", *HOURS),
        ("space_after_comma.csv", *HOURS),
        ("indexed_unnamed.csv", "index", "one", ["load"], 24),
        ("epoch_unix_time.csv", "unix_time", "one", ["load"], 24),
        ("epoch_epoch.csv", "epoch", "one", ["load"], 24),
        ("epoch_time_ms.csv", "time_ms", "one", ["load"], 24),
        ("epoch_timestamp.csv", "timestamp", "one", ["load"], 24),
        ("epoch_ns.csv", "timestamp", "one", ["load"], 24),
        ("epoch_long.csv", "unix_time", "one", ["load"], 24),
        ("us_dates_panel.csv", "Date", "Ticker", ["Close"], 30),
        ("panel_names.csv", "time", "meter", ["load"], 24),
        ("engines.csv", "cycle", "unit", ["s1", "s2", "s3"], 48),
        ("compact_dates.csv", "date", "one", ["close"], 30),
        ("monthly.csv", "month", "one", ["passengers"], 12),
        ("air_parts.csv", "time", "one", ["pm", "temp"], 24),
        ("late_flag.csv", "time", "one", ["load"], 24),
        ("european.csv", "Zeit", "one", ["Last"], 24),
        ("european_iso.csv", "Zeit", "one", ["Last"], 24),
        ("bool_text.csv", "time", "one", ["load", "open"], 24),
        ("bool_category.parquet", "time", "one", ["load", "open"], 24),
        ("comma_in_name.csv", "time", "one", ["power, active", "wind speed"], 24),
        ("yaml_words.csv", "time", "one", ["NO", "NO2", "y"], 24),
        ("renamed.csv", "time", "one", ["Load"], 24),
        ("reordered.csv", "time", "one", ["load"], 24),
        ("hundred.csv", "time", "one", ["load"], 18),
        ("ticks_ns.csv", "time", "one", ["price"], 48),
        ("beats.csv", None, "one", [f"t{step}" for step in range(40)], 40),
    ],
)
def test_a_table_is_proposed_as_its_owner_means_it(
    name: str, time: str | None, series: str, columns: list[str], window: int
) -> None:
    path = CASES / name
    summary = summarize_table(path)
    assert (summary.time, summary.series or "one", summary.columns) == (time, series, columns)
    assert propose_section(path, summary, Shape()).section["data"]["window"] == window


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("one_row_twice.csv", "column time, line 202: found '.*' a second time .such rows: 1."),
        ("dst_local.csv", "line 269: found '2021-10-31 02:00' a second .* the offset from UTC"),
        ("three_headers.csv", "column Price, line 2: found 'Ticker' among dates"),
        ("headerless.csv", "found numbers instead of names in the first line"),
        ("latin1.csv", "found the byte 0xe9, which is not UTF-8; convert it, say by iconv"),
        ("sentinel_9999.csv", "line 202: found -9999, 937 times as far from .* data.missing"),
        ("sentinel_1e30.csv", r"line 202: found 1e\+30, .* times as far from all other numbers"),
        ("sentinel_1e300.csv", r"line 202: found 1e\+300, .* times as far from all other numbers"),
        ("sentinel_flt_max.csv", r"found -3.4028234663852886e\+38, 3e\+37 times as far"),
        ("soil_flt_max.csv", "column moisture, line 412: found -3.4"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_its_line(name: str, said: str) -> None:
    path = CASES / name
    with pytest.raises(InputError, match=said):
        propose_section(path, summarize_table(path), Shape())


def test_a_number_that_means_nothing_may_be_named() -> None:
    path = CASES / "sentinel_9999.csv"
    summary = summarize_table(path, Wishes(missing=[-9999.0]))
    assert summary.remarks == ["missing: load, 1 of 400 rows (line 202); no window holds one"]
    data = propose_section(path, summary, Shape()).section["data"]
    assert data["missing"] == [-9999.0]


def test_a_column_that_moves_by_rounding_alone_keeps_scale_1(caplog) -> None:
    path = CASES / "near_constant_z.csv"
    data = propose_section(path, summarize_table(path), Shape()).section["data"]
    layout = prepare_table(path, TableData.model_validate(data), 0, "").layout
    assert layout.scale[layout.columns.index("valve")] == 1
    assert "column valve never changes in the training windows" in caplog.text


def test_a_value_that_no_float_holds_is_an_alarm_whatever_the_weights(params, tmp_path) -> None:
    package = case_package(params, "soil.csv")
    figure = tmp_path / "alarms.png"
    scores = lstm_ae.score(package, CASES / "soil_flt_max.csv", 0.2, figure)
    wrong = scores[(scores["start"] <= "2021-01-18 02:00") & (scores["end"] >= "2021-01-18 02:00")]
    assert len(wrong) and wrong["alarm"].all() and np.isfinite(scores["error"]).all()
    assert figure.stat().st_size > 0


def test_a_short_series_is_left_out_and_the_others_are_scored(params, caplog) -> None:
    package = case_package(params, "panel_short.csv")
    scores = lstm_ae.score(package, CASES / "panel_short.csv", 0.2)
    assert len(scores) == 51 and "new" not in set(scores["meter"])
    assert "series new: found no 24 rows in a row" in caplog.text


def test_no_window_lies_over_a_gap(params, caplog) -> None:
    package = case_package(params, "bom.csv")
    scores = lstm_ae.score(package, CASES / "day_missing.csv", 0.25)
    lengths = pd.to_datetime(scores["end"]) - pd.to_datetime(scores["start"])
    assert (lengths == pd.Timedelta(hours=23)).all() and not scores["alarm"].all()
    assert "lie in no window" not in caplog.text


def test_a_missing_value_leaves_its_windows_out_and_comes_back_empty(params, caplog) -> None:
    package = case_package(params, "bom.csv")
    back = lstm_ae.reconstruct(package, CASES / "one_gap.csv")
    assert len(back) == 400 and np.flatnonzero(back["load"].isna()).tolist() == [137]
    assert "1 of 400 rows lie in no window, the first at 2021-01-06 17:00" in caplog.text


def test_another_interval_than_that_of_training_is_said(params, caplog) -> None:
    package = case_package(params, "bom.csv")
    lstm_ae.score(package, CASES / "ten_minutes.csv", 0.25)
    assert "found a row every 600 s; the model was trained on a row every 3600 s" in caplog.text


def test_the_levels_of_an_index_are_columns_at_use_too(params) -> None:
    package = case_package(params, "bom.csv")
    scores = lstm_ae.score(package, CASES / "indexed.parquet", 0.25)
    frame = pd.read_parquet(CASES / "indexed.parquet")
    assert len(scores) == 17
    pd.testing.assert_frame_equal(scores, lstm_ae.score(package, frame, 0.25))


def test_times_since_1970_are_scored_as_times(params) -> None:
    package = case_package(params, "epoch_long.csv")
    scores = lstm_ae.score(package, CASES / "epoch_later2.csv", 0.15)
    assert scores["start"].iloc[0] == pd.read_csv(CASES / "epoch_later2.csv")["unix_time"].iloc[0]
    assert scores["alarm"].mean() <= 0.15


def test_false_alarms_that_validation_cannot_tell_are_named_as_a_share(params) -> None:
    package = case_package(params, "bom.csv")
    with pytest.raises(InputError, match=r"shares of at least 0\.2 \(1 in 5\)"):
        lstm_ae.score(package, CASES / "bom.csv", 0.01)


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("monthly.csv", ["2020-01-01", "2020-02-01", "2020-03-01", "2020-04-01"]),
        ("compact_dates.csv", ["20201202", "20201203", "20201204", "20201207"]),
        (
            "dst_offset.csv",  # whose offsets differ
            [
                "2021-11-13 22:00:00+00:00",
                "2021-11-13 23:00:00+00:00",
                "2021-11-14 00:00:00+00:00",
                "2021-11-14 01:00:00+00:00",
            ],
        ),
        ("epoch_long.csv", None),
    ],
)
def test_a_forecast_goes_on_by_the_calendar_in_the_form_of_the_table(
    params, tmp_path, name: str, times: list[str] | None
) -> None:
    package = case_package(params, name, Shape(predict=True))
    ahead = lstm_ae.forecast(package, CASES / name, horizon=4, level=0.5)
    text = pd.read_csv(CASES / name, dtype=str)
    time = package.layout.time
    found = ahead[time].astype(str).tolist()
    if times is None:
        last = int(text[time].iloc[-1])
        times = [str(last + 3600 * step) for step in range(1, 5)]
    assert found == times


def test_large_numbers_keep_the_digits_that_tell_them_apart(params, tmp_path) -> None:
    package = case_package(params, "large_offset.csv")
    save_package(package, tmp_path / "model")
    out = tmp_path / "back.csv"
    arguments = [str(tmp_path / "model"), str(CASES / "large_offset.csv"), "-o", str(out)]
    result = CliRunner().invoke(app, ["reconstruct", *arguments])
    assert result.exit_code == 0, result.output
    exact = lstm_ae.reconstruct(package, CASES / "large_offset.csv")["meter_reading"]
    written = pd.read_csv(out)["meter_reading"]
    assert written.nunique() > 700
    np.testing.assert_allclose(written, exact, rtol=0, atol=1e-6)


def test_rows_that_are_sequences_are_scored_by_row(params) -> None:
    package = case_package(params, "beats.csv")
    scores = lstm_ae.score(package, CASES / "beats.csv", 0.1)
    assert scores["series"].tolist() == [str(row) for row in range(1, 121)]
    assert package.layout.columns_are == "steps" and package.layout.window == 40


def test_a_refused_table_shows_the_block_to_edit(tmp_path, monkeypatch) -> None:
    for file in ("params.yaml", "dvc.yaml"):
        (tmp_path / file).write_text((Path.cwd() / file).read_text())
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["new-section", str(CASES / "sentinel_9999.csv")])
    assert isinstance(result.exception, InputError)
    assert "The block that would be edited" in result.output and "window: 48" in result.output
