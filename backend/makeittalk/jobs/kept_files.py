"""The last files that were read, kept as what they hold: a slider asks for the same motion again and again."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import TypeVar

_LARGEST = 2**26  # bytes

_Content = TypeVar("_Content")


def read(load: Callable[[str], _Content], path: str) -> _Content:
    """What a file holds; it is read unless it is one of the last and as it was.

    Args:
        load: reads it, and says what is wrong with it.
    """
    try:
        found = os.stat(path)
    except OSError:
        return load(path)  # which says what is wrong
    if found.st_size > _LARGEST:
        return load(path)
    return _read_file(load, path, found.st_size, found.st_mtime_ns)


def clear() -> None:
    """Forgets everything."""
    _read_file.cache_clear()


@functools.lru_cache(maxsize=2)
def _read_file(load: Callable[[str], _Content], path: str, _size: int, _changed: int) -> _Content:
    return load(path)
