import subprocess
import sys
from pathlib import Path

import pytest

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import read_json, replacing, write_json

SRC = Path(__file__).resolve().parents[2] / "src"


def test_a_failed_write_leaves_what_stood_there_and_nothing_else(tmp_path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_names_the_file(tmp_path) -> None:
    """A limit on the size of files stands for a full disk; both fail in the midst of a write."""
    program = """
import resource, sys
from pathlib import Path
import numpy as np
from lstm_ae.core.splits import Split, save_split
split = Split(np.zeros((9, 99, 9), np.float32))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    save_split(split, Path(sys.argv[1]) / "train.safetensors")
except OSError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path],
        cwd=SRC,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"[Errno 27] File too large: '{tmp_path / 'train.safetensors'}'\n"
    assert not list(tmp_path.iterdir())


def test_json_refuses_what_is_no_number(tmp_path) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "a.json", {"mse": float("nan")})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["", "{", "[1]"])
def test_what_is_no_json_object_is_an_error(tmp_path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(InputError, match=r"a\.json: "):
        read_json(tmp_path / "a.json")
