"""Processes that are killed without warning, in tests: at a moment of chance, or in the middle of the work."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable

LONGEST = 240.0  # s of a run, on a machine that does much else
ENDING = 30.0  # s in which the processes of a killed one have to end by themselves


def children(pid: int) -> list[int]:
    """The processes that a process has started, and theirs."""
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout
    found = [int(line) for line in listed.split()]
    return [*found, *(below for child in found for below in children(child))]


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def heed_interrupts() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would whatever the tests start there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def kill(process: subprocess.Popen, wait: float, begun: Callable[[], bool] | None = None) -> bool:
    """Kills a running process so many seconds from now, or from when it has begun; whether it was running until then.

    Its own processes have to end by themselves.

    Args:
        begun: whether something is done; without it the moment is counted from now.
    """
    deadline = time.monotonic() + LONGEST
    while begun is not None and not begun() and process.poll() is None:
        assert time.monotonic() < deadline, "it does not begin"
        time.sleep(0.005)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(wait)
    below = children(process.pid)
    process.send_signal(signal.SIGKILL)
    status = process.wait()
    deadline = time.monotonic() + ENDING
    while any(map(alive, below)):
        assert time.monotonic() < deadline, "processes of a killed one go on"
        time.sleep(0.02)
    return status == -signal.SIGKILL
