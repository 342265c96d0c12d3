from pathlib import Path

import pytest
import yaml as pyyaml

from lstm_ae.core.errors import InputError
from lstm_ae.core.yaml import edited_text, load_for_editing, load_yaml, write_yaml


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


def test_editing_leaves_comments_and_layout_as_they_are(tmp_path) -> None:
    text = "# all\na: 1.50   # one\n\nb:\n- NO\n- '7'\nc:\n  d:    # none\n"
    content = load_for_editing(written(tmp_path, text))
    assert edited_text(content) == text
    content["b"].append("10:00")
    assert edited_text(content) == text.replace("- '7'\n", "- '7'\n- 10:00\n")
