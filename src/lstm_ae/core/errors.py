"""The one exception a person is meant to read."""


class InputError(ValueError):
    """The user gave something that cannot be used.

    The message is one line: what was found, where, and what to do next.
    """
