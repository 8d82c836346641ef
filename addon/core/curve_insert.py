"""Keys that are added onto a Bézier curve over a span, while the curve outside the span stays as it is. No bpy here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CONSTANT, LINEAR, BEZIER = 0, 1, 2  # Keyframe.interpolation
FREE, AUTO, VECTOR, ALIGNED, AUTO_CLAMPED = range(5)  # Keyframe.handle_left_type, handle_right_type
NEW = -1  # Points.origin of a key that was not there before

_SAME_FRAME = 0.01  # keys closer than that are one
_FLAT = 1e-6
_STEP = 1.0  # frames that a step of a constant curve takes within the span


@dataclass
class Points:
    """The keys of a curve: frame and value `co`, handles `left` and `right`, each (n, 2); types and interpolation
    (n,) as Blender counts them; `origin` (n,) which key of the curve it was, or NEW."""

    co: np.ndarray
    left: np.ndarray
    right: np.ndarray
    left_type: np.ndarray
    right_type: np.ndarray
    interpolation: np.ndarray
    origin: np.ndarray

    @property
    def frames(self) -> np.ndarray:
        return self.co[:, 0]


@dataclass
class _Key:
    co: np.ndarray
    left: np.ndarray
    right: np.ndarray
    left_type: int
    right_type: int
    interpolation: int
    origin: int


def insert(points: Points, frames: np.ndarray, values: np.ndarray, slopes: np.ndarray | None = None) -> Points:
    """Adds a motion onto a curve of constant, linear and Bézier segments.

    Args:
        points: the curve, which is left as it is; constant beyond its ends.
        frames: (m,) increasing. values: (m,) what is added there, 0 at both ends. slopes: (m,) per frame, 0 at both
            ends; None for flat ones, whose keys follow their neighbours (automatic handles) where the curve is flat.

    Returns:
        The curve with a key on every one of `frames`. Outside the span its course is the old one; keys there stay where
        they are, and the next key on either side no longer follows its neighbours.
    """
    automatic = slopes is None
    slopes = np.zeros(len(frames)) if slopes is None else slopes
    first, last = float(frames[0]), float(frames[-1])
    inside = (points.frames > first + _SAME_FRAME) & (points.frames < last - _SAME_FRAME)
    times = _united(np.concatenate([frames, points.frames[inside], _before_steps(points, first, last)]))
    old = [_course(points, time) for time in times]
    automatic = automatic and bool(np.ptp([item[0] for item in old]) < _FLAT and not inside.any())
    keys = []
    for number, time in enumerate(times):
        value, before, after = old[number]
        raised, slope = _hermite(frames, values, slopes, time)
        gap_left = (time - times[number - 1]) / 3.0 if number else 1.0
        gap_right = (times[number + 1] - time) / 3.0 if number + 1 < len(times) else 1.0
        co = np.array([time, value + raised])
        kind = ALIGNED if abs(before - after) < _FLAT else FREE
        if automatic and 0 < number < len(times) - 1:
            kind = AUTO_CLAMPED
        same = np.flatnonzero(np.abs(points.frames - time) <= _SAME_FRAME)
        origin = int(points.origin[same[0]]) if len(same) else NEW
        left = co - gap_left * np.array([1.0, before + slope])
        right = co + gap_right * np.array([1.0, after + slope])
        keys.append(_Key(co, left, right, kind, kind, BEZIER, origin))
    outside = _keys(points)
    earlier = [key for key in outside if key.co[0] < first - _SAME_FRAME]
    later = [key for key in outside if key.co[0] > last + _SAME_FRAME]
    _join(points, earlier, keys, later)
    return _points([*earlier, *keys, *later])


def evaluate(points: Points, time: float) -> float:
    """What a curve says at a frame."""
    return _course(points, time)[0]


def _keys(points: Points) -> list[_Key]:
    return [
        _Key(
            points.co[i].copy(),
            points.left[i].copy(),
            points.right[i].copy(),
            int(points.left_type[i]),
            int(points.right_type[i]),
            int(points.interpolation[i]),
            int(points.origin[i]),
        )
        for i in range(len(points.co))
    ]


def _points(keys: list[_Key]) -> Points:
    return Points(
        np.array([key.co for key in keys]),
        np.array([key.left for key in keys]),
        np.array([key.right for key in keys]),
        np.array([key.left_type for key in keys], np.int32),
        np.array([key.right_type for key in keys], np.int32),
        np.array([key.interpolation for key in keys], np.int32),
        np.array([key.origin for key in keys], np.int32),
    )


def _join(points: Points, earlier: list[_Key], keys: list[_Key], later: list[_Key]) -> None:
    """Lets the span's ends meet what is outside without a change of its course."""
    start, end = keys[0], keys[-1]
    if earlier:
        key = earlier[-1]
        if later or points.frames[-1] >= start.co[0] - _SAME_FRAME:
            _, (_, handle, middle, _), _ = _split(_segment(points, len(earlier) - 1), start.co[0])
            key.right, start.left = handle, middle
            if len(earlier) < len(points.co) and abs(points.frames[len(earlier)] - start.co[0]) <= _SAME_FRAME:
                key.right, start.left = points.right[len(earlier) - 1], points.left[len(earlier)]
        else:  # beyond the last key the curve is constant
            _level(key, start)
        _freeze(key)
        start.left_type = start.right_type = _kind(start)
    if later:
        key = later[0]
        index = len(points.co) - len(later)
        before = index - 1
        if before >= 0 and points.frames[before] <= end.co[0] + _SAME_FRAME:
            _, _, (_, handle, middle, _) = _split(_segment(points, before), end.co[0])
            end.right, key.left = handle, middle
            if abs(points.frames[before] - end.co[0]) <= _SAME_FRAME:
                end.right, key.left = points.right[before], points.left[index]
            end.interpolation = int(points.interpolation[before])
        else:
            gap = (key.co[0] - end.co[0]) / 3.0
            end.right = end.co + [gap, 0.0]
            key.left = key.co - [gap, 0.0]
        _freeze(key)
        end.left_type = end.right_type = _kind(end)


