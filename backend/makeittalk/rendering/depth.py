"""The relief of the plane: smooth through the landmarks' depth, 0 at the border, flat enough to be turned."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix, diags
from scipy.sparse.linalg import splu

from .frame import FaceFrame, outline_distance
from .influence import harmonic, laplacian

_REACH = 0.8  # face heights around the face in which the plane has relief
_TENSION = 0.25  # face heights: a stiff sheet below this length, a membrane above
_STEEPEST = 2.2  # px a px, the first limit of its slope
_ROUNDS = 40


def relief(
    points: np.ndarray, triangles: np.ndarray, rows: np.ndarray, landmarks: np.ndarray, frame: FaceFrame
) -> np.ndarray:
    """Depth of every vertex.

    Args:
        points: (V, 2) px, vertices on the lines first. triangles: (F, 3). rows: (n, 68) weights on the lines.
        landmarks: (68, 3) px. frame: the face's frame.

    Returns:
        (V,) px, away from the viewer positive.
    """
    matrix = laplacian(points, triangles)
    area = np.zeros(len(points))
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    u, v = b - a, c - a
    np.add.at(area, triangles, (np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) / 6)[:, None])
    area = np.maximum(area, 1e-6 * frame.height**2)
    sheet = matrix.T @ diags(1 / area) @ matrix + matrix / (_TENSION * frame.height) ** 2
    held = outline_distance(points, frame.hull) > _REACH * frame.height
    held |= frame.border_distance(points) < 1e-6 * frame.height
    held[: len(rows)] = True
    depth = np.zeros((len(points), 1))
    depth[: len(rows), 0] = rows @ landmarks[:, 2]
    return np.asarray(harmonic(csc_matrix(sheet), held, depth)[:, 0])


def flatten(
    depth: np.ndarray, points: np.ndarray, triangles: np.ndarray, flips: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Lowers the relief until no triangle flips in any pose: its steep places first, the whole only if it must be.

    The slope of every triangle is cut to a limit and the relief rebuilt from the slopes (Poisson), under ever lower
    limits.

    Args:
        depth: (V,) px, 0 where the plane stays flat. points: (V, 2) px. triangles: (F, 3).
        flips: says for a depth (V,) which triangles (F,) flip in any pose.

    Returns:
        (V,) px.
    """
    hopeless = flips(np.zeros_like(depth))  # what flips without any relief is no matter of depth
    slopes, area = _slopes(points, triangles)
    weight = diags(np.concatenate([area, area]))
    free = depth != 0.0
    matrix = (slopes.T @ weight @ slopes)[free][:, free]
    solve = splu(csc_matrix(matrix + 1e-9 * diags(matrix.diagonal()))).solve if free.any() else None
    limit = _STEEPEST
    for _ in range(_ROUNDS):
        if solve is None or not (flips(depth) & ~hopeless).any():
            return depth
        slope = (slopes @ depth).reshape(2, -1)
        slope *= np.minimum(1.0, limit / np.maximum(np.linalg.norm(slope, axis=0), 1e-12))
        lowered = np.zeros_like(depth)
        lowered[free] = solve((slopes.T @ (weight @ slope.ravel()))[free])
        depth = lowered
        limit *= 0.97
    while (flips(depth) & ~hopeless).any() and np.abs(depth).max() > 1e-3:
        depth = 0.8 * depth
    return depth


def _slopes(points: np.ndarray, triangles: np.ndarray) -> tuple[csc_matrix, np.ndarray]:
    """Gradient operator (2F, V), x rows before y rows, and the area of each triangle."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    twice = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    safe = np.where(np.abs(twice) < 1e-9, 1e-9, twice)
    rows, columns, values = [], [], []
    count = len(triangles)
    for corner in range(3):
        following, last = points[triangles[:, (corner + 1) % 3]], points[triangles[:, (corner + 2) % 3]]
        edge = last - following
        rows += [np.arange(count), np.arange(count) + count]
        columns += [triangles[:, corner]] * 2
        values += [-edge[:, 1] / safe, edge[:, 0] / safe]
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return csc_matrix(coo_matrix(entries, (2 * count, len(points)))), np.abs(twice) / 2
