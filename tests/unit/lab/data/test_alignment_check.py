"""Alignments that cannot be right are told by their sound, their phones and their score."""

import itertools

import numpy as np
import pytest
from makeittalk_lab.data.alignment_check import alignment_fault, voiced_hops
from makeittalk_lab.data.phones import AlignedWord

RATE = 16_000


def sound(*bursts: tuple[float, float], seconds: float = 4.0) -> np.ndarray:
    """Faint noise, and loud noise in the bursts (s)."""
    samples = 1e-4 * np.random.default_rng(0).standard_normal(round(seconds * RATE))
    for start, end in bursts:
        samples[round(start * RATE) : round(end * RATE)] *= 1000.0
    return samples.astype(np.float32)


def word(start: float, end: float, text: str = "word", phones: int = 4, score: float = -15.0) -> AlignedWord:
    """A word of phones equally long, with a score a frame."""
    edges = np.linspace(start, end, phones + 1)
    names = ["W", "ER", "D", "Z"] if text else ["SIL"]
    spans = [(float(a), float(b), names[i % len(names)]) for i, (a, b) in enumerate(itertools.pairwise(edges))]
    return AlignedWord(text, spans, score * (end - start) * 100)


def pause(start: float, end: float) -> AlignedWord:
    return word(start, end, "", 1)


def test_a_good_alignment_has_no_fault() -> None:
    words = [pause(0, 1), word(1, 1.6), pause(1.6, 2), word(2, 3), pause(3, 4)]
    assert alignment_fault(sound((1, 1.6), (2, 3)), words) == ""


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "do not fit the sound"),
        ([pause(0, 4)], "do not fit the sound"),
        ([pause(0, 1), word(1, 1.6), pause(1.6, 4)], "stops early: 1.0 s of voice"),
        ([word(2, 3)], ""),
        ([word(0.0, 0.9), pause(0.9, 1.95), word(2, 3)], "lacks words: one pause holds 0.6 s"),
        ([pause(0, 1), word(1, 1.6), word(1.6, 3, phones=2)], "one ER would last 0.7 s"),
        ([pause(0, 1), word(1, 1.6, score=-30), pause(1.6, 2), word(2, 3, score=-25)], "badly: -27 a frame"),
    ],
)
def test_faults_are_named(words: list[AlignedWord], complaint: str) -> None:
    fault = alignment_fault(sound((1, 1.6), (2, 3)), words)
    assert complaint in fault and bool(fault) == bool(complaint)


def test_voice_is_where_it_is_loud() -> None:
    voiced = voiced_hops(sound((1, 2)))
    assert abs(int(voiced.sum()) - 100) <= 6 and voiced[110:190].all() and not voiced[:90].any()
    assert voiced_hops(np.zeros(0, np.float32)).shape == (0,)
