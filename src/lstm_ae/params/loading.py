"""params.yaml read, its defaults put into every section, the whole validated."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lstm_ae.core.errors import InputError
from lstm_ae.core.yaml import load_yaml
from lstm_ae.params.params import TOP_LEVEL, Params
from lstm_ae.params.problems import first_problem, nearest
from lstm_ae.params.section import Model, Training

# What may stand under `defaults`: what the stages in dvc.yaml track, and `storage`.
SHARED = {
    "model": tuple(Model.model_fields),
    "training": tuple(Training.model_fields),
    "search": ("concurrency", "storage"),
}


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and validate the whole of params.yaml.

    Raises
    ------
    InputError
        One line: the key, what stood there, what to write in its place.
    """
    content = load_yaml(path)
    try:
        _check_names(content)
        defaults = content.get("defaults", {})
        _check_defaults(defaults)
        return _validated(content, defaults)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _check_names(content: Mapping[str, Any]) -> None:
    """Every name under `sections` is a name, stands once and has its block."""
    names = content.get("sections")
    if not isinstance(names, list):
        return  # the typed Params refuse it
    for name in names:
        is_name = isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9_]*", name)
        if not is_name or name in TOP_LEVEL:
            raise InputError(
                f"sections: found {name!r}; give a name of small letters, digits and _, other "
                f"than {', '.join(sorted(TOP_LEVEL))}"
            )
        if names.count(name) > 1:
            raise InputError(f"sections: {name} stands twice")
        if name not in content:
            similar = nearest(name, content.keys() - TOP_LEVEL)
            raise InputError(f"sections lists {name}, but there is no block {name}{similar}")


def _check_defaults(defaults: Any) -> None:
    """`defaults` holds mappings of keys that sections share."""
    if not isinstance(defaults, dict):
        raise InputError(f"defaults: found {defaults!r}; a mapping is needed")
    for name, values in defaults.items():
        if name not in SHARED:
            raise InputError(f"defaults.{name}: unknown key{nearest(name, SHARED)}")
        if not isinstance(values, dict):
            raise InputError(f"defaults.{name}: found {values!r}; a mapping is needed")
        for key in values:
            if key not in SHARED[name]:
                similar = nearest(key, SHARED[name])
                names = ", ".join(SHARED[name])
                raise InputError(
                    f"defaults.{name}.{key}: unknown key{similar or f'; there are {names}'}"
                )


def _validated(content: dict[str, Any], defaults: dict[str, dict[str, Any]]) -> Params:
    written = {name: value for name, value in content.items() if _is_section(name, value)}
    blocks = {name: _completed(name, block, defaults) for name, block in written.items()}
    rest = {key: value for key, value in content.items() if key not in blocks}
    rest.pop("defaults", None)
    if "blocks" in rest:
        raise InputError(f"blocks: unknown key{nearest('blocks', TOP_LEVEL)}")
    everything = {**rest, "blocks": blocks}
    try:
        params = Params.model_validate(everything)
    except ValidationError as error:
        raise InputError(first_problem(error, everything, written)) from error
    if params.budget not in params.budgets:
        names = ", ".join(params.budgets)
        raise InputError(f"budget: found {params.budget!r}; give one of {names}")
    return params


def _is_section(name: str, value: Any) -> bool:
    return name not in TOP_LEVEL and isinstance(value, dict) and "data" in value


def _completed(
    name: str,
    block: dict[str, Any],
    defaults: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    """A section's block with the defaults that it does not set itself."""
    completed = dict(block)
    for key, shared in defaults.items():
        values = block.get(key, {})
        if isinstance(values, dict):
            completed[key] = {**shared, **values}
    search = block.get("search")
    if isinstance(search, dict) and "storage" in search:
        raise InputError(
            f"{name}.search.storage: stands in a section; write it under defaults.search, "
            "where a change of it runs no search again"
        )
    return completed
