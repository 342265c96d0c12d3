"""The one exception a person is meant to read."""


class InputError(ValueError):
    """Something the user gave cannot be used: what was found, where, and what is allowed, in one line."""
