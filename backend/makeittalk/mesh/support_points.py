"""Support points between the face's lines and the border: rings around the face, the border itself, a graded grid."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from ..landmarks.face_frame import FaceFrame
from ..landmarks.polygon import inside_polygon, segment_distance

_FINE = 0.055  # spacing at the lines, in face heights
_GROWTH = 0.32  # how fast spacing grows with the distance from them
_COARSE = 0.45  # largest spacing, in face heights (or a tenth of the plane)
_COLLAR = 0.035  # distance of the points around mouth and eyes, in face heights
_SPREAD = 0.95  # rad, from the outline's normal at a blunt end to the points that guard it
_RINGS = (0.10, 0.26)  # distance of the rings from the face's outline, in face heights


def support_points(
    frame: FaceFrame, contour: np.ndarray, segments: np.ndarray, loops: list[np.ndarray], density: float
) -> np.ndarray:
    """Points that fill the plane, denser near the face's lines.

    Args:
        frame: the face's frame. contour: (n, 2) vertices on the lines, px. segments: (m, 2, 2) the lines' pieces.
        loops: outlines (k, 2) that stay empty. density: divides every spacing.

    Returns:
        (p, 2) px: the border's points first, its corners included.
    """
    field = _Spacing(frame, segments, density)
    border = _border(frame, field)
    rings = _rings(frame, field)
    collars = np.concatenate([_collar(loop, _COLLAR * frame.height) for loop in loops])
    collars = collars[field.gap(collars) > 0.7 * _COLLAR * frame.height]
    for loop in loops:
        collars = collars[~inside_polygon(collars, loop)]
    collars = collars[_spread(collars, np.full(len(collars), 0.8 * _COLLAR * frame.height))]
    fixed = np.concatenate([contour, border, collars])
    candidates = np.concatenate([rings, _candidates(frame, field)])
    inside = (candidates > frame.low).all(axis=1) & (candidates < frame.high).all(axis=1)
    candidates = candidates[inside]
    wanted = field.at(candidates)
    keep = frame.border_distance(candidates) > 0.55 * wanted
    gap = field.gap(candidates)
    keep &= gap > 0.6 * wanted
    keep &= cKDTree(fixed).query(candidates)[0] > 0.7 * wanted
    for loop in loops:
        keep &= ~inside_polygon(candidates, loop)
    candidates, wanted = candidates[keep], wanted[keep]
    return np.concatenate([border, collars, candidates[_spread(candidates, wanted)]])


def _collar(loop: np.ndarray, gap: float) -> np.ndarray:
    """Points around an outline (k, 2), `gap` away, a fan of them at its sharp corners.

    They let lips and lids swing around their corners: without a point above a corner, a lid that closes past the line
    through it would turn a triangle over.
    """
    before, after = np.roll(loop, 1, axis=0), np.roll(loop, -1, axis=0)
    directions = []
    for start, end in ((before, loop), (loop, after)):
        along = (end - start) / np.maximum(np.linalg.norm(end - start, axis=1, keepdims=True), 1e-9)
        directions.append(np.stack([along[:, 1], -along[:, 0]], axis=1))  # outwards: outlines run clockwise
    first, second = (np.arctan2(normal[:, 1], normal[:, 0]) for normal in directions)
    turn = (second - first + np.pi) % (2 * np.pi) - np.pi
    shares = np.where(turn[:, None] > 0.9, [0.0, 0.5, 1.0], [0.5, 0.5, 0.5])
    angles = first[:, None] + turn[:, None] * shares
    fan = loop[:, None] + gap * np.stack([np.cos(angles), np.sin(angles)], axis=2)
    sharp = turn > 0.9
    # Where the outline's ends are blunt, as those of the far eye on a head that is turned away, the lid swings further.
    ends = np.zeros(len(loop), bool)
    ends[[0, len(loop) // 2]] = True
    blunt = ends & ~sharp
    angles = np.stack([first[blunt] - _SPREAD, second[blunt] + _SPREAD], axis=1)
    guards = loop[blunt, None] + 1.4 * gap * np.stack([np.cos(angles), np.sin(angles)], axis=2)
    return np.concatenate([guards.reshape(-1, 2), fan[sharp].reshape(-1, 2), fan[~sharp, 1]])


class _Spacing:
    """The distance that neighbouring points should have, as a function of place."""

    def __init__(self, frame: FaceFrame, segments: np.ndarray, density: float) -> None:
        self.segments = segments
        self.fine = _FINE * frame.height / density
        self.growth = _GROWTH
        self.coarse = max(_COARSE * frame.height, float((frame.high - frame.low).max()) / 10) / density

    def gap(self, points: np.ndarray) -> np.ndarray:
        return segment_distance(points, self.segments[:, 0], self.segments[:, 1])

    def at(self, points: np.ndarray) -> np.ndarray:
        return np.minimum(self.fine + self.growth * self.gap(points), self.coarse)

    def reach(self, spacing: float) -> float:
        """How far from the lines the spacing stays below `spacing`."""
        return max(0.0, (spacing - self.fine) / self.growth)


def _border(frame: FaceFrame, field: _Spacing) -> np.ndarray:
    low, high = frame.low, frame.high
    corners = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    sides = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        share = np.linspace(0, 1, 513)
        points = start + share[:, None] * (end - start)
        # Each point stands where the integral of 1 / spacing passes a whole number.
        density = np.linalg.norm(end - start) / field.at(points)
        total = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(share))])
        count = max(2, round(float(total[-1])))
        places = np.interp(np.arange(count) / count * total[-1], total, share)
        sides.append(start + places[:, None] * (end - start))
    return np.concatenate(sides)


def _rings(frame: FaceFrame, field: _Spacing) -> np.ndarray:
    rings = []
    following = np.roll(frame.hull, -1, axis=0)
    for distance in _RINGS:
        gap = distance * frame.height
        spacing = float(field.fine + field.growth * gap)
        share = np.linspace(0, 1, 65)[:-1, None, None]
        line = (frame.hull + share * (following - frame.hull)).swapaxes(0, 1).reshape(-1, 2)
        centre = frame.hull.mean(axis=0)
        radius = np.linalg.norm(line - centre, axis=1, keepdims=True)
        line = line + (line - centre) / np.maximum(radius, 1e-9) * gap
        length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
        places = np.arange(0, length[-1] - spacing / 2, spacing)
        rings.append(np.stack([np.interp(places, length, line[:, axis]) for axis in range(2)], axis=1))
    return np.concatenate(rings)


def _candidates(frame: FaceFrame, field: _Spacing) -> np.ndarray:
    """Hexagonal grids, each as fine as the points it may give need it, finest first."""
    found = []
    spacing = field.fine
    centre = frame.hull.mean(axis=0)
    while spacing < field.coarse * 2:
        step = spacing / 2
        reach = min(field.reach(2 * spacing), float((frame.high - frame.low).sum()))
        low = np.maximum(frame.low, np.minimum(field.segments.min(axis=(0, 1)), frame.hull.min(axis=0)) - reach)
        high = np.minimum(frame.high, np.maximum(field.segments.max(axis=(0, 1)), frame.hull.max(axis=0)) + reach)
        if spacing * 2 > field.coarse:
            low, high = frame.low, frame.high
        columns = np.arange(np.floor((low[0] - centre[0]) / step), np.ceil((high[0] - centre[0]) / step) + 1)
        rows = np.arange(
            np.floor((low[1] - centre[1]) / step / 0.866), np.ceil((high[1] - centre[1]) / step / 0.866) + 1
        )
        x = columns[None] * step + (rows[:, None] % 2) * step / 2
        y = np.broadcast_to(rows[:, None] * step * 0.866, x.shape)
        grid = np.stack([x.ravel(), y.ravel()], axis=1) + centre
        wanted = field.at(grid)
        fits = (wanted >= spacing) & ((wanted < 2 * spacing) | (spacing * 2 > field.coarse))
        found.append(grid[fits])
        spacing *= 2
    return np.concatenate(found)


def _spread(points: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Which points (in order) stay when each keeps the later ones its wanted distance away."""
    tree = cKDTree(points)
    alive = np.ones(len(points), bool)
    for i in range(len(points)):
        if alive[i]:
            near = np.array(tree.query_ball_point(points[i], wanted[i]))
            alive[near[near > i]] = False
    return np.nonzero(alive)[0]
