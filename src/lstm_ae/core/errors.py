"""The one exception a person is meant to read."""

from pydantic import ValidationError


class InputError(ValueError):
    """The user gave something that cannot be used.

    The message is one line: what was found, where, and what to do next.
    """


def first_problem(error: ValidationError) -> str:
    """The first problem of a typed record in one line: its key, what was found, what is wrong."""
    problem = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in problem["loc"])
    parts = [" ".join(key.split())] if key else []
    value = problem["input"]
    message = problem["msg"].removeprefix("Value error, ")
    found = f"found {value!r}; " if isinstance(value, str | float | int) else ""
    return ": ".join([*parts, found + message])
