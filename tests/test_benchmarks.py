"""The measurements of the benchmarks, and the page that is made of them."""

import os
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import bench, bench_report, measuring
from benchmarks.measuring import Measurement
from lstm_ae.core import processor
from lstm_ae.core.errors import InputError
from tests.conftest import ROOT


def tiny(peer: str, validated: bool = False, **changes: Any) -> Measurement:
    """Twelve sequences of five steps, a moment."""
    sequences = np.random.default_rng(0).random((12, 5, 1), np.float32)
    measurement = Measurement(
        part="race",
        task="toy",
        peer=peer,
        run=0,
        lr=1e-2,
        hidden_size=4,
        batch_size=4,
        seconds=0.2,
        train=sequences,
        validation=sequences if validated else None,
    )
    return replace(measurement, **changes)


@pytest.fixture
def at_root(monkeypatch, tmp_path) -> None:
    """The scripts' place, with a file of measurements that is not the project's."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(measuring, "MEASURED", tmp_path / "benchmarks.jsonl")


@pytest.mark.slow
@pytest.mark.parametrize("peer", [*measuring.RIVALS, "darts"])
def test_every_peer_trains_in_a_process_of_its_own(peer, at_root) -> None:
    if peer not in measuring.IN_OUR_ENVIRONMENT and not measuring.BENCH_PYTHON.is_file():
        pytest.skip("venv-bench is not there; `make bench` makes it")
    is_scored = peer != "darts"
    measured = measuring.measure(tiny(peer, validated=is_scored, layers=2))
    seconds = [lap["seconds"] for lap in measured["laps"]]
    sequences = [lap["sequences"] for lap in measured["laps"]]
    losses = [lap["loss"] for lap in measured["laps"]]
    assert sequences[0] == 0
    assert sequences == sorted(sequences)
    assert seconds == sorted(seconds)
    if is_scored:
        assert np.isfinite(losses).all()
        assert losses[-1] != losses[0]  # it is the model in training that is scored
    assert measured["peak_mib"] > 50


@pytest.mark.slow
@pytest.mark.parametrize("peer", [*measuring.BARE, "matrix product"])
def test_what_the_peers_are_held_against_runs(peer, at_root) -> None:
    measurement = tiny(peer)
    if peer == "matrix product":
        measurement = replace(measurement, train=np.eye(8, dtype=np.float32))
    laps = measuring.measure(measurement)["laps"]
    assert len(laps) > 2
    assert laps[-1]["sequences"] > laps[1]["sequences"]


def test_the_caps_of_this_project_hold_no_peer_back(monkeypatch) -> None:
    monkeypatch.setattr("os.environ", {**os.environ, **processor.CAPS})
    for peer in measuring.SCRIPTS:
        environment = measuring.environment_of(tiny(peer))
        is_capped = "MKL_CBWR" in environment
        assert is_capped == (peer in measuring.OURS)
        assert environment["OMP_NUM_THREADS"] == str(measuring.THREADS)


def test_a_peer_that_fails_is_named_with_its_last_line(at_root, monkeypatch, tmp_path) -> None:
    (tmp_path / "broken.py").write_text("raise ValueError('no such layer')")
    monkeypatch.setitem(measuring.SCRIPTS, "this project", str(tmp_path / "broken.py"))
    with pytest.raises(InputError, match=r"broken\.py: ValueError: no such layer"):
        measuring.measure(tiny("this project"))


@pytest.fixture
def counted(monkeypatch, at_root) -> list[Measurement]:
    """The measurements that a run makes, of two that there are."""
    made: list[Measurement] = []

    def measure(measurement: Measurement) -> dict[str, Any]:
        made.append(measurement)
        return measurement.key()

    monkeypatch.setattr(bench, "measure", measure)
    monkeypatch.setattr(bench, "PARTS", {"race": lambda: iter([tiny("PyTorch"), tiny("Keras")])})
    monkeypatch.setattr("sys.argv", ["bench.py", "race"])
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None, raising=False)
    return made


def test_a_run_goes_on_with_what_is_missing(counted) -> None:
    measuring.keep(tiny("PyTorch").key())
    bench.main()
    bench.main()
    assert [measurement.peer for measurement in counted] == ["Keras"]


def test_measurements_of_another_machine_are_not_mixed_in(monkeypatch, counted) -> None:
    measuring.keep(tiny("PyTorch").key())
    monkeypatch.setattr(measuring, "machine", lambda: {"processor": "another"})
    with pytest.raises(SystemExit, match="remove the file to measure all anew"):
        bench.main()
    assert not counted


def test_the_peers_have_the_torch_of_the_project() -> None:
    project = (ROOT / "requirements.txt").read_text()
    peers = (ROOT / "benchmarks/requirements.txt").read_text()
    torch_version = re.compile(r"^torch==\S+", re.MULTILINE)
    assert torch_version.findall(project) == torch_version.findall(peers) != []


LAPS = [
    {"seconds": 1.0, "sequences": 0, "loss": 1.0},
    {"seconds": 3.0, "sequences": 10, "loss": 0.5},
    {"seconds": 5.0, "sequences": 30, "loss": 0.7},
    {"seconds": 7.0, "sequences": 50, "loss": 0.25},
]


def test_a_loss_between_two_laps_lies_on_the_line_and_never_rises() -> None:
    assert bench_report.loss_after({"laps": LAPS}, 2.0) == pytest.approx(0.75)
    assert bench_report.loss_after({"laps": LAPS}, 5.0) == pytest.approx(0.5)
    assert bench_report.seconds_to({"laps": LAPS}, 0.5) == pytest.approx(3.0)
    assert bench_report.seconds_to({"laps": LAPS}, 0.375) == pytest.approx(6.0)
    assert bench_report.seconds_to({"laps": LAPS}, 0.2) is None


def test_the_first_epoch_does_not_count_for_the_speed() -> None:
    assert bench_report.rate({"laps": LAPS}) == pytest.approx(10.0)


@pytest.mark.parametrize("peer", ["this project", "nn.LSTM", "PyTorch"])
def test_the_operations_are_those_of_the_same_cells_one_by_one(peer) -> None:
    steps, features, hidden = 60, 3, 8
    row = {"peer": peer, "steps": steps, "features": features, "hidden_size": hidden, "layers": 1}
    encoder = nn.LSTMCell(features, hidden)
    decoder = nn.LSTMCell(hidden if peer == "PyTorch" else 1, hidden)
    readout = nn.Linear(hidden, features)
    with FlopCounterMode(display=False) as counter:
        state = (torch.zeros(1, hidden), torch.zeros(1, hidden))
        for _ in range(steps):
            state = encoder(torch.rand(1, features), state)
        decoder_input = state[0] if peer == "PyTorch" else torch.zeros(1, 1)
        total = torch.zeros(())
        for _ in range(steps):
            state = decoder(decoder_input, state)
            output = state[0] if peer == "nn.LSTM" else readout(state[0])
            total = total + output.sum()
        total.backward()
    assert bench_report.flops(row) == pytest.approx(counter.get_total_flops(), rel=0.02)


def measured_rows() -> list[dict[str, Any]]:
    """Every part, two runs, made up."""
    common = {
        "steps": 5,
        "features": 1,
        "hidden_size": 4,
        "layers": 1,
        "batch_size": 4,
        "threads": 2,
        "busy": False,
        "sequences": 12,
        "scored": 12,
        "lr": 1e-3,
        "seconds": 6.0,
        "laps": LAPS,
        "peak_mib": 100.0,
        "versions": {"torch": "1"},
        "machine": {"processor": "one", "cores": 2},
    }
    rows: list[dict[str, Any]] = []

    def add(part: str, task: str, peer: str, run: int, **facts: Any) -> None:
        rows.append({**common, "part": part, "task": task, "peer": peer, "run": run, **facts})

    add("rates", "toy", "PyTorch", 0)
    for run in range(2):
        for part in ("race", "speed"):
            for peer in measuring.RIVALS:
                add(part, "toy", peer, run)
        for peer in measuring.LOADED:
            for threads, busy in ((1, False), (2, True), (1, True)):
                add("speed", "toy", peer, run, threads=threads, busy=busy)
        for peer in measuring.BARE:
            add("layers", "toy", peer, run, threads=1)
        for part in ("speed", "layers"):
            add(part, "product", "matrix product", run)
        for to in (4, 8):
            facts = {"grown": "hidden size", "to": to, "others": "steps 5"}
            add("scaling", f"hidden size {to}", "this project", run, **facts)
    return [*rows, {"part": "repro", "seconds": [1.0, 2.0, 4.0], "machine": common["machine"]}]


def test_the_page_has_every_part_and_leaves_out_what_was_not_measured() -> None:
    rows = measured_rows()
    headings = {
        "race": "Loss by seconds",
        "speed": "Peak memory, MiB",
        "layers": "A layer",
        "scaling": "How cost grows",
        "repro": "Nothing to do",
    }
    whole = bench_report.page(rows)
    assert all(f"## {heading}" in whole for heading in headings.values())
    assert "takes 2.00 (1.00 - 4.00) s" in whole
    for part, heading in headings.items():
        others = [row for row in rows if row["part"] != part]
        assert f"## {heading}" not in bench_report.page(others)


def test_a_peer_that_never_comes_to_the_loss_says_so() -> None:
    rows = [row for row in measured_rows() if row["part"] in ("rates", "race")]
    slow = [{**lap, "loss": 1.0} for lap in LAPS]
    rows = [{**row, "laps": slow} if row["peer"] == "Keras" else row for row in rows]
    assert "reached in 0 of 2 runs" in bench_report.page(rows)
