"""Keeps libraries that write to the standard error stream from C++ out of the user's terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

_LOCK = threading.RLock()
_depth = 0


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Sends file descriptor 2 to nowhere meanwhile; Python's own errors still travel as exceptions.

    MediaPipe and TensorFlow Lite log to the descriptor itself, so that neither `logging` nor `sys.stderr` reaches
    them. Nested uses are fine; where there is no descriptor 2, nothing happens.
    """
    global _depth
    with _LOCK:
        kept = None
        if _depth == 0:
            with contextlib.suppress(OSError, ValueError, AttributeError):
                sys.stderr.flush()
            with contextlib.suppress(OSError):
                kept = os.dup(2)
        _depth += 1
        try:
            if kept is not None:
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, 2)
                os.close(nowhere)
            yield
        finally:
            _depth -= 1
            if kept is not None:
                os.dup2(kept, 2)
                os.close(kept)
