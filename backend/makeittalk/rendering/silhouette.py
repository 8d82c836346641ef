"""Where a drawn mesh has edges that need smoothing: its openings, its cards, and where it turns away from the viewer.

Everywhere else the surface and its texture go on across the triangles, so that one sample a pixel is enough.
"""

from __future__ import annotations

import cv2
import numpy as np

from ..exchange import formats
from ..mesh.deform import signed_areas

_CELL = 8  # px of the picture, at least: how finely edges are gathered into rectangles
_CELLS = 256  # a side, at most
_AROUND = 1.0  # px that an edge reaches into the pixels beside it
_MANY = 16  # rectangles beyond which one around them all is drawn faster

Rectangle = tuple[int, int, int, int]  # left, top, width, height, px


class Silhouette:
    """The edges of one mesh in pictures of one size.

    Args:
        mesh: the mesh. width, height: of the pictures, px.
    """

    def __init__(self, mesh: formats.Mesh, width: int, height: int) -> None:
        self._triangles = np.asarray(mesh.triangles, np.int64)
        self._size = np.array([width, height])
        self._scale = (self._size / np.asarray(mesh.image_size, np.float64)).astype(np.float32)
        self._cell = max(_CELL, -(-max(width, height) // _CELLS))
        self._open, self._inner, self._sides = _edges(self._triangles, np.asarray(mesh.material, np.int64))

    def rectangles(self, vertices: np.ndarray) -> list[Rectangle]:
        """Rectangles that hold every pixel with an edge in it; they may overlap.

        Args:
            vertices: (V, ≥2) px of the portrait, where they are seen.
        """
        places = np.asarray(vertices, np.float32)[:, :2] * self._scale
        front = signed_areas(places, self._triangles) > 0
        turning = front[self._sides[:, 0]] != front[self._sides[:, 1]]
        ends = places[np.concatenate([self._open, self._inner[turning]])]
        low, high = ends.min(axis=1), ends.max(axis=1)
        # The plane ends where the picture ends, and there is nothing to smooth.
        inside = ((high > 1e-3) & (low < self._size - 1e-3)).all(axis=1)
        if not inside.any():
            return []
        first = np.floor(np.clip(low[inside] - _AROUND, 0, self._size - 1) / self._cell).astype(np.int64)
        last = np.floor(np.clip(high[inside] + _AROUND, 0, self._size - 1) / self._cell).astype(np.int64) + 1
        return self._gathered(first, last)

    def _gathered(self, first: np.ndarray, last: np.ndarray) -> list[Rectangle]:
        """Rectangles around cells that touch, the cells of each edge from `first` up to `last`, (n, 2) each."""
        across, along = -(-self._size // self._cell)
        change = np.zeros((along + 1, across + 1), np.int32)
        np.add.at(change, (first[:, 1], first[:, 0]), 1)
        np.add.at(change, (last[:, 1], last[:, 0]), 1)
        np.add.at(change, (first[:, 1], last[:, 0]), -1)
        np.add.at(change, (last[:, 1], first[:, 0]), -1)
        marked = (change.cumsum(axis=0).cumsum(axis=1)[:-1, :-1] > 0).astype(np.uint8)
        rings, _ = cv2.findContours(marked, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        boxes = np.array([cv2.boundingRect(ring) for ring in rings])
        low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
        if len(low) > _MANY:
            low, high = low.min(axis=0, keepdims=True), high.max(axis=0, keepdims=True)
        low, high = low * self._cell, np.minimum(high * self._cell, self._size)
        return [(int(x), int(y), int(w), int(h)) for (x, y), (w, h) in zip(low, high - low, strict=True)]


def _edges(triangles: np.ndarray, material: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The edges of a mesh whose materials are apart from one another.

    Returns:
        the open ones (n, 2), with a triangle on one side only; the inner ones (m, 2) and their two triangles (m, 2).
    """
    sides = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    owner = np.tile(np.arange(len(triangles)), 3)
    keys = np.column_stack([material[owner], sides])
    order = np.lexsort(keys.T[::-1])
    keys, owner = keys[order], owner[order]
    starts = np.flatnonzero(np.r_[True, (keys[1:] != keys[:-1]).any(axis=1)])
    shared = np.diff(np.r_[starts, len(keys)])
    pairs = starts[shared == 2]
    return keys[starts[shared != 2], 1:], keys[pairs, 1:], np.column_stack([owner[pairs], owner[pairs + 1]])
