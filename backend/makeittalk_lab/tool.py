"""Modules of the laboratory that are programs of their own: `python -m makeittalk_lab.…`."""

from __future__ import annotations

import sys
from collections.abc import Callable

from makeittalk.exchange.errors import MakeItTalkError


def exit_status(work: Callable[[], None]) -> int:
    """Does the work: 0 on success, otherwise the error's own status, after a sentence on standard error."""
    try:
        work()
    except MakeItTalkError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0
