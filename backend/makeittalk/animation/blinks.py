"""Blinks: whole ones where the speaker branch lets the lids fall, and how far each eye's landmarks travel."""

from __future__ import annotations

import numpy as np

from ..exchange.constants import FRAME_RATE
from ..landmarks.ibug68 import LID_PAIRS
from ..networks.noise import DOWN, UP, blink_shape

DEPTH = 0.75  # share of the eye's opening that is shut at the deepest of what the speaker branch learned from
SHUT = 0.97  # and of what is shown: eyes that blink do shut, and their lids do not yet fold
# Predicted closure, as a share of DEPTH, from which it is a blink: so they are as many as in the validation targets.
_FALLING = 0.47
_BETWEEN = 0.4  # s from one blink to the next at least

_UPPER_SHARE = 0.9  # the upper lid does nearly all of it


def blink_curve(predicted: np.ndarray) -> np.ndarray:
    """Whole blinks where the lids are predicted to fall.

    Args:
        predicted: (T,) closure, 0 open … 1 shut, at 62.5 frames/s.

    Returns:
        (T,) float32, every blink `SHUT` deep and of one shape.
    """
    closure = np.zeros(len(predicted), np.float32)
    falling = np.concatenate([[False], np.asarray(predicted) > _FALLING * DEPTH, [False]])
    edges = np.flatnonzero(np.diff(falling.astype(int))).reshape(-1, 2)
    last = -np.inf
    for start, stop in edges.tolist():
        deepest = (start + int(np.argmax(predicted[start:stop]))) / FRAME_RATE
        if deepest - last < _BETWEEN:
            continue
        last = deepest
        begin = max(0, round((deepest - DOWN) * FRAME_RATE))
        end = min(len(closure), round((deepest + UP) * FRAME_RATE) + 1)
        since = np.arange(begin, end) / FRAME_RATE - (deepest - DOWN)
        closure[begin:end] = np.maximum(closure[begin:end], SHUT * blink_shape(since))
    return closure


def lid_closure(delta: np.ndarray, neutral: np.ndarray) -> np.ndarray:
    """How far a displacement shuts the eyes of a face: (T, 68, 3) and (68, 3) → (T,), 1 for shut."""
    lids = lid_displacement(np.asarray(neutral, np.float64))
    return (delta * lids).sum((1, 2)) / max(float((lids**2).sum()), 1e-12)


def lid_displacement(neutral: np.ndarray) -> np.ndarray:
    """What shuts both eyes of a face: (68, 3) landmarks → (68, 3) displacement at closure 1, in their unit."""
    delta = np.zeros_like(neutral)
    for upper, lower in LID_PAIRS:
        gap = neutral[lower] - neutral[upper]
        delta[upper] = _UPPER_SHARE * gap
        delta[lower] = -(1.0 - _UPPER_SHARE) * gap
    return delta
