"""Lips that shut: on this portrait whatever its neutral, on every closure of the speech, and never through each other.

Everything here works in the canonical frame (frontal, jaw ends 1.6 apart, x right, y down, z away).
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import maximum_filter1d, minimum_filter1d
from scipy.signal import find_peaks

from ..landmarks.ibug68 import INNER_PAIRS
from ..landmarks.measures import UPPER_LIP_SHARE
from ..landmarks.smoothstep import smoothstep

# How far the chin follows a lower lip that shuts, and how that fades along the jaw (points 4–12).
_CHIN_FOLLOW = 0.45
_CHIN_WEIGHTS = {4: 0.15, 5: 0.4, 6: 0.75, 7: 0.95, 8: 1.0, 9: 0.95, 10: 0.75, 11: 0.4, 12: 0.15}

REST_PERCENTILE = 8.0  # of a clip's opening: what the network calls shut
REST_LIMIT = 0.03  # canonical units: no more than this is taken for "shut"
HEARD = 0.36  # a bilabial is heard from this probability on …
DOUBTED = 0.1  # … and below this one there is none, however near the lips come
LEAD = 0.016  # s by which the lips are ahead of the sound of a bilabial
SNAP_LIMIT = 0.075  # a dip of the opening that ends below this is a closure …
SNAP_SHARE = 0.5  # … if it also lies this far below its surroundings (share of them)
SNAP_REACH = 0.14  # s to either side: where the surroundings of a dip are
SNAP_RAMP = 0.032  # s that a closure takes to build and to release
HOLD = 0.048  # s that a closure lasts at least, longer than a frame at 24 frames/s

# Outer lip points, the inner pair beside them, and how much of its motion they share.
_OUTER = (((50, 58), 0, 1.0), ((51, 57), 1, 1.0), ((52, 56), 2, 1.0), ((49, 59), 0, 0.5), ((53, 55), 2, 0.5))
_UPPER = np.array([pair[0] for pair in INNER_PAIRS])
_LOWER = np.array([pair[1] for pair in INNER_PAIRS])


def gaps(points: np.ndarray) -> np.ndarray:
    """How far the three inner lip pairs are apart, downwards positive: (…, 68, 3) → (…, 3), canonical units."""
    return points[..., _LOWER, 1] - points[..., _UPPER, 1]


def shut_mouth(neutral: np.ndarray) -> np.ndarray:
    """The displacement that shuts a face's mouth: inner lip pairs meet, outer lips and chin follow.

    Args:
        neutral: (68, 3) canonical landmarks, lips as the portrait has them.

    Returns:
        (68, 3) canonical displacement; with it every inner pair coincides. One that crosses, as landmarks on a drawn
        line may, is shut as it is.
    """
    delta = np.zeros_like(neutral, dtype=np.float64)
    gap = neutral[_LOWER] - neutral[_UPPER]
    gap[gap[:, 1] < 0.0] = 0.0
    delta[_UPPER] = UPPER_LIP_SHARE * gap
    delta[_LOWER] = -(1.0 - UPPER_LIP_SHARE) * gap
    for (above, below), pair, share in _OUTER:
        delta[above, 1:] = share * delta[_UPPER[pair], 1:]
        delta[below, 1:] = share * delta[_LOWER[pair], 1:]
    chin = _CHIN_FOLLOW * delta[66, 1:]
    for point, weight in _CHIN_WEIGHTS.items():
        delta[point, 1:] = weight * chin
    return delta


def close_lips(content: np.ndarray, fps: float, heard: np.ndarray | None = None) -> np.ndarray:
    """Makes closures complete: an opening that dips towards shut reaches zero, and lips never cross.

    Args:
        content: (T, 68, 3) canonical displacement from the shut mouth.
        fps: its rate, frames/s. heard: (T,) probability of a P, B or M (see `closure_curve`).

    Returns:
        (T, 68, 3), the same with every inner pair's distance scaled by what is left of its gap; outer lips follow.
    """
    return scale_gaps(content, closing_scale(gaps(content), fps, heard))


def closing_scale(gap: np.ndarray, fps: float, heard: np.ndarray | None = None) -> np.ndarray:
    """What `close_lips` leaves of the gaps (T, 3) of the inner lip pairs: their scale, (T, 3)."""
    centre = gap.mean(axis=1)
    rest = float(np.clip(np.percentile(centre, REST_PERCENTILE), 0.0, REST_LIMIT))
    keep = _soft_threshold(gap, rest)
    keep *= 1.0 - closure_curve(np.maximum(centre - rest, 0.0), fps, heard)[:, None]
    return np.where(gap > 1e-9, keep / np.maximum(gap, 1e-9), 0.0)


def scale_gaps(points: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Scales how far the inner lip pairs are apart about their middles; outer lips follow, the jaw keeps its own pace.

    Args:
        points: (T, 68, 3) canonical landmarks, or displacements from the shut mouth.
        scale: (T, 3) or (T, 1), of each pair's distance vector, so that shut lips meet in x and z too.

    Returns:
        (T, 68, 3).
    """
    surplus = (1.0 - scale)[..., None] * (points[:, _LOWER] - points[:, _UPPER])
    result = points.copy()
    result[:, _UPPER] += 0.5 * surplus
    result[:, _LOWER] -= 0.5 * surplus
    for (above, below), pair, share in _OUTER:
        result[:, above, 1] += 0.5 * share * surplus[:, pair, 1]
        result[:, below, 1] -= 0.5 * share * surplus[:, pair, 1]
    return result


