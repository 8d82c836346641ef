"""How far an installation is, from what pip says while it downloads and unpacks. No bpy here."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from ...backend.makeittalk.exchange.locks import Lock, TorchBuild

#: The share of the time that unpacking takes beside downloading the same wheels over an ordinary line.
_UNPACK = 0.4
_FIRST, _LAST = 0.06, 0.93  # of the whole installation
_EVERY = 0.1  # s between two reports
_UNITS = {"kB": 1e3, "MB": 1e6, "GB": 1e9, "bytes": 1.0}


class PipProgress:
    """Turns lines of pip into fractions of the whole.

    Args:
        environment: the folder that is filled. lock, build: what is installed, with their sizes.
        report: is told fraction and stage.
    """

    def __init__(self, environment: Path, lock: Lock, build: TorchBuild, report: Callable[[float, str], None]) -> None:
        self._environment, self._report = environment, report
        whole = max(1, lock.download + build.download)
        shares = {"packages": lock.download / whole, "torch": build.download / whole}
        first = _FIRST
        self._spans: dict[str, tuple[float, float, float]] = {}  # from, to, bytes
        for name, size in (("packages", lock.download), ("torch", build.download)):
            last = first + (_LAST - _FIRST) * shares[name]
            self._spans[name] = (first, last, float(max(1, size)))
            first = last
        self._count = {"packages": len(lock.packages), "torch": 1}
        self._part = "packages"
        self._name = ""
        self._done = self._now = 0.0
        self._processed = 0
        self._last = 0.0
        self._unpacking = self._before = 0

    def begin(self, part: str) -> None:
        """What follows is about "packages" or "torch"."""
        self._part, self._done, self._now, self._processed, self._unpacking = part, 0.0, 0.0, 0, 0
        self._tell(0.0, "Looking for torch" if part == "torch" else "Looking for packages")

    def heard(self, line: str) -> None:
        """Takes in a line that pip has said."""
        raw = re.match(r"Progress (\d+) of (\d+)", line)
        if raw:
            self._now = float(raw[1])
            self._downloading()
            return
        file = re.search(r"(Downloading|Using cached|Processing) (\S+)(?: \(([\d.]+) (\w+)\))?", line.strip())
        if file:
            self._done, self._now = self._done + self._now, 0.0
            self._name = re.split(r"-\d", file[2].replace("\\", "/").rsplit("/", 1)[-1])[0]
            self._processed += 1
            if file[1] == "Using cached" and file[3]:
                self._done += float(file[3]) * _UNITS.get(file[4], 1.0)
            self._downloading()
        elif line.startswith("Installing collected packages"):
            self._unpack(len(line.partition(":")[2].split(",")))

    def _downloading(self) -> None:
        size = self._spans[self._part][2]
        fraction = max((self._done + self._now) / size, self._processed / max(1, self._count[self._part]) * 0.5)
        got = self._done + self._now
        text = f"Downloading {self._name}: {got / 1e6:.0f} of {size / 1e6:.0f} MB" if got else f"Checking {self._name}"
        self._tell(min(1.0, fraction) * (1.0 - _UNPACK), text)

    def look(self) -> None:
        """Sees how many packages are there; pip says nothing while it unpacks them."""
        if not self._unpacking:
            return
        there = self._packages() - self._before
        fraction = min(1.0, max(0, there) / max(1, self._unpacking))
        self._tell(1.0 - _UNPACK + _UNPACK * fraction, f"Unpacking {there} of {self._unpacking}")

    def _unpack(self, count: int) -> None:
        self._before = self._packages()
        self._unpacking = count
        self._tell(1.0 - _UNPACK, "Unpacking")

    def _packages(self) -> int:
        """How many packages the environment holds."""
        roots = [*self._environment.glob("lib/python*/site-packages"), *self._environment.glob("Lib/site-packages")]
        return sum(1 for _path in roots[0].glob("*.dist-info")) if roots else 0

    def _tell(self, within: float, stage: str) -> None:
        now = time.monotonic()
        if now - self._last < _EVERY and within not in (0.0, 1.0):
            return
        self._last = now
        first, last, _size = self._spans[self._part]
        self._report(first + (last - first) * within, stage)
