"""Mouth shapes from phones: the six to nine drawings of limited animation, as Rhubarb Lip Sync names them.

A closed for P, B, M; B teeth together, most consonants and EE; C open, EH; D wide open, AA; E a little round, AO; F
puckered, UW and W; and where an artist has drawn them G the teeth on the lip, F and V; H the tongue up, a long L; X at
rest. Which phone takes which shape is the convention that Rhubarb documents (github.com/DanielSWolf/rhubarb-lip-sync,
README, "Mouth shapes"); a consonant that goes with several takes whichever its neighbours need.

Which of them is shown when is the cheapest path: what a phone asks for, the way that the mouth goes from shape to
shape, and no shape shorter than the eye can follow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..exchange.cues import EXTENDED, INSTEAD, SHAPES, SILENCE, Cue
from .held_path import held_path, spans_of

RATE = 100.0  # frames/s at which shapes are chosen, the resolution of Rhubarb's files
HOLD = 0.08  # s that a shape is shown at least, two frames at 24 frames/s and a bit less (Rhubarb: 70 to 80 ms)

_SHORT = 0.2  # s: an open vowel or an L shorter than this is not fully reached …
_LONG = 0.3  # … and an AW only from here on
_SCHWA = 0.08  # s: an AH or ER shorter than this is a schwa, which goes with more
_NO_PAUSE = 0.12  # s: so short a silence is a stop or a breath between words: the mouth stays as it is
_LONG_PAUSE = 0.35  # s: a pause shorter than this only relaxes the mouth
_GLIDE = 0.6  # share of a diphthong before its second shape

_REST = "X"
_RELAXED = "ABX"
_OPEN = "BCDEFGH"
_PLAIN = {
    **dict.fromkeys(("P", "B", "M"), "A"),
    **dict.fromkeys(("F", "V"), "G"),
    **dict.fromkeys(("T", "D", "CH", "JH", "TH", "DH", "S", "Z", "SH", "ZH"), "BF"),
    **dict.fromkeys(("K", "G"), "BCEFH"),
    **{"N": "BCFH", "NG": "BCEF", "R": "BEF", "Y": "BCF", "W": "F", "HH": _OPEN},
    **{"IY": "B", "IH": "B", "EH": "C", "AE": "C", "AA": "D", "AO": "E", "ER": "E", "UH": "F", "UW": "F"},
}
_DIPHTHONGS = {"EY": "CB", "OW": "EF", "OY": "EB"}
#: How much a phone insists, per second, against being lost to the holds of its neighbours: a shut or bitten lip that is
#: missing is seen, half an N is not.
_WEIGHT = {**dict.fromkeys(("P", "B", "M"), 4.0), **dict.fromkeys(("F", "V"), 3.0), **dict.fromkeys(("W", "UW"), 1.5)}
#: How open and how round a shape is; the way between two is what a change costs.
_OPENNESS = {"A": 0.0, "B": 0.25, "C": 0.6, "D": 1.0, "E": 0.5, "F": 0.2, "G": 0.1, "H": 0.65, "X": 0.0}
_ROUNDNESS = {"E": 0.4, "F": 1.0}
_CHANGE = 0.005  # s of a wrong shape that any change is worth …
_WAY = 0.02  # … and a change all the way from shut to wide open


def mouth_shapes(phones: Sequence[Cue], seconds: float, extended: str = EXTENDED) -> list[Cue]:
    """The shapes that a mouth shows while it says some phones.

    Args:
        phones: in order, without overlap; what lies between them is silence. seconds: length of the recording.
        extended: which of G, H and X are drawn; the others are shown as A, C and A.

    Returns:
        cues without a gap from 0 to `seconds`, no two neighbours alike, each at least `HOLD` long where the recording
        is; their edges are multiples of 1 / `RATE`, but for the last.
    """
    frames = max(1, int(seconds * RATE))
    costs = np.zeros((frames, len(SHAPES)))
    for start, end, name in _joined(phones, seconds):
        weight = _WEIGHT.get(name, 1.0)
        outside = name == SILENCE and (start == 0.0 or end == seconds)
        for first, last, allowed in [(start, end, _REST)] if outside else _allowed(name, start, end):
            costs[round(first * RATE) : round(last * RATE)] = weight * _misses(allowed)
    drawn = [shape for shape in SHAPES if shape not in EXTENDED or shape in extended]
    kept = _kept(costs, drawn)
    path = held_path(-kept / RATE, round(HOLD * RATE), _changes(drawn))
    return spans_of(path, tuple(drawn), RATE, seconds)


def _joined(phones: Sequence[Cue], seconds: float) -> list[Cue]:
    """The phones with the silences between, before and behind them."""
    found: list[Cue] = []
    here = 0.0
    for cue in [*phones, Cue(seconds, seconds, SILENCE)]:
        if cue.start > here:
            found.append(Cue(here, cue.start, SILENCE))
        if cue.name == SILENCE and found and found[-1].name == SILENCE:
            cue = Cue(found.pop().start, cue.end, SILENCE)
        if cue.end > cue.start:
            found.append(cue)
        here = max(here, cue.end)
    return found


def _allowed(name: str, start: float, end: float) -> list[tuple[float, float, str]]:
    """From when to when a phone goes with which shapes."""
    length = end - start
    if name == SILENCE:
        return [(start, end, SHAPES if length < _NO_PAUSE else _RELAXED if length < _LONG_PAUSE else _REST)]
    short = length < _SHORT
    if name in ("AH", "ER") and length < _SCHWA:
        return [(start, end, "BC")]
    if name == "AH":
        return [(start, end, "C" if short else "D")]
    if name == "L":
        return [(start, end, "BEFH" if short else "H")]
    pair = _DIPHTHONGS.get(name) or {"AY": "CB" if short else "DB", "AW": "CE" if length < _LONG else "DE"}.get(name)
    if pair:
        middle = start + _GLIDE * length
        return [(start, middle, pair[0]), (middle, end, pair[1])]
    return [(start, end, _PLAIN[name])]


def _misses(allowed: str) -> np.ndarray:
    """What each shape costs where some are allowed, (9,): 0 for those, and the more the less it is like any."""
    way = _ways(SHAPES)
    columns = [SHAPES.index(shape) for shape in allowed]
    return np.where(np.isin(list(SHAPES), list(allowed)), 0.0, 0.5 + 0.5 * way[:, columns].min(1))


def _ways(shapes: Sequence[str]) -> np.ndarray:
    """(S, S) how far shapes are apart, 1 from shut to wide open."""
    place = np.array([(_OPENNESS[shape], _ROUNDNESS.get(shape, 0.0)) for shape in shapes])
    return np.linalg.norm(place[:, None] - place[None], axis=2)


def _kept(costs: np.ndarray, drawn: list[str]) -> np.ndarray:
    """The costs of the shapes that are drawn; each takes over what those cost that it is shown instead of."""
    kept = {shape: costs[:, SHAPES.index(shape)] for shape in drawn}
    for missing, instead in INSTEAD.items():
        if missing not in kept:
            kept[instead] = np.minimum(kept[instead], costs[:, SHAPES.index(missing)])
    return np.stack([kept[shape] for shape in drawn], axis=1)


def _changes(drawn: list[str]) -> np.ndarray:
    return _CHANGE + _WAY * _ways(drawn)
