"""Takes the last folds out of a mesh's expressions: turns edges, then lets single vertices follow differently.

Beside the far jaw of a head that is turned away there is little room between lines that move apart or swing, and
harmonic weights alone turn triangles over there.
"""

from __future__ import annotations

import numpy as np

from .deform import signed_areas

_ENOUGH = 0.08  # share of its area that every triangle keeps, if it can
_FLAT = 0.12  # twice the area over the longest side squared: flatter triangles could not be turned with the head
_ROUNDS = 12  # of turning edges
_PULLS = 120  # of moving vertices
_SWING = (-0.2, 1.0)  # the weights that moving a vertex may end with


def turn_edges(
    points: np.ndarray, triangles: np.ndarray, weights: np.ndarray, moves: np.ndarray, locked: np.ndarray
) -> np.ndarray:
    """Turns edges between triangles that an expression folds, wherever that makes the worse of the two better.

    Args:
        points: (V, 2) px. triangles: (F, 3). weights: (V, 68). moves: (K, 68, ≥2) px, displacements of the landmarks.
        locked: (m, 2) edges that stay.

    Returns:
        (F, 3), in the order of `triangles`.
    """
    triangles = triangles.copy()
    moved = np.concatenate([points[None], points + np.matmul(weights, moves[..., :2])])
    sides = _sides(triangles)
    kept = {(min(a, b), max(a, b)) for a, b in locked.tolist()}
    for _ in range(_ROUNDS):
        areas = signed_areas(moved, triangles)
        left = (areas / areas[0]).min(axis=0)
        turned = False
        for triangle in np.argsort(left)[: int((left < _ENOUGH).sum())]:
            turned |= _turn_best(moved, triangles, sides, int(triangle), kept)
        if not turned:
            break
    return triangles


def _sides(triangles: np.ndarray) -> dict[tuple[int, int], int]:
    """The triangle of each directed edge."""
    return {
        (int(corners[i]), int(corners[(i + 1) % 3])): index for index, corners in enumerate(triangles) for i in range(3)
    }


def _turn_best(
    moved: np.ndarray,
    triangles: np.ndarray,
    sides: dict[tuple[int, int], int],
    triangle: int,
    kept: set[tuple[int, int]],
) -> bool:
    """Turns the edge of a triangle that gains most, if any does."""
    best, choice = 0.0, None
    for i in range(3):
        a, b, c = (int(triangles[triangle][(i + step) % 3]) for step in range(3))
        beyond = sides.get((b, a))
        if beyond is None or (min(a, b), max(a, b)) in kept:
            continue
        d = int(triangles[beyond].sum()) - a - b
        if (c, d) in sides or (d, c) in sides:
            continue
        before = _shape(moved, np.array([[a, b, c], [b, a, d]]))
        pair = np.array([[a, d, c], [d, b, c]])
        after = _shape(moved, pair)
        gain = after.min() - before.min()
        if after[0].min() > min(_FLAT, before[0].min()) and gain > best:
            best, choice = gain, (beyond, (a, b), pair)
    if choice is None:
        return False
    beyond, (a, b), pair = choice
    for old in (triangle, beyond):
        for i in range(3):
            del sides[int(triangles[old][i]), int(triangles[old][(i + 1) % 3])]
    for index, corners in zip((triangle, beyond), pair, strict=True):
        triangles[index] = corners
        for i in range(3):
            sides[int(corners[i]), int(corners[(i + 1) % 3])] = index
    return True


def _shape(moved: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Twice the area (poses, f) of triangles over their longest side at rest, squared."""
    corners = moved[0][triangles]
    longest = ((corners - np.roll(corners, 1, axis=1)) ** 2).sum(axis=2).max(axis=1)
    return np.asarray(2 * signed_areas(moved, triangles) / longest)


def pull_apart(
    points: np.ndarray, triangles: np.ndarray, weights: np.ndarray, moves: np.ndarray, free: np.ndarray
) -> np.ndarray:
    """Changes what single vertices follow, as little as possible, until every triangle keeps some of its area.

    Each step projects the weights of a triangle's free corners on those at which it has enough area left.

    Args:
        points: (V, 2) px. triangles: (F, 3). weights: (V, 68). moves: (K, 68, ≥2) px, displacements of the landmarks.
        free: (V,) bool, vertices whose weights may change.

    Returns:
        (V, 68).
    """
    if not len(moves):
        return weights
    weights = weights.copy()
    moves = np.ascontiguousarray(moves[..., :2])
    loose = triangles[free[triangles].any(axis=1)]
    rest = signed_areas(points, loose)
    best, least = weights, np.inf
    for _ in range(_PULLS):
        moved = points + np.matmul(weights, moves)
        lack = _ENOUGH * rest - signed_areas(moved, loose)
        worst = lack.argmax(axis=0)
        lack = lack[worst, np.arange(len(loose))]
        short = np.nonzero(lack > 0)[0]
        total = float((lack[short] / rest[short]).sum())
        if total < least:
            best, least = weights.copy(), total
        if not len(short):
            break
        for index in short:
            corners, move = loose[index], moves[worst[index]]
            place = points[corners] + weights[corners] @ move
            across = np.roll(place, -1, axis=0) - np.roll(place, 1, axis=0)  # the side opposite each corner
            gradient = 0.5 * np.stack([-across[:, 1], across[:, 0]], axis=1)
            gradient[~free[corners]] = 0.0
            area = float(signed_areas(place, np.array([[0, 1, 2]]))[0])
            slope = gradient @ move.T  # (3, 68), of the area by the weights
            steep = float((slope**2).sum())
            if steep > 1e-12:
                weights[corners] += (1.05 * _ENOUGH * rest[index] - area) / steep * slope
        touched = np.unique(loose[short])
        touched = touched[free[touched]]
        rows = np.clip(weights[touched], *_SWING)
        sums = rows.sum(axis=1, keepdims=True)
        weights[touched] = rows + (np.clip(sums, 0.0, 1.0) - sums) / rows.shape[1]
    return best
