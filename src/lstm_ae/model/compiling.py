"""Numba, and where it keeps compiled code."""

import functools
import hashlib
import os
from pathlib import Path
from typing import Any, Self

from numba import config, njit
from numba.core.caching import CacheImpl, _CacheLocator

from lstm_ae.core import paths

ROOM = Path(__file__).parent


@functools.cache
def _sources_hash() -> str:
    whole = hashlib.sha256()
    for path in sorted(ROOM.glob("*.py")):
        whole.update(path.read_bytes())
    return whole.hexdigest()[:16]


class RoomLocator(_CacheLocator):
    """Keeps the code of this room in the user's cache, under the hash of the room's sources.

    Numba's own locators look at one file, and miss a change of what that file calls; and they go
    by its path, so that each copy of the project would compile again.
    """

    def __init__(self, function: Any) -> None:
        self.function = function

    def get_cache_path(self) -> str:
        place = os.environ.get("NUMBA_CACHE_DIR") or paths.cache() / "kernels"
        return str(Path(place) / _sources_hash())

    def get_source_stamp(self) -> str:
        return _sources_hash()

    def get_disambiguator(self) -> str:
        return str(self.function.__code__.co_firstlineno)

    @classmethod
    def from_function(cls, function: Any, file: str) -> Self | None:
        if Path(file).parent != ROOM:
            return None
        locator = cls(function)
        try:
            locator.ensure_cache_path()
        except OSError:
            return None  # Numba's own locators look for another place
        return locator


def _use_locator() -> None:
    """Have Numba ask `RoomLocator` first."""
    numbas = ",".join(locator.__name__ for locator in CacheImpl._locator_classes)
    config.CACHE_LOCATOR_CLASSES = f"{__name__}.{RoomLocator.__name__},{numbas}"  # type: ignore[attr-defined]


_use_locator()
compiled = njit(cache=True, nogil=True, error_model="numpy")
