"""Files that are either whole or not there, with the same bytes for the same content."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from lstm_ae.core.errors import InputError, first_problem

Record = TypeVar("Record")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path, which takes the place of `path` when the `with` ends well.

    Raises
    ------
    OSError
        It names `path`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=path.parent) as directory:
            temporary = Path(directory) / path.name
            yield temporary
            temporary.replace(path)
    except OSError as error:
        error.filename = str(path)  # a full disk names none, a rename two
        del error.filename2
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8, its line breaks as they are."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object, its keys in their order.

    Raises
    ------
    ValueError
        A number is not finite.
    """
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_record(path: Path, kind: type[Record]) -> Record:
    """Read a JSON object as a record that checks its values.

    Raises
    ------
    InputError
        The file is missing, or is no such record.
    """
    content = read_json(path)
    try:
        return kind(**content)
    except ValidationError as error:
        raise InputError(f"{path}: {first_problem(error)}; `dvc repro` makes it anew") from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    InputError
        The file is missing, is not JSON, or holds something else than an object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found; `dvc repro` makes it") from error
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error})") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds {type(content).__name__}; a JSON object is needed")
    return content
