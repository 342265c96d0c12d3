"""Packages that an extra of this library brings."""

from collections.abc import Iterator
from contextlib import contextmanager

from lstm_ae.core.errors import InputError


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Import in this block what `pip install 'lstm-ae[extra]'` brings.

    Raises
    ------
    InputError
        A package is not installed: its name, and the command that installs it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("lstm_ae"):
            raise
        command = f"pip install 'lstm-ae[{extra}]'"
        raise InputError(f"the package {error.name} is not installed; run {command}") from error
