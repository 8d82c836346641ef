"""Delaunay triangulation that follows given edges: where one is missing, its curve is sampled once more."""

from __future__ import annotations

import numpy as np
from scipy.spatial import Delaunay


def triangulate(points: np.ndarray) -> np.ndarray:
    """Delaunay triangles (F, 3), counter-clockwise seen by the viewer (y down)."""
    triangles = Delaunay(points).simplices
    clockwise = _areas(points, triangles) < 0
    triangles[clockwise] = triangles[clockwise][:, ::-1]
    return triangles


def missing_edges(triangles: np.ndarray, edges: np.ndarray, count: int) -> np.ndarray:
    """Which edges (m, 2) no triangle has, (m,) bool.

    Args:
        triangles: (F, 3). edges: (m, 2). count: vertices.
    """
    have = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    return ~np.isin(_keys(edges, count), _keys(have, count))


def open_pockets(points: np.ndarray, triangles: np.ndarray, outlines: list[np.ndarray]) -> np.ndarray:
    """Turns edges so that no triangle has all its corners on one outline.

    Such a triangle closes a hollow of the outline; it would flip as soon as the outline bulges there, as a lid does.

    Args:
        points: (V, 2). triangles: (F, 3) around the outlines. outlines: vertices of each, in order.

    Returns:
        (F, 3).
    """
    triangles = triangles.copy()
    for outline in outlines:
        pockets = np.nonzero(np.isin(triangles, outline).all(axis=1))[0]
        index_of = {int(vertex): i for i, vertex in enumerate(outline)}
        for pocket in pockets:
            corners = [int(vertex) for vertex in triangles[pocket]]
            if not all(corner in index_of for corner in corners):
                continue
            # The chord is the side whose ends are no neighbours on the outline.
            for _ in range(3):
                first, second, middle = corners
                step = abs(index_of[first] - index_of[second])
                if min(step, len(outline) - step) > 1:
                    break
                corners = [*corners[1:], corners[0]]
            others = np.nonzero(((triangles == first) | (triangles == second)).sum(axis=1) == 2)[0]
            beyond = others[others != pocket]
            if len(beyond) != 1:
                continue
            apex = int(np.setdiff1d(triangles[beyond[0]], [first, second])[0])
            turned = np.array([[first, apex, middle], [apex, second, middle]])
            if apex not in index_of and (_areas(points, turned) > 0).all():
                triangles[pocket], triangles[beyond[0]] = turned
    return triangles


def _areas(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    u, v = b - a, c - a
    return np.asarray(u[:, 1] * v[:, 0] - u[:, 0] * v[:, 1])


def crossing_edges(points: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Pairs (k, 2) of edges that properly cross, each with the lower number first."""
    start, end = points[edges[:, 0]], points[edges[:, 1]]

    def side(origin: np.ndarray, tip: np.ndarray, point: np.ndarray) -> np.ndarray:
        u, v = tip - origin, point - origin
        return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]

    a, b, c, d = start[:, None], end[:, None], start[None], end[None]
    crosses = (side(a, b, c) * side(a, b, d) < 0) & (side(c, d, a) * side(c, d, b) < 0)
    return np.argwhere(np.triu(crosses, 1))


def _keys(edges: np.ndarray, count: int) -> np.ndarray:
    low, high = edges.min(axis=1).astype(np.int64), edges.max(axis=1).astype(np.int64)
    return low * count + high
