"""How far each vertex follows the landmarks and the head: harmonic weights on the mesh."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix, diags
from scipy.sparse.linalg import splu

from ..landmarks.face_frame import FaceFrame
from ..landmarks.polygon import outline_distance
from .deform import signed_areas

_REACH = 0.85  # face heights around the face's outline in which the ground follows its expressions
_SQUEEZED = 0.25  # share of its area below which a triangle is made stiffer
_ENOUGH = 0.08  # share of its area that every triangle keeps, if it can
_STIFFENINGS = 40
_HEAD_REACH = 1.1  # face heights around the head in which the ground follows its turns
_BORDER = 0.40  # face heights that the head keeps to the border where the picture allows it


def still_vertices(points: np.ndarray, frame: FaceFrame) -> np.ndarray:
    """The vertices, (V,) bool, that no expression moves: the border and what lies far from the face."""
    still = outline_distance(points, frame.hull) > _REACH * frame.height
    return still | (frame.border_distance(points) < 1e-6 * frame.height)


def landmark_weights(
    points: np.ndarray, triangles: np.ndarray, rows: np.ndarray, held: np.ndarray, moves: np.ndarray
) -> np.ndarray:
    """Each vertex's displacement as a fixed sum of the landmarks' displacements.

    On the face's lines the weights are the spline's own; elsewhere they are harmonic, so between those of their
    neighbours, and fall to 0 at the border or at some distance from the face. Triangles that expressions squeeze are
    made stiffer until their neighbours take their share.

    Args:
        points: (V, 2) px, vertices on the lines first. triangles: (F, 3). rows: (n, 68) weights on the lines.
        held: (V,) bool, vertices on the lines and those that stay. moves: (K, 68, ≥2) px, displacements of the
            landmarks that no triangle may flip at.

    Returns:
        (V, 68).
    """
    weights = np.zeros((len(points), rows.shape[1]))
    weights[: len(rows)] = rows
    stiffness = np.ones(len(triangles))
    rest = signed_areas(points, triangles)
    fixed = held[triangles].all(axis=1)
    for _ in range(_STIFFENINGS):
        weights = solve_held(laplacian(points, triangles, stiffness), held, weights)
        moved = points + np.matmul(weights, moves[..., :2])
        left = (signed_areas(moved, triangles) / rest).min(axis=0, initial=1.0)
        left[fixed] = 1.0
        if (left > _ENOUGH).all():
            break
        squeezed = left < _SQUEEZED
        stiffness[squeezed] *= np.clip(_SQUEEZED / np.maximum(left[squeezed], 0.05), 1.3, 2.5)
    return weights


def head_weights(points: np.ndarray, triangles: np.ndarray, fixed: int, frame: FaceFrame) -> np.ndarray:
    """How far each vertex follows the head bone: 1 on the face and the hair around it, 0 at the border.

    Args:
        points: (V, 2) px, the first `fixed` of them on the face's lines. triangles: (F, 3). frame: the frame.

    Returns:
        (V,) 0–1.
    """
    border = frame.border_distance(points)
    head = outline_distance(points, frame.hull) <= 0.04 * frame.height
    head |= (outline_distance(points, frame.head) == 0) & (border > _BORDER * frame.height)
    head[:fixed] = True
    ground = outline_distance(points, frame.head) > _HEAD_REACH * frame.height
    ground |= border < 1e-6 * frame.height
    ground &= ~head
    held = head | ground
    weights = solve_held(laplacian(points, triangles), held, head.astype(float)[:, None])[:, 0]
    return np.asarray(np.clip(weights, 0.0, 1.0))


def laplacian(points: np.ndarray, triangles: np.ndarray, stiffness: np.ndarray | None = None) -> csc_matrix:
    """Cotangent Laplacian (V, V), positive semidefinite, its weights kept positive so that averages stay within.

    Args:
        points: (V, 2). triangles: (F, 3). stiffness: (F,) factors, 1 by default.
    """
    rows, columns, values = [], [], []
    for corner in range(3):
        i, j, k = (triangles[:, (corner + step) % 3] for step in range(3))
        u, v = points[i] - points[k], points[j] - points[k]
        twice = np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])
        size = np.sqrt((u**2).sum(axis=1) * (v**2).sum(axis=1))
        cotangent = (u * v).sum(axis=1) / np.maximum(twice, 0.05 * size + 1e-12)
        if stiffness is not None:
            cotangent = np.maximum(cotangent, 0.02) * stiffness
        rows += [i, j]
        columns += [j, i]
        values += [cotangent / 2] * 2
    count = len(points)
    pairs = coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), (count, count))
    pairs = pairs.tocsc()
    pairs.data = np.maximum(pairs.data, 0.02)
    return csc_matrix(diags(np.asarray(pairs.sum(axis=1)).ravel()) - pairs)


def sheet(points: np.ndarray, triangles: np.ndarray, stiff: float) -> csc_matrix:
    """Energy (V, V) of an elastic sheet under tension: bends like a plate below the length `stiff`, px, like a
    membrane above it.

    Args:
        points: (V, 2). triangles: (F, 3).
    """
    matrix = laplacian(points, triangles)
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    u, v = b - a, c - a
    area = np.zeros(len(points))
    np.add.at(area, triangles, (np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) / 6)[:, None])
    area = np.maximum(area, 1e-4 * area.mean())
    return csc_matrix(matrix.T @ diags(1 / area) @ matrix + matrix / stiff**2)


def solve_held(matrix: csc_matrix, held: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values (V, k) where those of the vertices `held` (V,) stay and the rest solve `matrix` x = 0."""
    free = ~held
    result = values.copy()
    if free.any():
        rows = matrix[free]
        result[free] = splu(csc_matrix(rows[:, free])).solve(-(rows[:, held] @ values[held]))
    return result
