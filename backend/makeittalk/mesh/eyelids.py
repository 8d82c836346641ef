"""The lids of one eye as vertices: their edges in the picture, and the hole between them.

The hole ends where the picture shows the lids' edges; where it shows none clearly, at the landmarks, and a rim with the
lashes' shadow stays with the upper lid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..exchange import formats
from ..exchange.constants import GAZE_KEYS
from ..landmarks import ibug68
from .contours import Contours
from .deform import signed_areas
from .irises import Iris
from .lid_edges import lid_edges

_SHADE = 0.12  # of the opening, that stays with an upper lid whose edge is not clear
_RIM = 0.02  # of the opening, the same where it is: just what is stretched when the eye shuts
_OVER = 0.04  # of the opening, that the rim of a shut eye reaches beyond the lower lid
_BEHIND = 0.012  # of the eye's width, from the lids to the rim
_SQUEEZED = 0.3  # of its area, what a triangle beside the lids keeps at least when they are moved to their edges


@dataclass
class Eyelids:
    """The lids of one eye as vertices.

    Attributes:
        loop: around it, from corner to corner and back. upper, lower: chains between the corners. middle: the vertices
            between the chains. keys: of its gaze, in the order of `GAZE_KEYS`. corners: landmarks, left and right.
        inner: which of the corners lies at the nose. rest: (n,) of the opening, from the upper lid to its rim. over:
            (n,) of the lids' way, that the rim goes further than its lid. clear: whether the picture shows both edges.
    """

    loop: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    middle: np.ndarray
    keys: tuple[str, ...]
    corners: tuple[int, int]
    inner: int
    rest: np.ndarray
    over: np.ndarray
    clear: bool = False

    @classmethod
    def of(cls, mesh: formats.Mesh, contours: Contours, side: int) -> Eyelids:
        """The right eye for `side` 0, the left one for 1."""
        loop = contours.loops[1 + side]
        count = len(loop) // 2 + 1
        upper = loop[:count]
        lower = np.concatenate([loop[:1], loop[: count - 1 : -1], upper[-1:]])
        above = {int(vertex): int(middle) for middle, vertex, _ in contours.middles}
        middle = np.array([above[int(vertex)] for vertex in upper[1:-1]])
        points = ibug68.EYE_LEFT if side else ibug68.EYE_RIGHT
        keys = tuple(key for key in GAZE_KEYS if key.endswith(("Right", "Left")[side]))
        corners = (int(points[0]), int(points[3]))
        rest, over = np.full((2, len(middle)), ((_SHADE,), (0.0,)))
        return cls(loop, upper, lower, middle, keys, corners, 1 - side, rest, over)

    def fit(self, mesh: formats.Mesh, rgba: np.ndarray, iris: Iris) -> None:
        """Moves the lids' vertices to the edges that the picture shows; what landmarks move is not changed."""
        above, below = self.upper[1:-1], self.lower[1:-1]
        flat = mesh.vertices[:, :2]
        opening = np.linalg.norm(flat[below] - flat[above], axis=1)
        beyond = lid_edges(rgba, flat[self.upper], flat[self.lower], iris)
        clear = np.isfinite(beyond)
        beyond = np.where(clear, beyond, 0.0)
        down = (flat[below] - flat[above]) / opening[:, None]
        shift = np.zeros((len(flat), 2))
        shift[above], shift[below] = -beyond[0, :, None] * down, beyond[1, :, None] * down
        beside = np.isin(mesh.triangles, np.concatenate([above, below])).any(axis=1)
        beside &= ~np.isin(mesh.triangles, self.middle).any(axis=1)
        triangles = mesh.triangles[beside]
        least = _SQUEEZED * signed_areas(flat, triangles)
        while (signed_areas(flat + shift, triangles) < least).any():
            shift, beyond = 0.8 * shift, 0.8 * beyond
        slope = self.plane(mesh)
        mesh.vertices += np.column_stack([shift, shift @ slope])
        mesh.uv += shift * [1.0, -1.0] / mesh.image_size
        self.clear = bool(clear.all())
        self.rest[:] = np.where(clear[0], _RIM, _SHADE)
        self.over[:] = np.where(clear[0] | (beyond > 0).any(axis=0), beyond.sum(axis=0) / opening + _OVER, 0.0)

    def plane(self, mesh: formats.Mesh) -> np.ndarray:
        """The slope of the plane through the lids, (2,) px a px."""
        lids = mesh.vertices[self.loop]
        centred = np.column_stack([lids[:, :2] - lids[:, :2].mean(axis=0), np.ones(len(lids))])
        return np.asarray(np.linalg.lstsq(centred, lids[:, 2], rcond=None)[0][:2])

    def rim(self, values: np.ndarray) -> np.ndarray:
        """Values (V, …) at the upper lid's rim."""
        share = self.rest if values.ndim == 1 else self.rest[:, None]
        return np.asarray((1 - share) * values[self.upper[1:-1]] + share * values[self.lower[1:-1]])

    def opening(self, mesh: formats.Mesh) -> np.ndarray:
        """What rim and lower lid leave open, (n, 2) px, from corner to corner and back."""
        flat = mesh.vertices[:, :2]
        return np.concatenate([flat[self.upper[:1]], self.rim(flat), flat[self.lower[:0:-1]]])

    def open(self, mesh: formats.Mesh) -> None:
        """Makes a rim of the vertices between the lids, and a hole of what lies below it."""
        width = float(np.linalg.norm(np.diff(mesh.vertices[self.loop[[0, len(self.upper) - 1]], :2], axis=0)))
        below = np.isin(mesh.triangles, np.concatenate([self.middle, self.lower])).all(axis=1)
        kept = ~below
        mesh.triangles, mesh.material = mesh.triangles[kept], mesh.material[kept]
        for values in (mesh.vertices, mesh.uv, mesh.lost_depth):
            if values is not None:
                values[self.middle] = self.rim(values)
        mesh.vertices[self.middle, 2] += _BEHIND * width
        above, below = mesh.W[self.upper[1:-1]], mesh.W[self.lower[1:-1]]
        mesh.W[self.middle] = above + self.over[:, None] * (above - below)  # shut, it lies behind the lower lid