def _level(key: _Key, start: _Key) -> None:
    gap = (start.co[0] - key.co[0]) / 3.0
    key.right = key.co + [gap, 0.0]
    start.left = start.co - [gap, 0.0]
    if key.interpolation not in (CONSTANT, LINEAR):
        key.interpolation = BEZIER


def _freeze(key: _Key) -> None:
    """Has a key's handles stay where they are, whatever its neighbours become."""
    key.left_type = key.right_type = _kind(key)


def _kind(key: _Key) -> int:
    """Aligned where both handles lie on one line, else free."""
    before, after = key.co - key.left, key.right - key.co
    across = before[0] * after[1] - before[1] * after[0]
    return ALIGNED if abs(across) <= 1e-5 * np.hypot(*before) * np.hypot(*after) else FREE


def _united(times: np.ndarray) -> np.ndarray:
    times = np.sort(times)
    return times[np.concatenate([[True], np.diff(times) > _SAME_FRAME])]


def _before_steps(points: Points, first: float, last: float) -> np.ndarray:
    """Where constant segments end with a step within the span: the frame before it, so that the step stays one."""
    steps = np.flatnonzero((points.interpolation[:-1] == CONSTANT) & (np.abs(np.diff(points.co[:, 1])) > _FLAT))
    times = points.frames[steps + 1] - _STEP
    kept = (times > np.maximum(points.frames[steps], first)) & (times < last)
    return times[kept & (points.frames[steps + 1] <= last + _SAME_FRAME)]


