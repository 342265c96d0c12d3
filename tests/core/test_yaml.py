from pathlib import Path

import pytest
import yaml as pyyaml

from lstm_ae.core.errors import InputError
from lstm_ae.core.yaml import load_yaml, with_added, write_yaml


def written(directory: Path, text: str) -> Path:
    path = directory / "a.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("number", ["1e-05", "1e-5", "1.0E-5", "0.00001"])
def test_floats_are_numbers_however_they_are_written(tmp_path, number: str) -> None:
    path = written(tmp_path, f"lr: {number}\nname: e5\n")
    assert load_yaml(path) == {"lr": 1e-5, "name": "e5"}


@pytest.mark.parametrize("word", ["NO", "no", "on", "Off", "y", "10:00", "1:20:30"])
def test_words_that_yaml_1_1_takes_for_values_are_text(tmp_path, word: str) -> None:
    path = written(tmp_path, f"{word}: {word}\ncolumns:\n- {word}\n")
    assert load_yaml(path) == {word: word, "columns": [word]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", r"a\.yaml: not YAML \(line 4: key 'c' stands twice\)$"),
        ("a: ]\n", r"a\.yaml: not YAML \(line 1: "),
        ("a: !!bool x\n", r"a\.yaml: not YAML \("),
        ("a: 2014-13-01\n", r"a\.yaml: not YAML \(month must be in 1\.\.12"),
        ("- a\n", r"a\.yaml: holds list; write a mapping"),
        ("", r"a\.yaml: holds NoneType; write a mapping"),
    ],
)
def test_what_is_no_mapping_is_an_error_of_one_line(tmp_path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        load_yaml(written(tmp_path, text))
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(InputError, match=r"a\.yaml: not found$"):
        load_yaml(tmp_path / "a.yaml")


def test_a_mapping_is_written_in_one_way(tmp_path) -> None:
    content = {"lr": 1e-5, "layers": 2, "values": [0.1, 1e300], "none": None, "empty": {}}
    path = tmp_path / "a.yaml"
    write_yaml(path, content)
    assert path.read_text() == pyyaml.safe_dump(content, sort_keys=False)
    assert load_yaml(path) == content


@pytest.mark.parametrize(
    ("before", "addition", "after"),
    [
        ("b:\n- x # one\n\n# d\nd: 1\n", ["NO"], "b:\n- x # one\n- NO\n\n# d\nd: 1\n"),
        ("b:\n  - x\n  - p: q\n    r: s", ["m"], "b:\n  - x\n  - p: q\n    r: s\n  - m\n"),
        ("b: [x, 2 , ] # c\nd: 1.50\n", ["m"], "b: [x, 2, m , ] # c\nd: 1.50\n"),
        ("b: []\n", ["1e5"], "b: ['1e5']\n"),
        ("b: {p: {q: r}}\n", {"m": {"a": 1}}, "b: {p: {q: r}, m: {a: 1}}\n"),
        (
            "b:\n  k: [1,\n    2] # e\n\nd: 1\n",
            {"m": 1},
            "b:\n  k: [1,\n    2] # e\n  m: 1\n\nd: 1\n",
        ),
        ("b: # t\nd: 1\n", {"m": 1}, "b: # t\n  m: 1\nd: 1\n"),
        ("b:\n  k:\nd: 1\n", {"m": None}, "b:\n  k:\n  m:\nd: 1\n"),
        ("d: 1", {"m": 1}, "d: 1\n\nb:\n  m: 1\n"),
        ("b:\r\n- x\r\nd: 1\r\n", ["m"], "b:\r\n- x\r\n- m\r\nd: 1\r\n"),
    ],
    ids=[
        "block",
        "indented",
        "flow",
        "empty",
        "flow mapping",
        "mapping",
        "null",
        "null item",
        "none",
        "CRLF",
    ],
)
def test_what_is_added_comes_last_and_all_else_stays(before: str, addition, after: str) -> None:
    assert with_added(before, "b", addition) == after
