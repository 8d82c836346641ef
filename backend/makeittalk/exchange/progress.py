"""How long work reports itself and learns that it should stop. Standard library only."""

from __future__ import annotations

from collections.abc import Callable

#: Called with the done fraction (0–1) and the name of the stage; raises `errors.Cancelled` to stop the work.
Progress = Callable[[float, str], None]


def silent(_fraction: float, _stage: str) -> None:
    """A progress that nobody watches."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """The stretch from `start` to `end` of `progress`, itself running from 0 to 1."""

    def inner(fraction: float, stage: str) -> None:
        progress(start + (end - start) * min(1.0, max(0.0, fraction)), stage)

    return inner
