"""What is wrong with params.yaml, in one line that names the key as it stands there."""

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lstm_ae.params.data import KINDS
from lstm_ae.params.params import TOP_LEVEL, Params


def first_problem(
    error: ValidationError,
    content: Mapping[str, Any],
    written: Mapping[str, Mapping[str, Any]],
) -> str:
    """The first problem in one line; a misspelt key comes before the key that it leaves missing.

    Parameters
    ----------
    content
        What was validated, the sections under `blocks`.
    written
        The blocks of the sections as they stand in params.yaml, without the defaults.
    """
    problems = error.errors(include_url=False)
    unknown = [problem for problem in problems if problem["type"] == "extra_forbidden"]
    problem = (unknown or problems)[0]
    key = _key(problem, content, written)
    if problem["type"] == "extra_forbidden":
        return f"{key}: unknown key{nearest(problem['loc'][-1], _allowed_keys(problem['loc']))}"
    if problem["type"] == "missing":
        return f"{key}: missing"
    if problem["type"].startswith("union_tag"):
        return f"{key}.dataset: {_dataset_problem(problem['input'].get('dataset'))}"
    value = problem["input"]
    message = problem["msg"].removeprefix("Value error, ")
    if isinstance(value, float) and math.isnan(value):
        message = "a finite number is needed"
    if isinstance(value, dict | BaseModel):
        return f"{key}: {message}"
    return f"{key}: found {value!r}; {message}"


def _dataset_problem(dataset: object) -> str:
    """What is wrong with a kind of data set that there is not."""
    return f"found {dataset!r}; give one of {', '.join(KINDS)}{nearest(dataset, KINDS)}"


def nearest(name: object, allowed: Iterable[object]) -> str:
    """The end of a message: the most similar of the allowed keys, or nothing if none is similar."""
    names = sorted(str(key) for key in allowed)
    matches = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    return f"; the nearest is {matches[0]}" if matches else ""


def _key(
    problem: ErrorDetails,
    content: Mapping[str, Any],
    written: Mapping[str, Mapping[str, Any]],
) -> str:
    """The key of a problem as it stands in params.yaml, its parts joined by points."""
    parts = _path(problem, content)
    if parts[0] != "blocks":
        return ".".join(parts)
    name, *inside = parts[1:]
    if len(inside) > 1 and problem["type"] != "missing":
        values = written[name].get(inside[0], {})
        if inside[1] not in map(str, values):
            name = "defaults"
    return ".".join([name, *inside])


def _path(problem: ErrorDetails, content: Mapping[str, Any]) -> list[str]:
    """The keys that lead to a problem, without the names that pydantic gives members of unions."""
    *above, last = map(str, problem["loc"])
    parts = []
    value: Any = content
    for part in above:
        values = _by_key(value)
        if part in values:
            parts.append(part)
            value = values[part]
    if not parts or problem["type"] == "missing" or last in _by_key(value):
        parts.append(last)
    return parts


def _by_key(value: Any) -> dict[str, Any]:
    """The values of a mapping or a list by their keys or indices, as text."""
    if isinstance(value, Mapping):
        return {str(key): inside for key, inside in value.items()}
    if isinstance(value, list):
        return {str(index): inside for index, inside in enumerate(value)}
    return {}


def _allowed_keys(location: tuple[int | str, ...]) -> list[str]:
    """The keys that are allowed where an unknown one stands."""
    if len(location) == 1:
        return sorted(TOP_LEVEL)
    annotation: Any = Params
    for part in location[:-1]:
        if hasattr(annotation, "model_fields"):
            annotation = annotation.model_fields[part].annotation
        elif get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
        else:  # the union of the kinds of data sets
            annotation = KINDS[str(part)]
    return list(annotation.model_fields)
