"""Long recordings in bounded memory: windows that hear some context, and windows that pass into one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

BLOCK = 2048  # frames that are worked on at once where nothing else decides


def context_windows(
    frames: np.ndarray, size: int, context: int, run: Callable[[np.ndarray], np.ndarray], answer: np.ndarray
) -> np.ndarray:
    """What a network answers for a recording, asked window by window: `in_blocks` of (n, C) float32, contiguous."""
    return in_blocks(lambda piece: run(np.ascontiguousarray(piece, np.float32)), [frames], answer, context, size)


def in_blocks(
    run: Callable[..., np.ndarray],
    tracks: Sequence[np.ndarray],
    answer: np.ndarray,
    context: int = 0,
    size: int = BLOCK,
) -> np.ndarray:
    """What `run` answers for a whole recording, asked block by block: only the answer takes memory by the hour.

    Args:
        run: takes a block (n, …) of each track → (n, …).
        tracks: (T, …) each. answer: (T, …), which is filled; without context it may be one of the tracks.
        context: frames that are also read on either side, after which an answer no longer depends on what lies beyond.
        size: frames answered at once.

    Returns:
        `answer`.
    """
    for start in range(0, len(answer), size):
        stop, begin = min(len(answer), start + size), max(0, start - context)
        answer[start:stop] = run(*(track[begin : stop + context] for track in tracks))[start - begin : stop - begin]
    return answer


class OverlapAdd:
    """Adds windows up that overlap: each rises over the first frames of the next one as that one falls.

    Args:
        answer: (T, …) of zeros, to which windows are added. rise: (n,) weights of a window's first frames.
        fall: (n,) weights of its last ones, 1 − rise by default.
    """

    def __init__(self, answer: np.ndarray, rise: np.ndarray, fall: np.ndarray | None = None) -> None:
        shape = (-1, *([1] * (answer.ndim - 1)))
        self._answer = answer
        self._rise = rise.reshape(shape)
        self._fall = (np.float32(1.0) - rise if fall is None else fall).reshape(shape)

    def add(self, start: int, window: np.ndarray, last: bool) -> None:
        """Adds a window (n, …), which is changed, at frame `start`; the first one rises and the last one falls not."""
        overlap = len(self._rise)
        if start:
            window[:overlap] *= self._rise[: len(window)]
        if not last:
            window[len(window) - overlap :] *= self._fall
        self._answer[start : start + len(window)] += window
