"""The relief of the plane: smooth through the landmarks' depth, 0 at the border, flat enough to be turned."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_solve, solve_triangular
from scipy.optimize import nnls
from scipy.sparse import coo_matrix, csc_matrix, diags

from ..landmarks.face_frame import FaceFrame
from ..landmarks.polygon import outline_distance
from .contours import Contours
from .turning import Turning
from .vertex_weights import sheet, solve_held

_REACH = 0.8  # face heights around the face in which the plane has relief
_TENSION = 0.25  # face heights: a stiff sheet below this length, a membrane above
_ROUNDS = 30  # of finding which triangles flip
_SPARE = 1e-3  # share of its area that a triangle keeps beyond what it must, for rounding


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
    depth: np.ndarray, points: np.ndarray, contours: Contours, scale: float, turning: Turning
) -> tuple[np.ndarray, bool]:
    """Lowers the relief until no triangle flips in any pose, where it must be and no more than that.

    Of all reliefs that can be turned it is the one whose slopes differ least from those of the whole one: a quadratic
    program, solved as a least-distance problem (Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23),
    in which triangles have their say once they have flipped. Lips and lids keep as much depth between their edges as
    displacements have, so that they shut in depth, too.

    Args:
        depth: (V,) px, 0 where the plane stays flat. points: (V, 2) px. contours: the face's lines.
        scale: share of their depth that displacements keep. turning: what depth does to the triangles.

    Returns:
        (V,) px, and whether no triangle flips any more.
    """
    spread, offset = _unknowns(contours, depth, scale)
    if not spread.shape[1]:
        return offset, not turning.flips(offset)
    slopes, area = _slopes(points, turning.triangles)
    energy = (slopes.T @ diags(np.concatenate([area, area])) @ slopes).toarray()
    matrix = spread.T @ energy @ spread
    # Not 0 for a point that lies so near an outline that no triangle needs it.
    matrix[np.diag_indices_from(matrix)] += 1e-9 * matrix.diagonal().mean()
    root = np.linalg.cholesky(matrix)
    free = cho_solve((root, True), spread.T @ (energy @ (depth - offset)))
    lowered = spread @ free + offset
    poses, chosen = np.zeros((2, 0), int)
    for _ in range(_ROUNDS):
        left = turning.left(lowered)
        worst = left.argmin(axis=0)
        flipped = np.flatnonzero(left[worst, np.arange(len(worst))] < 0.0)
        if not len(flipped):
            return lowered, True
        poses, chosen = np.concatenate([poses, worst[flipped]]), np.concatenate([chosen, flipped])
        rows, bounds = turning.demands(poses, chosen, len(depth))
        wanted = bounds + _SPARE - rows @ (spread @ free + offset)
        step = _least_step(solve_triangular(root, (rows @ spread).T, lower=True), wanted)
        if step is None:
            return lowered, False
        lowered = spread @ (free + solve_triangular(root, step, lower=True, trans="T")) + offset
    return lowered, not turning.flips(lowered)


def _least_step(ways: np.ndarray, wanted: np.ndarray) -> np.ndarray | None:
    """The shortest x (n,) with waysᵀ x ≥ wanted; None where there is none. ways: (n, k). wanted: (k,)."""
    unit = max(float(np.abs(wanted).max()), 1e-12)
    system = np.concatenate([ways, wanted[None] / unit])
    goal = np.zeros(len(system))
    goal[-1] = 1.0
    try:
        shares = nnls(system, goal)[0]
    except RuntimeError:  # more steps than it takes
        return None
    residual = system @ shares - goal
    return None if residual[-1] > -1e-9 else np.asarray(-unit * residual[:-1] / residual[-1])


def _unknowns(contours: Contours, depth: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """A map (V, n) and an offset (V,) from what may be chosen about a depth to the depth of every vertex.

    Vertices that have none stay flat, the two edges of lips and lids keep `scale` of the depth (V,) between them, and
    what lies between them stays in their middle.
    """
    above, below = contours.meeting.T
    middle, first, second = contours.middles.T
    own = np.flatnonzero((depth != 0.0) & ~np.isin(np.arange(len(depth)), np.concatenate([above, below, middle])))
    spread = np.zeros((len(depth), len(own) + len(above)))
    spread[own, np.arange(len(own))] = 1.0
    pairs = len(own) + np.arange(len(above))
    spread[above, pairs] = spread[below, pairs] = 1.0
    offset = np.zeros(len(depth))
    half = scale * (depth[above] - depth[below]) / 2
    offset[above], offset[below] = half, -half
    spread[middle] = (spread[first] + spread[second]) / 2
    offset[middle] = (offset[first] + offset[second]) / 2
    return spread, offset


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
