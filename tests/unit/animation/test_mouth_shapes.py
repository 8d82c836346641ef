"""Mouth shapes: which there are, how long each is held, and what the best path is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from makeittalk.animation import held_path as path_module
from makeittalk.animation.held_path import held_path
from makeittalk.animation.mouth_shapes import HOLD, RATE, mouth_shapes
from makeittalk.exchange.cues import SHAPES, Cue

ARPABET = (
    "SIL AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split()
)
SETS = ("GHX", "GX", "H", "")


def worth(path: tuple[int, ...] | np.ndarray, scores: np.ndarray, change: np.ndarray) -> float:
    told = sum(scores[frame, index] for frame, index in enumerate(path))
    return told - sum(change[a, b] for a, b in itertools.pairwise(path) if a != b)


@pytest.mark.parametrize("block", [1, 3, 8192])
def test_no_path_is_better(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against every path that there is."""
    monkeypatch.setattr(path_module, "_BLOCK", block)
    random = np.random.default_rng(block)
    for _ in range(60):
        frames, hold = int(random.integers(2, 9)), int(random.integers(1, 4))
        scores, change = random.normal(size=(frames, 3)), random.random((3, 3))
        every = [
            path
            for path in itertools.product(range(3), repeat=frames)
            if all(len(list(run)) >= hold for _, run in itertools.groupby(path)) or len(set(path)) == 1
        ]
        best = max(every, key=lambda path: worth(path, scores, change))
        assert tuple(held_path(scores, hold, change)) == best


def test_the_shortest_recordings_have_a_path() -> None:
    assert held_path(np.zeros((0, 3)), 4, np.zeros((3, 3))).shape == (0,)
    scores = np.array([[0.0, 1.0], [2.0, 1.0], [0.0, 1.0]])  # the second class is the better one of all three frames
    assert held_path(scores, 4, np.zeros((2, 2))).tolist() == [1, 1, 1]


def spoken(seed: int, seconds: float) -> list[Cue]:
    """Phones drawn at random, as short as 16 ms and as long as half a second."""
    random = np.random.default_rng(seed)
    edges = np.cumsum([0.0, *random.choice([0.016, 0.032, 0.05, 0.08, 0.15, 0.5], 400)])
    edges = np.minimum(edges, seconds)
    names = random.choice(ARPABET, 400)
    found = zip(edges.tolist(), edges[1:].tolist(), names.tolist(), strict=False)
    return [Cue(*cue) for cue in found if cue[1] > cue[0]]


@pytest.mark.parametrize("extended", SETS)
@pytest.mark.parametrize("seed", range(5))
def test_shapes_are_those_drawn_and_none_flickers(extended: str, seed: int) -> None:
    seconds = 6.287
    cues = mouth_shapes(spoken(seed, seconds), seconds, extended)
    assert {cue.name for cue in cues} <= set("ABCDEF" + extended) and len({cue.name for cue in cues}) > 4
    assert cues[0].start == 0.0 and cues[-1].end == seconds
    assert [cue.end for cue in cues[:-1]] == [cue.start for cue in cues[1:]]
    assert all(cue.name != after.name for cue, after in itertools.pairwise(cues))
    assert min(cue.end - cue.start for cue in cues) > HOLD - 1e-9
    assert max(abs(cue.start * RATE - round(cue.start * RATE)) for cue in cues) < 1e-6


@pytest.mark.parametrize(
    ("phone", "length", "shapes"),
    [
        *(("P", 0.1, "A"), ("M", 0.1, "A"), ("F", 0.1, "G"), ("V", 0.1, "G"), ("IY", 0.15, "B"), ("S", 0.2, "B")),
        *(("EH", 0.15, "C"), ("AA", 0.15, "D"), ("AO", 0.15, "E"), ("UW", 0.15, "F"), ("W", 0.1, "F")),
        *(("AH", 0.15, "C"), ("AH", 0.25, "D"), ("L", 0.25, "H"), ("OW", 0.25, "EF"), ("AY", 0.25, "DB")),
        *(("EY", 0.25, "CB"), ("OY", 0.25, "EB"), ("AW", 0.25, "CE"), ("AW", 0.35, "DE"), ("AY", 0.19, "CB")),
    ],
)
def test_a_phone_takes_the_shape_that_rhubarb_s_readme_names(phone: str, length: float, shapes: str) -> None:
    cues = mouth_shapes([Cue(1.0, 1.0 + length, phone)], 2.0 + length)
    assert "".join(cue.name for cue in cues) == f"X{shapes}X"
    assert cues[1].start == 1.0 and cues[-1].start == pytest.approx(1.0 + length, abs=0.005)


@pytest.mark.parametrize(("phone", "extended", "shown"), [("F", "HX", "A"), ("L", "GX", "C"), ("AA", "", "D")])
def test_a_shape_that_nobody_has_drawn_is_shown_as_another(phone: str, extended: str, shown: str) -> None:
    cues = mouth_shapes([Cue(1.0, 1.3, phone)], 2.3, extended)
    rest = "X" if "X" in extended else "A"
    names = "".join(cue.name for cue in cues)
    assert names == (f"{rest}{shown}{rest}" if shown != rest else rest)


def test_a_consonant_goes_with_its_neighbours() -> None:
    """A T between two round vowels is said with round lips, one between two spread ones with spread lips."""
    for vowel, shape in (("UW", "F"), ("IY", "B")):
        cues = mouth_shapes([Cue(0.5, 0.8, vowel), Cue(0.8, 0.9, "T"), Cue(0.9, 1.2, vowel)], 1.7)
        assert [cue.name for cue in cues] == ["X", shape, "X"]


def test_short_closures_are_shown_all_the_same() -> None:
    """A P of 50 ms between open vowels: the eye misses it more than 30 ms of a vowel."""
    cues = mouth_shapes([Cue(0.5, 0.8, "AA"), Cue(0.8, 0.85, "P"), Cue(0.85, 1.2, "AA")], 1.7)
    assert [cue.name for cue in cues] == ["X", "D", "A", "D", "X"]
    shut = cues[2]
    assert shut.start <= 0.8 and shut.end >= 0.85


@pytest.mark.parametrize(("pause", "shapes"), [(0.06, {"D"}), (0.2, {"A", "B", "D"}), (0.6, {"X", "D"})])
def test_a_mouth_rests_in_long_pauses_only(pause: float, shapes: set[str]) -> None:
    cues = mouth_shapes([Cue(0.5, 0.8, "AA"), Cue(0.8 + pause, 1.1 + pause, "AA")], 1.6 + pause)
    assert {cue.name for cue in cues[1:-1]} <= shapes
    assert (len(cues) == 3) == (pause == 0.06)


def test_silence_is_a_mouth_at_rest() -> None:
    assert mouth_shapes([], 3.0) == [Cue(0.0, 3.0, "X")]
    assert mouth_shapes([Cue(0.0, 3.0, "SIL")], 3.0, "GH") == [Cue(0.0, 3.0, "A")]
    assert [cue.name for cue in mouth_shapes([Cue(0.0, 0.1, "AA")], 0.1)] == ["D"]
    assert set(SHAPES) == set("ABCDEFGHX")
