"""The fewest keys that still say what was predicted. No bpy here.

Samples on whole frames become cubic Hermite keys: an F-curve whose handles stand a third of the way to the
neighbouring keys is exactly that cubic in time, so that what is measured here is what Blender plays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_EXACT = 1e-6  # how closely a sample of exactly zero is met: a shut lip stays shut


@dataclass
class Keys:
    """The keys of one curve: frame offsets (n,) int, values (n,) and slopes per frame (n,)."""

    frames: np.ndarray
    values: np.ndarray
    slopes: np.ndarray


def fit_keyframes(samples: np.ndarray, tolerance: np.ndarray, every_frame: bool = False) -> list[Keys]:
    """Chooses the keys of many curves at once.

    Starting from the first and the last frame, every stretch that is off by more than its curve's tolerance gets
    a key where it is worst, until none is. Slopes come from the samples and are flat at turning points, so that
    no curve overshoots.

    Args:
        samples: (N, C), one curve a column, one row a frame.
        tolerance: (C,) largest deviation allowed on any frame; samples of exactly 0 are kept.
        every_frame: one key on every frame instead.

    Returns:
        C `Keys`.
    """
    values = np.ascontiguousarray(np.asarray(samples, np.float64).T)  # (C, N): a curve lies in one piece
    curves, count = values.shape
    slopes = _slopes(values)
    chosen = np.zeros((curves, count), bool)
    chosen[:, [0, -1]] = True
    if every_frame:
        chosen[:] = True
    else:
        limit = np.where(values == 0.0, _EXACT, np.maximum(np.asarray(tolerance, np.float64)[:, None], _EXACT))
        _insert_until_close(values, slopes, limit, chosen)
    return [
        Keys(frames, values[curve, frames], slopes[curve, frames])
        for curve, frames in enumerate(np.flatnonzero(row) for row in chosen)
    ]


def sample(keys: Keys, count: int) -> np.ndarray:
    """What a curve of these keys says on frames 0 … count − 1, (count,)."""
    frames = np.arange(count)
    if len(keys.frames) == 1:
        return np.full(count, keys.values[0])
    left = np.clip(np.searchsorted(keys.frames, frames, "right") - 1, 0, len(keys.frames) - 2)
    gap = keys.frames[left + 1] - keys.frames[left]
    u = np.clip((frames - keys.frames[left]) / gap, 0.0, 1.0)
    start, rise = keys.values[left], u * u * (3.0 - 2.0 * u)
    bend = u * (1.0 - u) * gap * ((1.0 - u) * keys.slopes[left] - u * keys.slopes[left + 1])
    return start + rise * (keys.values[left + 1] - start) + bend


def handles(keys: Keys) -> tuple[np.ndarray, np.ndarray]:
    """The Bézier handles of the keys.

    Returns:
        left and right, each (n, 2): frame offset and value.
    """
    gaps = np.diff(keys.frames) / 3.0
    before = np.concatenate([gaps[:1], gaps]) if len(gaps) else np.ones(1)
    after = np.concatenate([gaps, gaps[-1:]]) if len(gaps) else np.ones(1)
    left = np.stack([keys.frames - before, keys.values - before * keys.slopes], axis=-1)
    right = np.stack([keys.frames + after, keys.values + after * keys.slopes], axis=-1)
    return left, right


def _slopes(values: np.ndarray) -> np.ndarray:
    """Central differences, flat where the samples turn or rest and never steep enough to overshoot a neighbour."""
    slopes = np.zeros_like(values)
    if values.shape[1] < 3:
        return slopes
    before, after = values[:, 1:-1] - values[:, :-2], values[:, 2:] - values[:, 1:-1]
    turning = before * after <= 0.0
    # Fritsch–Carlson's bound: three times the smaller neighbouring difference keeps a unit step monotonic.
    bound = 3.0 * np.minimum(np.abs(before), np.abs(after))
    middle = np.clip(0.5 * (before + after), -bound, bound)
    slopes[:, 1:-1] = np.where(turning, 0.0, middle)
    slopes[:, 0], slopes[:, -1] = before[:, 0], after[:, -1]
    return slopes


def _insert_until_close(values: np.ndarray, slopes: np.ndarray, limit: np.ndarray, chosen: np.ndarray) -> None:
    """Adds keys to `chosen` (C, N) until every sample is met within `limit` (C, N).

    Only stretches that are not yet close are looked at, those of all curves together.
    """
    count = values.shape[1]
    value, slope, limits, kept = (array.reshape(-1) for array in (values, slopes, limit, chosen))
    keys = np.flatnonzero(kept)
    left, right = keys[:-1], keys[1:]  # of every stretch, counted through all curves
    within = left // count == right // count
    left, right = left[within], right[within]
    while True:
        inside = right - left > 1
        left, right = left[inside], right[inside]
        if not len(left):
            return
        gap, ahead = right - left, (right - left - 1).cumsum()
        starts = ahead - (gap - 1)  # where the frames of a stretch begin among those of all
        frames = np.arange(ahead[-1]) + np.repeat(left + 1 - starts, gap - 1)
        u = (frames - np.repeat(left, gap - 1)) / np.repeat(gap, gap - 1)
        v = 1.0 - u
        uv = u * v
        start, change = value[left], value[right] - value[left]
        first, last = slope[left] * gap, slope[right] * gap
        start, change, first, last = (np.repeat(item, gap - 1) for item in (start, change, first, last))
        fitted = start + u * u * (3.0 - 2.0 * u) * change + uv * (v * first - u * last)
        error = np.abs(fitted - value[frames]) / limits[frames]
        # Where a motion repeats itself many frames are equally bad: the middle ones first, so that halving stays quick.
        error = np.where(error > 1.0, error * (0.5 + 2.0 * uv), 0.0)
        worst = np.maximum.reduceat(error, starts)
        peaks = np.flatnonzero((error > 0.0) & (error == np.repeat(worst, gap - 1)))
        stretch, first_peak = np.unique(np.searchsorted(starts, peaks, "right") - 1, return_index=True)
        split = frames[peaks[first_peak]]
        kept[split] = True
        left, right = np.concatenate([left[stretch], split]), np.concatenate([split, right[stretch]])
