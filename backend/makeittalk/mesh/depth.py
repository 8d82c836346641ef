"""The relief of the plane: smooth through the landmarks' depth, 0 at the border, flat enough to be turned."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix, diags
from scipy.sparse.linalg import splu

from ..landmarks.face_frame import FaceFrame
from ..landmarks.polygon import outline_distance
from .contours import Contours
from .vertex_weights import sheet, solve_held

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
    held = outline_distance(points, frame.hull) > _REACH * frame.height
    held |= frame.border_distance(points) < 1e-6 * frame.height
    held[: len(rows)] = True
    depth = np.zeros((len(points), 1))
    depth[: len(rows), 0] = rows @ landmarks[:, 2]
    return np.asarray(solve_held(sheet(points, triangles, _TENSION * frame.height), held, depth)[:, 0])


def flatten(
    depth: np.ndarray,
    points: np.ndarray,
    triangles: np.ndarray,
    contours: Contours,
    scale: float,
    flips: Callable[[np.ndarray], np.ndarray],
) -> tuple[np.ndarray, bool]:
    """Lowers the relief until no triangle flips in any pose: its steep places first, the whole only if it must be.

    The slope of every triangle is cut to a limit and the relief rebuilt from the slopes (Poisson). Limits sink around
    the triangles that flip. Lips and lids keep as much depth between their edges as displacements have, so that they
    shut in depth, too.

    Args:
        depth: (V,) px, 0 where the plane stays flat. points: (V, 2) px. triangles: (F, 3). contours: the face's lines.
        scale: share of their depth that displacements keep.
        flips: says for a depth (V,) which triangles flip in which pose, (poses, F).

    Returns:
        (V,) px, and whether no triangle flips any more.
    """
    lift = _meet(contours, depth, scale)
    depth = lift(depth)
    free = depth != 0.0
    if not free.any():
        return depth, True
    slopes, area = _slopes(points, triangles)
    weight = diags(np.concatenate([area, area]))
    matrix = (slopes.T @ weight @ slopes)[free][:, free]
    diagonal = matrix.diagonal()  # 0 for a point that lies so near an outline that no triangle needs it
    solve = splu(csc_matrix(matrix + diags(1e-9 * diagonal + 1e-12 * diagonal.max()))).solve
    limit = np.full(len(triangles), _STEEPEST)
    near = _neighbours(triangles, len(points))
    for _ in range(_ROUNDS):
        bad = flips(depth).any(axis=0)
        if not bad.any():
            return depth, True
        limit *= np.where(near(near(bad)), 0.75, 0.99)
        slope = (slopes @ depth).reshape(2, -1)
        slope *= np.minimum(1.0, limit / np.maximum(np.linalg.norm(slope, axis=0), 1e-12))
        lowered = np.zeros_like(depth)
        lowered[free] = solve((slopes.T @ (weight @ slope.ravel()))[free])
        depth = lift(lowered)
    return depth, not flips(depth).any()


def _meet(contours: Contours, depth: np.ndarray, scale: float) -> Callable[[np.ndarray], np.ndarray]:
    """Sets the depth between the two edges of lips and lids to `scale` of that in `depth` (V,)."""
    above, below = contours.meeting.T
    half = scale * (depth[above] - depth[below]) / 2
    middle, first, second = contours.middles.T

    def lift(lowered: np.ndarray) -> np.ndarray:
        lifted = lowered.copy()
        mean = (lowered[above] + lowered[below]) / 2
        lifted[above], lifted[below] = mean + half, mean - half
        lifted[middle] = (lifted[first] + lifted[second]) / 2
        return lifted

    return lift


def _neighbours(triangles: np.ndarray, count: int) -> Callable[[np.ndarray], np.ndarray]:
    """Grows a set of triangles (F,) bool by all that touch it."""

    def grow(chosen: np.ndarray) -> np.ndarray:
        touched = np.zeros(count, bool)
        touched[triangles[chosen]] = True
        return np.asarray(touched[triangles].any(axis=1))

    return grow


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
