"""Gives the machine the memory back that the C library keeps for later. Standard library only."""

from __future__ import annotations

import contextlib
import ctypes
import sys


def return_memory() -> None:
    """Returns what was freed to the machine, where the C library would rather keep it: glibc keeps hundreds of MB."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)
