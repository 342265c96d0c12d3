import math

import pytest
import torch

from lstm_ae.training.checkpoint import load_state, save_state


def test_a_state_comes_back_to_the_bit(tmp_path) -> None:
    weights = {
        0: {"step": torch.tensor(3.0), "average": torch.rand(3, 2, dtype=torch.float64)},
        "empty": {},
    }
    state = {
        "state": weights,
        "lr": 0.1 + 0.2,
        "best": math.inf,
        "history": [{"loss": 1e-310}],
        "foreach": None,
        "nesterov": False,
    }
    save_state(state, tmp_path / "state")
    found = load_state(tmp_path / "state")
    for name, tensor in weights[0].items():
        assert found["state"][0][name].dtype == tensor.dtype
        assert torch.equal(found["state"].get(0).get(name), tensor)
    assert found["state"]["empty"] == {}
    assert {name: value for name, value in found.items() if name != "state"} == {
        n: v for n, v in state.items() if n != "state"
    }


def test_no_file_is_no_state(tmp_path) -> None:
    assert load_state(tmp_path / "state") is None


@pytest.mark.parametrize(
    "damage", [lambda whole: b"", lambda whole: whole[:-1], lambda whole: b"\x80\x04." + whole]
)
def test_a_damaged_file_is_no_state_and_a_warning(tmp_path, caplog, damage) -> None:
    path = tmp_path / "state"
    save_state({"weights": torch.rand(5)}, path)
    path.write_bytes(damage(path.read_bytes()))
    assert load_state(path) is None
    assert f"{path}: not a whole checkpoint" in caplog.text
