"""Which process made something, as a short text for a name, and whether that process is gone. Standard library only.

A process is its number and when it began: a number alone is given to another process sooner or later. Where the system
does not tell when a process began, one that has a running process's number counts as running.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import sys
from pathlib import Path

#: What `mine` looks like, for regular expressions: the machine, the number and the beginning, in hexadecimal digits.
PATTERN = r"[0-9a-f]{6}-[0-9a-f]{1,8}-[0-9a-f]{8}"
#: Whoever starts the backend says in this variable who it is, as `mine` does: the backend ends with it.
PARENT = "MAKEITTALK_PARENT"
_UNKNOWN = "0" * 8
_RUNS = 259  # STILL_ACTIVE of Windows


def mine() -> str:
    """The text of this process."""
    return of(os.getpid())


def of(process: int) -> str:
    """The text of a running process, by its number."""
    return f"{_machine()}-{process:x}-{_begun(process) or _UNKNOWN}"


def is_gone(owner: str) -> bool:
    """Whether a process is known to have ended; False for one of another machine, of which nothing is known."""
    machine, process, begun = owner.split("-")
    if machine != _machine():
        return False
    now = _begun(int(process, 16))
    return now is None or (now != begun and _UNKNOWN not in (now, begun))


@functools.lru_cache(maxsize=1)
def _machine() -> str:
    """This machine, and the set of processes that are seen from here: a container's have numbers of their own."""
    seen = [platform.node()]
    with contextlib.suppress(OSError):
        seen.append(Path("/etc/machine-id").read_text())
    with contextlib.suppress(OSError):
        seen.append(os.readlink("/proc/self/ns/pid"))
    return _short(*seen)[:6]


def _begun(process: int) -> str | None:
    """When a process began, as eight digits; `_UNKNOWN` where nobody says so, None for one that does not run."""
    if sys.platform == "win32":
        return _begun_windows(process)
    if os.path.exists("/proc/self/stat"):
        try:
            told = Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
            if told[0] in "ZX":  # dead, and its parent has not asked yet
                return None
            # The machine may have been started anew since: then the same count of ticks means another moment.
            return _short(_this_start(), told[19])
        except (OSError, IndexError):
            return None
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return None
    except OSError:
        pass  # somebody else's
    return _UNKNOWN


@functools.lru_cache(maxsize=1)
def _this_start() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        return ""


def _short(*parts: str) -> str:
    return hashlib.blake2s("\0".join(parts).encode("utf-8", "replace"), digest_size=4).hexdigest()


def _begun_windows(process: int) -> str | None:
    if sys.platform != "win32":
        return _UNKNOWN
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.OpenProcess.restype = wintypes.HANDLE
    kernel.GetExitCodeProcess.argtypes = wintypes.HANDLE, ctypes.POINTER(wintypes.DWORD)
    kernel.GetProcessTimes.argtypes = wintypes.HANDLE, *[ctypes.POINTER(wintypes.FILETIME)] * 4
    kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
    handle = kernel.OpenProcess(0x1000, False, process)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return None if ctypes.get_last_error() == 87 else _UNKNOWN  # ERROR_INVALID_PARAMETER: there is none
    try:
        status = wintypes.DWORD()
        if kernel.GetExitCodeProcess(handle, ctypes.byref(status)) and status.value != _RUNS:
            return None
        times = [wintypes.FILETIME() for _ in range(4)]
        if not kernel.GetProcessTimes(handle, *map(ctypes.byref, times)):
            return _UNKNOWN
        return _short(f"{times[0].dwHighDateTime} {times[0].dwLowDateTime}")
    finally:
        kernel.CloseHandle(handle)
