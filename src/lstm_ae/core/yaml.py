"""YAML 1.2 as DVC reads and writes it: `NO`, `on` and `10:00` are text, `1e-05` is a number."""

import io
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode
from ruamel.yaml.representer import SafeRepresenter

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import write_text

NO_LINE_BREAKS = 100_000  # columns


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises
    ------
    InputError
        The file is missing, is not YAML, names a key twice, or holds something else than a mapping.
    """
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found") from error
    except (YAMLError, ValueError, LookupError, RecursionError) as error:  # `!!bool x`: a KeyError
        raise InputError(f"{path}: not YAML ({_problem(error)})") from error
    if not isinstance(content, dict):
        raise InputError(
            f"{path}: holds {type(content).__name__}; "
            "write a mapping, that is lines of `key: value`"
        )
    return content


def write_yaml(path: Path, content: Mapping[str, Any]) -> None:
    """Write a mapping, its keys in their order."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    stream = io.StringIO()
    yaml.dump(dict(content), stream)
    write_text(path, stream.getvalue())


def to_text(content: Mapping[str, Any] | list[Any]) -> str:
    """A mapping or a list in the layout of DVC: block mappings, block lists."""
    return _dumped(content, flow=False)


def with_added(
    text: str,
    key: str,
    addition: Mapping[str, Any] | list[Any],
) -> str:
    """A YAML text with items after the last ones of a list or a mapping, all else to the byte.

    Parameters
    ----------
    key
        Of the text's top level; it is added at the end where there is none.
    addition
        Items of a list, or keys and values of a mapping.

    Raises
    ------
    InputError
        The text is not YAML.
    """
    line_break = "\r\n" if "\r\n" in text else "\n"
    node = _value_node(text, key)
    if node is None:
        place, lines = len(text), line_break + to_text({key: addition})
    elif isinstance(node, CollectionNode) and node.flow_style:
        items = _dumped(addition, flow=True).strip()[1:-1]
        place = _last_node(node).end_mark.index if node.value else node.start_mark.index + 1
        return text[:place] + (f", {items}" if node.value else items) + text[place:]
    else:
        place = _end_of_line(text, _last_node(node).end_mark.index)
        lines = textwrap.indent(to_text(addition), " " * _indentation(node, addition))
    if place and text[place - 1] != "\n":
        lines = line_break + lines
    return text[:place] + lines.replace("\n", line_break) + text[place:]


def _dumped(content: Any, flow: bool) -> str:
    yaml = YAML()
    yaml.default_flow_style = flow
    if flow:
        yaml.width = NO_LINE_BREAKS
    stream = io.StringIO()
    yaml.dump(content, stream)
    return stream.getvalue()


def _value_node(text: str, key: str) -> Node | None:
    """The node of a key of the top level; it says at which characters it begins and ends."""
    try:
        root = YAML().compose(text)
    except YAMLError as error:
        raise InputError(f"not YAML ({_problem(error)})") from error
    pairs = root.value if isinstance(root, MappingNode) else []
    for name, value in pairs:
        if name.value == key:
            return value
    return None


def _last_node(node: Node) -> Node:
    """The last item in a list or mapping, and so on down to one that ends where its text ends."""
    is_outermost = True
    while isinstance(node, CollectionNode) and node.value:
        if node.flow_style and not is_outermost:
            break
        last = node.value[-1]
        node = last[1] if isinstance(node, MappingNode) else last
        is_outermost = False
    return node


def _end_of_line(text: str, place: int) -> int:
    """Where the line after that of a character begins."""
    if text[place - 1] == "\n":
        return place
    end = text.find("\n", place)
    return len(text) if end < 0 else end + 1


def _indentation(node: Node, addition: Mapping[str, Any] | list[Any]) -> int:
    """The column of new lines: that of the items there are, else that of DVC's layout."""
    if isinstance(node, MappingNode) and node.value:
        first_key, _ = node.value[0]
        return first_key.start_mark.column
    if isinstance(node, CollectionNode):
        return node.start_mark.column
    return 0 if isinstance(addition, list) else 2


def _problem(error: Exception) -> str:
    """What a parser found and where, in one line."""
    text = str(error)
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        problem = str(error.problem)
        key = re.match(r'found duplicate key "(.*?)" with value', problem, re.DOTALL)
        if isinstance(error, DuplicateKeyError) and key:
            problem = f"key {key[1]!r} stands twice"
        text = f"line {error.problem_mark.line + 1}: {problem}"
    return " ".join(text.split())


class _Representer(SafeRepresenter):
    """Writes every float with a point, such as 1.0e-05: YAML 1.1 reads it as a number too."""

    def represent_float(self, data: float) -> ScalarNode:
        node: ScalarNode = super().represent_float(data)
        if "e" in node.value and "." not in node.value:
            node.value = node.value.replace("e", ".0e", 1)
        return node


_Representer.add_representer(float, _Representer.represent_float)
