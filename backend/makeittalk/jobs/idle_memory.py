"""Gives memory back that nobody uses: what networks and files hold, and what the C library keeps (glibc's: hundreds of
MB)."""

from __future__ import annotations

import contextlib
import ctypes
import sys

from . import kept_files

IDLE_SECONDS = 300.0  # without a request, after which the server gives memory back
_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h
_ARENAS = 2


def keep_few_arenas() -> None:
    """Has the threads share few heaps: each of its own would keep what a short thread once needed."""
    _call("mallopt", _ARENA_MAX, _ARENAS)


def return_memory() -> None:
    """Returns to the machine what was freed."""
    _call("malloc_trim", 0)


def free_memory() -> None:
    """Gives back what idle networks, files that were read and known answers hold."""
    kept_files.clear()
    if "torch" in sys.modules:
        from . import kept

        kept.clear()
    free_networks()


def free_networks() -> None:
    """Gives back what networks hold, that of a graphics card, too, which Blender may want next."""
    if "torch" in sys.modules:
        from ..networks.device import release

        release()
        return_memory()


def _call(name: str, *arguments: int) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
            getattr(ctypes.CDLL(None), name)(*arguments)