def closure_curve(centre: np.ndarray, fps: float, heard: np.ndarray | None = None) -> np.ndarray:
    """Where the lips are to be shut: 0 (as it is) … 1 (shut).

    Lips shut where a bilabial is heard, and where the opening dips near shut and well below what surrounds it, unless
    the sound speaks against that. A closure is held long enough to be seen at 24 frames/s and eased in and out.

    Args:
        centre: (T,) opening, canonical units. fps: frames/s. heard: (T,) probability of a P, B or M; None is unknown.

    Returns:
        (T,).
    """
    reach = max(1, round(SNAP_REACH * fps))
    hold = max(1, int(HOLD * fps / 2.0))
    ramp = max(1, round(SNAP_RAMP * fps))
    if heard is not None:
        lead = round(LEAD * fps)
        heard = np.concatenate([heard[lead:], np.repeat(heard[-1:], lead)])
    around = np.minimum(
        maximum_filter1d(centre, reach + 1, origin=reach // 2, mode="nearest"),
        maximum_filter1d(centre, reach + 1, origin=-(reach // 2), mode="nearest"),
    )
    dips, _ = find_peaks(-centre, plateau_size=(None, None))
    limit = np.minimum(SNAP_LIMIT, SNAP_SHARE * around)
    if heard is not None:
        near = maximum_filter1d(heard, 4 * hold + 1, mode="nearest")
        limit = np.where(near < DOUBTED, 0.0, limit)
    dips = dips[centre[dips] <= limit[dips]]
    shut = np.zeros(len(centre))
    shut[dips] = 1.0
    if heard is not None:
        peaks, _ = find_peaks(np.concatenate([[0.0], heard, [0.0]]), height=HEARD)
        shut[peaks - 1] = 1.0
        # A long M stays shut, but its flanks belong to the content branch.
        shut[minimum_filter1d(heard, 4 * hold + 1, mode="nearest") > HEARD] = 1.0
    shut = maximum_filter1d(shut, 2 * hold + 1, mode="constant")
    # Raised-cosine flanks outside the hold.
    distance = _distance_to(shut > 0.5, ramp)
    return 0.5 * (1.0 + np.cos(np.pi * np.minimum(distance / (ramp + 1), 1.0)))


def _distance_to(mask: np.ndarray, reach: int) -> np.ndarray:
    """Frames to the nearest true one, up to `reach + 1`."""
    index = np.arange(len(mask), dtype=np.float64)
    far = float(len(mask) + reach + 1)
    before = np.maximum.accumulate(np.where(mask, index, -far))
    after = np.minimum.accumulate(np.where(mask, index, 2 * far)[::-1])[::-1]
    return np.minimum(np.minimum(index - before, after - index), reach + 1)


def _soft_threshold(gap: np.ndarray, rest: float) -> np.ndarray:
    """Zero up to `rest`, then smoothly the gap itself: slope 0 at `rest`, the identity from 3·`rest` on."""
    if rest <= 0.0:
        return np.maximum(gap, 0.0)
    softened = smoothstep((gap - rest) / (2.0 * rest)) * np.maximum(gap, 0.0)
    return np.where(gap >= 3.0 * rest, gap, softened)


def resample_closures(times: np.ndarray, gap: np.ndarray, fps: float, limit: float) -> np.ndarray:
    """Moves sample times onto closures that would fall between two of them.

    Args:
        times: (N,) s, regular. gap: (T,) opening at `fps`. limit: opening that counts as shut, units of `gap`.

    Returns:
        (N,) s: where half a sampling step to either side holds a shut frame, the time of the most shut one.
    """
    step = float(times[1] - times[0]) if len(times) > 1 else 1.0 / fps
    radius = int(np.floor(0.5 * step * fps))
    if radius < 1:
        return times
    centre = np.clip(np.round(times * fps).astype(int), 0, len(gap) - 1)
    window = 2 * radius + 1
    lowest = minimum_filter1d(gap, window, mode="nearest")[centre]
    offsets = np.arange(-radius, radius + 1)
    frames = np.clip(centre[:, None] + offsets, 0, len(gap) - 1)
    # The most shut frame, the nearest of several.
    cost = gap[frames] + 1e-6 * np.abs(offsets)
    best = frames[np.arange(len(times)), np.argmin(cost, axis=1)]
    here = np.interp(times, np.arange(len(gap)) / fps, gap)
    return np.where((lowest <= limit) & (here > limit), best / fps, times)
