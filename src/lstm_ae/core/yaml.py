"""YAML 1.2 as DVC reads and writes it: `NO`, `on` and `10:00` are text, `1e-05` is a number."""

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import write_text


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises
    ------
    InputError
        The file is missing, is not YAML, names a key twice, or holds something else than a mapping.
    """
    return _parse(path, YAML(typ="safe", pure=True))


def load_for_editing(path: Path) -> CommentedMap:
    """Read a YAML mapping with its comments and its layout, which `edited_text` writes again.

    Raises
    ------
    InputError
        As `load_yaml`.
    """
    return _parse(path, _editor())


def edited_text(content: CommentedMap) -> str:
    """A mapping of `load_for_editing` in the layout of DVC: block mappings, block lists."""
    stream = io.StringIO()
    _editor().dump(content, stream)
    return stream.getvalue()


def write_yaml(path: Path, content: Mapping[str, Any]) -> None:
    """Write a mapping, its keys in their order."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    stream = io.StringIO()
    yaml.dump(dict(content), stream)
    write_text(path, stream.getvalue())


def _editor() -> YAML:
    yaml = YAML()
    yaml.default_flow_style = False
    return yaml


def _parse(path: Path, yaml: YAML) -> Any:
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found") from error
    except (YAMLError, ValueError, LookupError, RecursionError) as error:  # `!!bool x`: a KeyError
        raise InputError(f"{path}: not YAML ({_problem(error)})") from error
    if not isinstance(content, dict):
        raise InputError(
            f"{path}: holds {type(content).__name__}; write a mapping, that is lines of `key: value`"
        )
    return content


def _problem(error: Exception) -> str:
    """What a parser found and where, in one line."""
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        problem = error.problem
        key = re.match(r'found duplicate key "(.*?)" with value', str(problem), re.DOTALL)
        if isinstance(error, DuplicateKeyError) and key:
            problem = f"key {key[1]!r} stands twice"
        text = f"line {error.problem_mark.line + 1}: {problem}"
    else:
        text = str(error)
    return " ".join(text.split())


class _Representer(SafeRepresenter):
    """Writes every float with a point, such as 1.0e-05: YAML 1.1 reads it as a number too."""

    def represent_float(self, data: float) -> ScalarNode:
        node: ScalarNode = super().represent_float(data)
        if "e" in node.value and "." not in node.value:
            node.value = node.value.replace("e", ".0e", 1)
        return node


_Representer.add_representer(float, _Representer.represent_float)
