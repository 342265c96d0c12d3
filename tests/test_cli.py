"""The command line on a packaged model: what it writes and prints, the one line of an error."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

import lstm_ae
from lstm_ae import cli
from lstm_ae.model import runtime
from lstm_ae.package.package import save_package
from tests.conftest import ROOT
from tests.packages import hourly, hourly_package


@pytest.fixture
def folder(params, tmp_path, monkeypatch) -> Path:
    """A folder with a packaged model `model` and a new table `new.csv`."""
    save_package(hourly_package(params, tmp_path / "hourly.csv"), tmp_path / "model")
    hourly(meters=2, hours=100, seed=1).to_csv(tmp_path / "new.csv", index=False)
    monkeypatch.chdir(tmp_path)
    # The real one sets what other tests share.
    monkeypatch.setattr(runtime, "start", lambda *_, **__: torch.device("cpu"))
    return tmp_path


@pytest.fixture
def command(folder: Path, monkeypatch, capsys):
    """Run one; its exit status, what it printed and its errors."""

    def run(line: str) -> tuple[Any, str, str]:
        monkeypatch.setattr(sys, "argv", ["lstm-ae", *line.split()])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet"])
def test_a_table_is_read_and_written_in_the_format_of_its_suffix(
    folder: Path, command, suffix: str
) -> None:
    written = []
    for _ in range(2):
        assert command(f"reconstruct model new.csv -o out.{suffix}")[0] == 0
        written.append((folder / f"out.{suffix}").read_bytes())
    assert written[0] == written[1]
    read = pd.read_parquet if suffix == "parquet" else pd.read_csv
    reconstruction = read(folder / f"out.{suffix}")
    assert list(reconstruction) == ["meter", "hour", "load", "heat"]
    assert len(reconstruction) == 200
    status, _, _ = command(f"encode model out.{suffix} -o codes.csv")
    assert status == 0
    assert len(pd.read_csv(folder / "codes.csv")) == 10


def test_score_prints_the_threshold_and_draws_the_alarms(folder: Path, command) -> None:
    status, out, _ = command(
        "score model new.csv -o scores.csv --false-alarms 0.1 --figure alarms.png"
    )
    scores = pd.read_csv(folder / "scores.csv")
    assert status == 0
    assert f"{scores['alarm'].sum()} of 10 windows are alarms: an error above" in out
    assert "10.00%" in out
    assert (folder / "alarms.png").read_bytes()[:4] == b"\x89PNG"


def test_forecast_goes_on_where_the_series_end(folder: Path, command) -> None:
    assert command("forecast model new.csv --horizon 3 --level 0.8 -o ahead.csv")[:2] == (
        0,
        "wrote ahead.csv: 12 rows\n3 steps, intervals of 80%\n",
    )
    ahead = pd.read_csv(folder / "ahead.csv", parse_dates=["hour"])
    assert ahead["hour"].min() == pd.Timestamp("2024-01-05 04:00")
    assert ahead["step"].max() == 3


def test_export_writes_onnx(folder: Path, command) -> None:
    assert command("export model -o model.onnx")[:2] == (0, "wrote model.onnx\n")
    assert (folder / "model.onnx").stat().st_size > 1000


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "reconstruct nowhere new.csv -o out.csv",
            "nowhere: not a folder; name one that `dvc repro` makes under models/",
        ),
        ("reconstruct model nothing.csv -o out.csv", "nothing.csv: not found"),
        (
            "reconstruct model new.csv -o out.xlsx",
            "out.xlsx: found the suffix '.xlsx'; a table is written as .csv, .csv.gz or .parquet",
        ),
        (
            "encode model short.csv -o out.csv",
            "short.csv: found 20 rows, fewer than the 24 that a window of this model needs; add "
            "rows",
        ),
        (
            "forecast model new.csv --horizon 99 -o out.csv",
            "horizon: found 99; give 1 to 12, which is as far as validation tells intervals of 90%",
        ),
        (
            "forecast model new.csv --horizon 3 --level 1.5 -o out.csv",
            "level: found 1.5; intervals are known for 0.5, 0.51 and so on to 0.99",
        ),
        (
            "score model new.csv -o out.csv --false-alarms 0",
            "false alarms: found 0; 96 validation windows can tell shares of at least 0.0104 (1 in "
            "97), and below 1",
        ),
        (
            "score model new.csv -o out.csv --false-alarms 0.1 --figure out.svg",
            "out.svg: found the suffix '.svg'; give a .png file",
        ),
        ("export model -o model.pt", "model.pt: found the suffix '.pt'; give a .onnx file"),
    ],
)
def test_what_a_person_can_mend_is_one_line(folder: Path, command, line: str, message: str) -> None:
    hourly(hours=20).to_csv(folder / "short.csv", index=False)
    status, out, err = command(line)
    assert (status, out, err) == (2, "", f"error: {message}\n")
    assert not list(folder.glob("out*")) and not (folder / "model.pt").exists()


def test_debug_shows_the_traceback(command, monkeypatch) -> None:
    monkeypatch.setattr(
        sys, "argv", ["lstm-ae", "--debug", "encode", "nowhere", "new.csv", "-o", "out.csv"]
    )
    with pytest.raises(ValueError, match="nowhere"):
        cli.main()


WITHOUT_TORCH = """
import lstm_ae, lstm_ae.cli, sys
assert not {"torch", "pandas", "numpy"} & sys.modules.keys()
lstm_ae.score
"""


def test_the_package_is_read_without_torch(environment: dict[str, str]) -> None:
    command = [sys.executable, "-c", WITHOUT_TORCH]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    with pytest.raises(AttributeError, match="no attribute 'scores'"):
        lstm_ae.scores  # noqa: B018


HELP = [
    ("new-section", "Name of the section. Default: the name of the file."),
    ("forecast", "Steps to forecast after the end of each series."),
    ("score", "Share of windows like those of validation that may be alarms."),
]


@pytest.mark.parametrize(("name", "sentence"), HELP)
def test_help_says_in_sentences_what_an_option_is(name: str, sentence: str) -> None:
    result = CliRunner().invoke(cli.app, [name, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert sentence in " ".join(result.output.split())


def test_the_version_is_that_of_the_library(command) -> None:
    assert command("--version") == (0, f"lstm-ae {lstm_ae.__version__}\n", "")


def test_what_is_written_has_the_numbers_of_the_input_with_nine_digits(
    folder: Path, command
) -> None:
    for kind in ("csv", "parquet"):
        command(f"reconstruct model new.csv -o out.{kind}")
    exact = pd.read_parquet(folder / "out.parquet")["load"]
    assert np.allclose(exact, pd.read_csv(folder / "new.csv")["load"], atol=100)
    lines = (folder / "out.csv").read_text().splitlines()[1:]
    written = [line.split(",")[2] for line in lines]
    assert written == [f"{load:.9g}" for load in exact]
    assert written != [str(load) for load in exact]


def test_times_are_written_with_all_their_digits(folder: Path, command) -> None:
    seconds = 1_704_067_200 + 0.125 * np.arange(100)
    pd.read_csv("new.csv").assign(hour=np.tile(seconds, 2)).to_csv("new.csv", index=False)
    for line in ("reconstruct", "encode", "score --false-alarms 0.1", "forecast --horizon 4"):
        name, *options = line.split()
        assert command(f"{name} model new.csv -o {name}.csv {' '.join(options)}")[0] == 0
    assert np.array_equal(pd.read_csv("reconstruct.csv")["hour"], np.tile(seconds, 2))
    assert pd.read_csv("forecast.csv")["hour"].unique().tolist() == [
        seconds[-1] + 0.125 * step for step in range(1, 5)
    ]
    for name in ("encode", "score"):
        assert set(pd.read_csv(f"{name}.csv")["start"]) < set(seconds)
