"""Blinks: when the lids go down, and how far each eye's landmarks travel."""

from __future__ import annotations

import numpy as np

FIRST = 0.5  # s
INTERVAL = (1.4, 2.4)  # s from one blink to the next
DEPTH = 0.75  # share of the eye's opening that is shut at the deepest
DOWN = 0.16  # s
UP = 0.24  # s

_LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))  # upper, lower
_UPPER_SHARE = 0.9  # the upper lid does nearly all of it


def blink_curve(frames: int, fps: float, seed: int) -> np.ndarray:
    """Lid closure over time.

    Args:
        frames: how many. fps: frames/s. seed: what the intervals are drawn from.

    Returns:
        (frames,) float32, 0 open … 1 shut.
    """
    time = np.arange(frames) / fps
    random = np.random.default_rng([seed, 0xB11])
    gaps = random.uniform(*INTERVAL, size=max(1, int(frames / fps / INTERVAL[0]) + 2))
    starts = FIRST + np.concatenate([[0.0], np.cumsum(gaps)])
    since = time - starts[np.clip(np.searchsorted(starts, time, side="right") - 1, 0, None)]
    phase = np.where(since < DOWN, since / DOWN, 1.0 - (since - DOWN) / UP)
    return (DEPTH * _smoothstep(np.where(since < 0, 0.0, phase))).astype(np.float32)


def lid_displacement(neutral: np.ndarray) -> np.ndarray:
    """What shuts both eyes of a face: (68, 3) landmarks → (68, 3) displacement at closure 1, in their unit."""
    delta = np.zeros_like(neutral)
    for upper, lower in _LIDS:
        gap = neutral[lower] - neutral[upper]
        delta[upper] = _UPPER_SHARE * gap
        delta[lower] = -(1.0 - _UPPER_SHARE) * gap
    return delta


def _smoothstep(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)
