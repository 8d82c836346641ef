"""Mouth shapes on a scene's frames, each held long enough to be seen. No bpy here."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from ...backend.makeittalk.exchange.cues import Cue

HOLD = 2  # frames: animators draw a mouth "on twos", and one that is seen for less flickers
CLOSED = "A"  # P, B and M: a mouth that does not shut is seen at once


def held(cues: Sequence[Cue], rate: float, hold: int = HOLD) -> list[tuple[int, str]]:
    """Mouth shapes by the frame on which each appears, counted from 0, none shown for less than `hold` frames.

    What is too short takes a frame from a neighbour that has one to spare; where none has, it goes, but that a closed
    mouth stays and a neighbour goes.

    Args:
        cues: without a gap, in the order of their times. rate: frames/s.
    """
    starts = [round(cue.start * rate) for cue in cues]
    names = [cue.name for cue in cues]
    if not names:
        return []
    starts.append(max(round(cues[-1].end * rate), starts[0] + hold))
    while True:
        _join_equal(starts, names)
        lengths = [after - before for before, after in itertools.pairwise(starts)]
        short = [number for number, length in enumerate(lengths) if length < hold]
        if not short or len(names) == 1:
            return list(zip(starts, names, strict=False))
        number = min(short, key=lambda item: (names[item] != CLOSED, lengths[item]))
        if number + 1 < len(names) and lengths[number + 1] > hold:
            starts[number + 1] += 1
        elif number > 0 and lengths[number - 1] > hold:
            starts[number] -= 1
        else:
            _drop(starts, names, _least(names, number))


def _least(names: list[str], number: int) -> int:
    """Which goes where a shape has no room: itself, but for a closed mouth, beside which another one goes."""
    beside = [item for item in (number + 1, number - 1) if 0 <= item < len(names) and names[item] != CLOSED]
    return beside[0] if names[number] == CLOSED and beside else number


def _drop(starts: list[int], names: list[str], number: int) -> None:
    """Takes a shape out; its frames go to the one before, those of the first to the one behind."""
    del names[number]
    del starts[number if number else 1]


def _join_equal(starts: list[int], names: list[str]) -> None:
    for number in range(len(names) - 1, 0, -1):
        if names[number] == names[number - 1]:
            del names[number], starts[number]
