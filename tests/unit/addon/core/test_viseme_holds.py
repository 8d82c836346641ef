"""Mouth shapes on frames: none flickers, closed mouths stay, nothing is left out where there is room."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from extension import part_outside
from makeittalk.exchange.cues import Cue

viseme_holds = part_outside("addon.core.viseme_holds")


def cues(*parts: tuple[float, str]) -> list[Cue]:
    """Cues by length, s, and name."""
    ends = np.cumsum([length for length, _ in parts])
    return [Cue(float(end - length), float(end), name) for end, (length, name) in zip(ends, parts, strict=True)]


def test_what_is_long_enough_begins_on_its_nearest_frame():
    found = viseme_holds.held(cues((0.5, "X"), (0.25, "B"), (0.26, "A"), (0.5, "D")), 24.0)
    assert found == [(0, "X"), (12, "B"), (18, "A"), (24, "D")]


def test_what_is_too_short_takes_a_frame_from_a_neighbour():
    assert viseme_holds.held(cues((0.5, "X"), (1 / 24, "A"), (0.5, "D")), 24.0) == [(0, "X"), (12, "A"), (14, "D")]
    found = viseme_holds.held(cues((0.5, "X"), (1 / 24, "A"), (2 / 24, "D")), 24.0)
    assert found == [(0, "X"), (11, "A"), (13, "D")]


def test_a_closed_mouth_stays_where_there_is_no_room():
    found = viseme_holds.held(cues((2 / 24, "C"), (1 / 24, "A"), (2 / 24, "D")), 24.0)
    assert (2, "A") in found and len(found) == 2


def test_equal_neighbours_are_one():
    assert viseme_holds.held(cues((0.5, "C"), (0.5, "C"), (0.5, "D")), 24.0) == [(0, "C"), (24, "D")]
    assert viseme_holds.held([], 24.0) == []
    assert viseme_holds.held(cues((0.01, "C")), 24.0) == [(0, "C")]


@pytest.mark.parametrize("rate", [8.0, 12.0, 24.0, 29.97, 60.0])
def test_any_speech_is_held(rate):
    rng = np.random.default_rng(5)
    parts = [
        (float(length), str(name))
        for length, name in zip(rng.uniform(0.04, 0.3, 400), rng.choice(list("ABCDEFGHX"), 400), strict=False)
    ]
    said = cues(*parts)
    found = viseme_holds.held(said, rate)
    frames = [frame for frame, _ in found]
    ends = [*frames[1:], round(said[-1].end * rate)]
    assert frames[0] == 0 and min(np.subtract(ends, frames)) >= 2
    assert all(one[1] != other[1] for one, other in itertools.pairwise(found))
    if rate >= 24.0:  # P, B and M are all there, within a frame or two of where they are heard
        shown = [frame for frame, name in found if name == "A"]
        heard = [
            cue
            for cue, before in zip(said, [None, *said], strict=False)
            if cue.name == "A" and (before is None or before.name != "A")
        ]
        assert all(min(abs(frame - cue.start * rate) for frame in shown) <= 4.0 for cue in heard)
