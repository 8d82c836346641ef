"""Readers that do what none may, by which the tests see that the campaign would notice."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from pathlib import Path

from reader import Reader

_WAITING = 60.0  # s


def _valid(_folder: Path) -> dict[str, bytes]:
    return {"file": b"valid"}


def _unless_valid(path: Path) -> bool:
    return path.read_bytes() != b"valid"


def _fails(path: Path) -> None:
    if _unless_valid(path):
        raise OverflowError("too large")


def _loops(path: Path) -> None:
    end = time.monotonic() + _WAITING
    while _unless_valid(path) and time.monotonic() < end:
        sum(range(1000))


def _swells(path: Path) -> None:
    if _unless_valid(path):
        held = bytearray(2 * 2**30)
        held[:: 2**12] = bytes(len(held) // 2**12)


def _runs(path: Path) -> None:
    if _unless_valid(path):
        eval("1 + 1")


def _imports(path: Path) -> None:
    """What any reader may do: a module with a dataclass, which executes text, is imported when it is needed."""
    if _unless_valid(path):
        sys.modules.pop("seeds", None)
        importlib.import_module("seeds")


def _starts(path: Path) -> None:
    if _unless_valid(path):
        os.system("true")


def _writes(path: Path) -> None:
    if _unless_valid(path):
        (path.parents[2] / "outside").write_text("")


def _dies(path: Path) -> None:
    if _unless_valid(path):
        os.kill(os.getpid(), signal.SIGSEGV)


def _stumbles(path: Path) -> None:
    if b"nan" in path.read_bytes():
        raise KeyError("no number")


READERS = tuple(
    Reader(f"planted {name}", _valid, read, (ValueError,))
    for name, read in (
        *(("error", _fails), ("hang", _loops), ("memory", _swells), ("code", _runs), ("program", _starts)),
        *(("file outside", _writes), ("death", _dies), ("import", _imports)),
    )
) + (Reader("planted word", lambda _folder: {"file": b"a text of words"}, _stumbles, (ValueError,), "words"),)