def _hermite(frames: np.ndarray, values: np.ndarray, slopes: np.ndarray, time: float) -> tuple[float, float]:
    """Value and slope of the added motion at a time within its span."""
    i = int(np.clip(np.searchsorted(frames, time, side="right") - 1, 0, len(frames) - 2))
    gap = frames[i + 1] - frames[i]
    u = float(np.clip((time - frames[i]) / gap, 0.0, 1.0))
    rise, change = u * u * (3.0 - 2.0 * u), values[i + 1] - values[i]
    start, end = slopes[i] * gap, slopes[i + 1] * gap
    value = values[i] + rise * change + u * (1 - u) ** 2 * start - u * u * (1 - u) * end
    slope = 6 * u * (1 - u) * change + (1 - u) * (1 - 3 * u) * start + u * (3 * u - 2) * end
    return float(value), float(slope / gap)


def _course(points: Points, time: float) -> tuple[float, float, float]:
    """Value of a curve, and its slopes just before and just after."""
    if not len(points.co) or time < points.frames[0] - _SAME_FRAME or time > points.frames[-1] + _SAME_FRAME:
        if not len(points.co):
            return 0.0, 0.0, 0.0
        return float(points.co[0 if time < points.frames[0] else -1, 1]), 0.0, 0.0
    same = np.flatnonzero(np.abs(points.frames - time) <= _SAME_FRAME)
    if len(same):
        i = int(same[0])
        before = _slope(_segment(points, i - 1), 1.0) if i else 0.0
        after = _slope(_segment(points, i), 0.0) if i + 1 < len(points.co) else 0.0
        return float(points.co[i, 1]), before, after
    i = int(np.searchsorted(points.frames, time)) - 1
    bezier = _segment(points, i)
    u = _parameter(bezier, time)
    slope = _slope(bezier, u)
    return float(_bernstein(u) @ bezier[:, 1]), slope, slope


def _segment(points: Points, i: int) -> np.ndarray:
    """The Bézier (4, 2) from key i to the next, as Blender plays it."""
    start, end = points.co[i], points.co[i + 1]
    if points.interpolation[i] == CONSTANT:
        end = np.array([end[0], start[1]])
    if points.interpolation[i] != BEZIER:
        return np.array([start, start + (end - start) / 3.0, end - (end - start) / 3.0, end])
    length = end[0] - start[0]
    out, into = points.right[i] - start, end - points.left[i + 1]
    out = out * min(1.0, length / max(abs(out[0]), 1e-9))  # a handle never reaches beyond the other key
    into = into * min(1.0, length / max(abs(into[0]), 1e-9))
    return np.array([start, start + out, end - into, end])


def _bernstein(u: float) -> np.ndarray:
    v = 1.0 - u
    return np.array([v**3, 3 * u * v * v, 3 * u * u * v, u**3])


def _slope(bezier: np.ndarray, u: float) -> float:
    v = 1.0 - u
    speed = 3.0 * np.array([v * v, 2 * u * v, u * u]) @ np.diff(bezier, axis=0)
    if abs(speed[0]) < 1e-9:  # a handle of no length: the next point gives the direction
        speed = bezier[2] - bezier[0] if u < 0.5 else bezier[3] - bezier[1]
    return float(speed[1] / speed[0]) if abs(speed[0]) > 1e-9 else 0.0


def _parameter(bezier: np.ndarray, time: float) -> float:
    """Where on the Bézier a frame lies; frames never run back."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = 0.5 * (low + high)
        if _bernstein(middle) @ bezier[:, 0] < time:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _split(bezier: np.ndarray, time: float) -> tuple[float, np.ndarray, np.ndarray]:
    """De Casteljau's two halves (4, 2) of a Bézier at a frame, and the parameter."""
    u = _parameter(bezier, time)
    rows = [bezier]
    for _ in range(3):
        rows.append(rows[-1][:-1] + u * np.diff(rows[-1], axis=0))
    return u, np.array([row[0] for row in rows]), np.array([row[-1] for row in rows[::-1]])
