"""Where compiled code is kept."""

from pathlib import Path

from lstm_ae.model import kernels
from lstm_ae.model.compiling import RoomLocator

FILE = kernels.__file__


def locator(function=kernels.forward.py_func, file: str = FILE) -> RoomLocator | None:
    return RoomLocator.from_function(function, file)


def test_code_is_kept_by_its_content_wherever_it_lies(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    found = locator()
    assert found is not None
    path = Path(found.get_cache_path())
    assert path == tmp_path / found.get_source_stamp() and path.is_dir()


def test_code_of_others_is_left_to_numba(tmp_path: Path) -> None:
    assert locator(file=str(tmp_path / "other.py")) is None


def test_a_cache_that_cannot_be_written_is_left_to_numba(monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    assert locator() is None
