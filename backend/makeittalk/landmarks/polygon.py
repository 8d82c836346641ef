"""Points and polygons in the picture plane: what lies inside, and how far away the rest is."""

from __future__ import annotations

import numpy as np


def inside_polygon(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Which points (n, 2) lie in a closed polygon (k, 2), by the even-odd rule."""
    inside = np.zeros(len(points), bool)
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    margin = 1e-9 * np.maximum(np.abs(low), np.abs(high))  # by which a crossing is rounded
    near = np.flatnonzero(((points >= low - margin) & (points <= high + margin)).all(axis=1))
    if len(near):
        inside[near] = _inside(points[near], polygon)
    return inside


def _inside(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    a, b = polygon, np.roll(polygon, -1, axis=0)
    x, y = points[:, 0, None], points[:, 1, None]
    spans = (a[:, 1] > y) != (b[:, 1] > y)
    height = np.where(b[:, 1] == a[:, 1], 1.0, b[:, 1] - a[:, 1])
    crossing = a[:, 0] + (y - a[:, 1]) / height * (b[:, 0] - a[:, 0])
    return np.asarray((spans & (x < crossing)).sum(axis=1) % 2 == 1)


def outline_distance(points: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """How far points (n, 2) lie outside a closed outline (k, 2), px; 0 within."""
    distance = segment_distance(points, outline, np.roll(outline, -1, axis=0))
    distance[inside_polygon(points, outline)] = 0.0
    return distance


def segment_distance(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Distance of points (n, 2) from the nearest of the segments (k, 2)–(k, 2), px."""
    # Coordinate by coordinate: sums over an axis of two take numpy several times as long.
    (x0, y0), (dx, dy) = start.T, (end - start).T
    length = np.maximum(dx * dx + dy * dy, 1e-12)
    nearest = np.full(len(points), np.inf)
    for first in range(0, len(points), 4096):
        x, y = points[first : first + 4096, :, None].swapaxes(0, 1)
        share = np.clip(((x - x0) * dx + (y - y0) * dy) / length, 0.0, 1.0)
        across, down = x - (x0 + share * dx), y - (y0 + share * dy)
        nearest[first : first + 4096] = np.sqrt((across * across + down * down).min(axis=1))
    return nearest
