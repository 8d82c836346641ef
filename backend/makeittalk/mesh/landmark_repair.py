"""Small corrections to landmarks from which no mesh can be made: crossed lips, shut lids, points on top of others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..landmarks import ibug68
from ..landmarks.face_frame import FaceFrame
from ..landmarks.mean_face import MEAN_FACE
from ..landmarks.polygon import inside_polygon, segment_distance

_LIP_THICKNESS = 0.02  # of the mouth's width, at least
_LID_OPENING = 0.06  # of the eye's width, at least
_CORNER = 0.05  # of the mouth's width, from outer to inner corner at least
_CLEARANCE = 1.3  # of their outline's size, kept free around mouth and eyes
_JAW_GAP = 0.065  # of the face's height, between the jaw and mouth or eyes: room for a point that lets them swing
_APART = 0.012  # of the face's height, between any two points of different parts
_STEP = 0.02  # of a mouth's or an eye's width, along it from one point to the next at least
_STACKED = 0.002  # of the face's height: points that lie closer are on top of each other …
_STACKED_SIZE = 0.04  # … and are given the part's usual shape, of this size
_OUTER_LIPS = (tuple(range(48, 55)), (48, 59, 58, 57, 56, 55, 54))
_INNER_LIPS = (ibug68.UPPER_INNER, ibug68.LOWER_INNER)
_PARTS = (np.arange(27, 36), np.arange(17, 22), np.arange(22, 27))
_CLOSED = {
    "mouth": ibug68.LIP_OUTER,
    "eye_right": ibug68.EYE_RIGHT,
    "eye_left": ibug68.EYE_LEFT,
}


def repair_landmarks(landmarks: np.ndarray, frame: FaceFrame) -> np.ndarray:
    """Landmarks with lips and lids in order, nearly all of them where they were.

    Args:
        landmarks: (68, 3) px. frame: their frame.

    Returns:
        (68, 3) float64.
    """
    points = np.asarray(landmarks, np.float64).copy()
    mouth = float(np.linalg.norm(points[54, :2] - points[48, :2]))
    axis = points[54, :2] - points[48, :2]
    down = _normal(axis, frame.down)
    _unstack(points, frame)
    for line in (_OUTER_LIPS, _INNER_LIPS):
        for chain in line:
            _order(points, chain, axis)
    for upper, lower in ibug68.INNER_PAIRS:
        _part(points, upper, lower, down, 0.0)
    for outer, inner in ((49, 61), (50, 61), (51, 62), (52, 63), (53, 63)):
        _push(points, outer, inner, down, -_LIP_THICKNESS * mouth)
    for outer, inner in ((59, 67), (58, 67), (57, 66), (56, 65), (55, 65)):
        _push(points, outer, inner, down, _LIP_THICKNESS * mouth)
    _seat_corners(points, axis / max(mouth, 1e-9), down, mouth)
    for first in (36, 42):
        axis = points[first + 3, :2] - points[first, :2]
        for chain in ((0, 1, 2, 3), (0, 5, 4, 3)):
            _order(points, [first + point for point in chain], axis)
        for upper, lower in ibug68.LID_PAIRS:
            if first <= upper < first + 6:
                _part(points, upper, lower, _normal(axis, frame.down), _LID_OPENING * float(np.linalg.norm(axis)))
    _evict(points, frame)
    _separate(points, _APART * frame.height)
    return points


def _unstack(points: np.ndarray, frame: FaceFrame) -> None:
    """Gives a part that is all in one place, as a nose that is a dot, a little of the shape that it usually has."""
    for part in _PARTS:
        place = points[part, :2]
        steps = np.linalg.norm(np.diff(place, axis=0), axis=1)
        if steps.min() > _STACKED * frame.height:
            continue
        usual = MEAN_FACE[part, :2] - MEAN_FACE[part, :2].mean(axis=0)
        usual = usual * _STACKED_SIZE * frame.height / np.ptp(usual, axis=0).max()
        points[part, :2] = place + usual @ np.array([_normal(frame.down, np.array([1.0, 0.0])), frame.down])


def _order(points: np.ndarray, chain: Sequence[int], axis: np.ndarray) -> None:
    """Has the points of a chain follow one another along `axis` (2,), as they do not on the far side of a turned head;
    its ends stay."""
    width = float(np.linalg.norm(axis))
    along, least = axis / max(width, 1e-9), _STEP * width
    x = points[list(chain), :2] @ along
    kept = x.copy()
    for i in range(1, len(x) - 1):
        x[i] = max(x[i], x[i - 1] + least)
    for i in range(len(x) - 2, 0, -1):
        x[i] = min(x[i], x[i + 1] - least)
    points[list(chain), :2] += (x - kept)[:, None] * along


def _normal(axis: np.ndarray, down: np.ndarray) -> np.ndarray:
    normal = np.array([-axis[1], axis[0]]) / max(float(np.linalg.norm(axis)), 1e-9)
    return normal if normal @ down > 0 else -normal


def _part(points: np.ndarray, upper: int, lower: int, down: np.ndarray, least: float) -> None:
    """Moves a pair apart, each by half, until `lower` lies `least` below `upper`."""
    lack = least - float((points[lower, :2] - points[upper, :2]) @ down)
    if lack > 0:
        points[upper, :2] -= down * lack / 2
        points[lower, :2] += down * lack / 2


def _push(points: np.ndarray, outer: int, inner: int, down: np.ndarray, least: float) -> None:
    """Moves `outer` until it lies `least` (signed) below `inner`."""
    lack = abs(least) - float((points[outer, :2] - points[inner, :2]) @ down) * np.sign(least)
    if lack > 0:
        points[outer, :2] += down * lack * np.sign(least)


def _seat_corners(points: np.ndarray, along: np.ndarray, down: np.ndarray, mouth: float) -> None:
    """Keeps the inner corners 60 and 64 between the outer lips, a little inwards of 48 and 54."""
    origin = points[48, :2].copy()
    x, y = (points[:, :2] - origin) @ along, (points[:, :2] - origin) @ down
    upper, lower = [48, 49, 50, 51, 52, 53, 54], [48, 59, 58, 57, 56, 55, 54]
    for inner, low, high in ((60, x[48] + _CORNER * mouth, x[61]), (64, x[63], x[54] - _CORNER * mouth)):
        place = float(np.clip(x[inner], min(low, high), max(low, high)))
        place = max(place, low) if inner == 60 else min(place, high)
        top, bottom = (float(np.interp(place, np.maximum.accumulate(x[line]), y[line])) for line in (upper, lower))
        height = float(np.clip(y[inner], top + 0.42 * (bottom - top), top + 0.58 * (bottom - top)))
        points[inner, :2] = origin + along * place + down * height


def _evict(points: np.ndarray, frame: FaceFrame) -> None:
    """Moves points of other parts out of mouth and eyes, and so far off that a blink does not reach them.

    On a head that is turned away the far jaw runs right beside eye and mouth.
    """
    for members in _CLOSED.values():
        outline = points[members, :2]
        centre = outline.mean(axis=0)
        wide = centre + (outline - centre) * _CLEARANCE
        following = np.roll(outline, -1, axis=0)
        for index in np.setdiff1d(np.arange(48), members):
            gap = _JAW_GAP * frame.height if index in ibug68.JAW else 0.0
            away = points[index, :2] - centre
            distance = float(np.linalg.norm(away))
            away = away / distance if distance > 1e-9 else frame.down
            # From the point outwards to where there is room.
            reach = np.linspace(0, 2 * np.ptp(wide, axis=0).max() + gap, 400)
            steps = points[index, :2] + reach[:, None] * away
            near = inside_polygon(steps, wide) | (segment_distance(steps, outline, following) < gap)
            if near[0]:
                points[index, :2] = steps[min(int(np.nonzero(near)[0][-1]) + 1, 399)]


def _separate(points: np.ndarray, least: float) -> None:
    """Moves points that lie on others a little apart; lips and lids keep their place."""
    movable = np.arange(36)
    for _ in range(8):
        gap = points[movable, None, :2] - points[None, :, :2]
        distance = np.sqrt((gap**2).sum(axis=2))
        distance[movable, movable] = np.inf
        near = distance < least
        if not near.any():
            return
        direction = gap / np.maximum(distance, 1e-9)[..., None]
        direction[distance < 1e-9] = (0.0, 1.0)
        step = np.where(near, least - distance, 0.0)[..., None] * direction
        points[movable, :2] += 0.6 * step.sum(axis=1)
