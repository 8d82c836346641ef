"""Keeps the C library from holding memory that nobody uses: glibc's keeps hundreds of MB. Standard library only."""

from __future__ import annotations

import contextlib
import ctypes
import sys

_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h
_ARENAS = 2


def keep_few_arenas() -> None:
    """Has the threads share few heaps: each of its own would keep what a short thread once needed."""
    _call("mallopt", _ARENA_MAX, _ARENAS)


def return_memory() -> None:
    """Returns to the machine what was freed."""
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
            getattr(ctypes.CDLL(None), name)(*arguments)
