"""Ends the process with whoever started it, even where the end of the input never comes: others may hold the pipe."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable

from ..exchange import owner, temporary

PARENT = "MAKEITTALK_PARENT"  # whoever starts the backend says in this variable who it is, as `owner.mine` does
_LOOK = 1.0  # s between two looks
_LAST = 10.0  # s that work has to notice that it is over


def watch_parent(over: threading.Event, end: Callable[[], None]) -> None:
    """Has a thread call `end` when the parent is gone, and end the process by force where it does not heed `over`.

    Args:
        over: set when everything is to end, for this reason or another.
    """
    named = os.environ.get(PARENT, "")
    parent = named if re.fullmatch(owner.PATTERN, named) else owner.of(os.getppid())

    def watch() -> None:
        while not over.wait(_LOOK):
            if owner.is_gone(parent):
                end()
        threading.Event().wait(_LAST)
        temporary.remove_all()
        os._exit(1)  # a step that takes longer, or a reader of the replies who does not read

    threading.Thread(target=watch, daemon=True, name="parent").start()
