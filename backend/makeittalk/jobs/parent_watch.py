"""Ends the process with whoever started it, even where the end of the input never comes: others may hold the pipe."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable

from ..exchange import owner, temporary

_LOOK = 1.0  # s between two looks
_LAST = 10.0  # s that work has to notice that it is over
_DYING = 0.1  # s from the end of a killed process's pipes to its own


def parent_process() -> str:
    """Who started this process, as `owner.of` says it."""
    named = os.environ.get(owner.PARENT, "")
    return named if re.fullmatch(owner.PATTERN, named) else owner.of(os.getppid())


def watch_parent(parent: str, over: threading.Event, end: Callable[[], None]) -> None:
    """Has a thread call `end` when the parent is gone, and end the process by force where it does not heed `over`.

    Args:
        over: set when everything is to end, for this reason or another.
    """

    def watch() -> None:
        while not over.wait(_LOOK):
            if owner.is_gone(parent):
                end()
        threading.Event().wait(_LAST)
        tidy_up(parent)
        os._exit(1)  # a step that takes longer, or a reader of the replies who does not read

    threading.Thread(target=watch, daemon=True, name="parent").start()


def tidy_up(parent: str) -> None:
    """Removes what this process has made, and what its parent has left if that was killed."""
    temporary.remove_all()
    until = time.monotonic() + _DYING
    while not owner.is_gone(parent) and time.monotonic() < until:
        time.sleep(0.005)
    temporary.sweep()
