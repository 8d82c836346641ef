"""Runs of keys that belong together. No bpy here."""

from __future__ import annotations

import numpy as np


def runs(frames: np.ndarray, gap: float, resting: np.ndarray | None = None) -> list[tuple[float, float]]:
    """The first and the last frame of every run of keys.

    Args:
        frames: (n,) increasing. gap: the longest pause within a run.
        resting: (n,) whether a key says nothing; None where all may. A longer pause parts only two that do: between
            others the curve goes on acting.
    """
    if not len(frames):
        return []
    pauses = np.diff(frames) > gap
    if resting is not None:
        pauses &= resting[:-1] & resting[1:]
    starts = np.flatnonzero(pauses) + 1
    bounds = zip(np.r_[0, starts], np.r_[starts, len(frames)], strict=True)
    return [(float(frames[first]), float(frames[end - 1])) for first, end in bounds]
