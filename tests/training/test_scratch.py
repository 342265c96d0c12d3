import subprocess
import sys
from pathlib import Path

import pytest

from lstm_ae.training.scratch import scratch

SRC = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("LSTM_AE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_a_failed_run_left_is_found_again_and_goes_when_the_work_is_done() -> None:
    with pytest.raises(KeyboardInterrupt), scratch("work", {"lr": 1.0}, []) as folder:
        (folder / "half").write_text("done")
        raise KeyboardInterrupt
    with scratch("work", {"lr": 1.0}, []) as again:
        assert again == folder
        assert (again / "half").read_text() == "done"
    assert not folder.exists()


def test_other_settings_inputs_or_code_have_another_folder(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "input"
    path.write_text("one")
    with scratch("work", {"lr": 1.0}, [path]) as first:
        pass
    with scratch("work", {"lr": 2.0}, [path]) as second:
        pass
    path.write_text("two")
    with scratch("work", {"lr": 1.0}, [path]) as third:
        pass
    code = tmp_path / "module.py"
    code.write_text("")
    monkeypatch.setitem(sys.modules, "lstm_ae.another", type(sys)("lstm_ae.another"))
    monkeypatch.setattr(sys.modules["lstm_ae.another"], "__file__", str(code), raising=False)
    with scratch("work", {"lr": 1.0}, [path]) as fourth:
        pass
    assert len({first, second, third, fourth}) == 4


def test_a_kill_while_the_folder_goes_leaves_no_half_of_it(monkeypatch) -> None:
    def half(folder, **_) -> None:
        for path in Path(folder).glob("half"):
            path.unlink()
            raise KeyboardInterrupt

    with (
        monkeypatch.context() as patched,
        pytest.raises(KeyboardInterrupt),
        scratch("work", {}, []) as folder,
    ):
        patched.setattr("shutil.rmtree", half)
        (folder / "half").write_text("")
        (folder / "other").write_text("")
    with scratch("work", {}, []) as again:
        assert not (again / "other").exists()


def test_a_second_process_waits_and_says_for_whom() -> None:
    program = """
import sys
from lstm_ae.training.scratch import scratch
with scratch("work", {}, []) as folder:
    print(folder, flush=True)
    sys.stdin.readline()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=SRC,
    ) as other:
        folder = Path(other.stdout.readline().strip())
        assert (folder / "pid").read_text() == str(other.pid)
        second = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=SRC,
        )
        said = second.stderr.readline()
        assert f"process {other.pid} does the same work" in said
        assert second.poll() is None
        other.stdin.write("\n")
        other.stdin.flush()
        assert second.wait(30) == 0
        second.stdout.close()
        second.stderr.close()
