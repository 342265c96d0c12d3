"""Which tests of searches are slow: those that need a whole search or a database server."""

from pathlib import Path

import pytest

SLOW_FIXTURES = {"study", "project", "postgresql"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        is_here = Path(__file__).parent in item.path.parents
        if is_here and SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
