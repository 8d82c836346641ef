"""The best path through classes of which each, once taken, is held for a while."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..exchange.cues import Cue

_BLOCK = 8192  # frames whose sums over a hold are in memory at once


def held_path(scores: np.ndarray, hold: int, change: np.ndarray) -> np.ndarray:
    """The path with the highest sum of scores, less what its changes cost, that never holds a class too briefly.

    Viterbi's algorithm over segments: a class is entered with the scores of all the frames that it must be held for,
    so that no path with a shorter hold is ever weighed. Exact, in time proportional to the frames.

    Args:
        scores: (T, S) of each class in each frame. hold: frames that each class is held at least.
        change: (S, S) what it costs to go from one class (row) to another (column); the diagonal is not read.

    Returns:
        (T,) index of the class in each frame; where T is less than `hold`, one class for all of it.
    """
    count, classes = scores.shape
    if count <= hold:
        return np.full(count, scores.sum(0, dtype=np.float64).argmax() if count else 0)
    leave = -np.asarray(change, np.float64)
    np.fill_diagonal(leave, -np.inf)
    came_from = np.zeros((count, classes), np.uint8)  # the class before one that begins at a frame
    begun = np.zeros((count, classes), bool)  # whether a path that is in a class at a frame began it `hold` frames ago
    arriving = np.empty((hold, classes))  # the best sums before each of the last frames, for those that enter there
    every = np.arange(classes)
    best = np.full(classes, -np.inf)  # of paths that may leave their class behind this frame
    arriving[0] = 0.0
    for start in range(0, count, _BLOCK):
        held, here = _held_scores(scores, start, hold), scores[start : start + _BLOCK]
        for frame, (together, single) in enumerate(zip(held, here, strict=True), start):
            if frame > 0:
                ways = best[:, None] + leave
                came_from[frame] = ways.argmax(0)
                arriving[frame % hold] = ways[came_from[frame], every]
            if frame < hold - 1:
                continue
            entered, stayed = arriving[(frame + 1) % hold] + together, best + single
            begun[frame] = entered > stayed
            best = np.maximum(entered, stayed)
    return _trace(came_from, begun, int(best.argmax()), hold)


def spans_of(path: np.ndarray, names: Sequence[str], rate: float, seconds: float) -> list[Cue]:
    """The runs of a path (T,) of indices into `names` as cues from 0 to `seconds`; frame i begins at i / rate."""
    begins = np.flatnonzero(np.diff(path)) + 1
    edges = [0.0, *np.minimum(begins / rate, seconds).tolist(), seconds]
    found = [names[index] for index in path[[0, *begins]]]
    return [Cue(*cue) for cue in zip(edges, edges[1:], found, strict=False) if cue[1] > cue[0]]


def _held_scores(scores: np.ndarray, start: int, hold: int) -> np.ndarray:
    """(≤ _BLOCK, S) sums of the scores of each frame and the `hold` − 1 before it; fewer at the beginning."""
    first = max(0, start - hold + 1)
    sums = np.cumsum(scores[first : start + _BLOCK], axis=0, dtype=np.float64)
    result = sums[start - first :].copy()
    lead = hold - (start - first)  # frames of the result with nothing to take off, at least one
    result[lead:] -= sums[: max(0, len(result) - lead)]
    return result


def _trace(came_from: np.ndarray, begun: np.ndarray, last: int, hold: int) -> np.ndarray:
    """The path that ends in a class, backwards."""
    path = np.empty(len(begun), np.int64)
    frame, now = len(begun) - 1, last
    while frame >= 0:
        if begun[frame, now]:
            first = frame - hold + 1
            path[first : frame + 1] = now
            frame, now = first - 1, int(came_from[first, now])
        else:
            path[frame] = now
            frame -= 1
    return path
