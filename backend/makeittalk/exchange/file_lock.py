"""A lock on an open file, which goes with the process that holds it. Standard library."""

from __future__ import annotations

import os
import sys


def lock_file(descriptor: int, place: int = 0) -> None:
    """Takes an open file for this process, until it is closed or the process ends.

    Args:
        descriptor: of the file. place: the byte that is locked where a lock is on bytes (Windows); nobody else may read
            it meanwhile, and it may lie behind the end.

    Raises:
        OSError: another process holds it, or there are no locks on this disk.
    """
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, place, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
