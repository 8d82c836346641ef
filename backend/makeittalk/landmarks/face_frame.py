"""The face's place in its picture: size, upright axes, the head around it, and how far the plane must reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from ..exchange.errors import InputError

#: Room the plane needs around the face, in face heights (nose bridge to chin), so that a moving head or an open jaw
#: is taken up by the ground around it: left and right, above the forehead, below the chin.
_ROOM_SIDE, _ROOM_TOP, _ROOM_BOTTOM = 0.45, 0.40, 0.55
_FOREHEAD = 0.35  # face heights from brows to hairline
_CROWN = 1.05  # face heights from nose bridge to the top of the hair
_TEMPLE = 0.58  # half the head's width, in widths of the jaw


@dataclass
class FaceFrame:
    """Where a face sits in its picture, px, x right, y down.

    Attributes:
        height: nose bridge to chin, at least two thirds of the width. width: jaw end to jaw end.
        origin: the nose bridge. right, down: unit axes of the face in the picture plane.
        hull: (k, 2) outline of the landmarks and the forehead.
        head: (n, 2) outline of the whole head with its hair.
        low, high: (2,) corners of the plane, the picture's own or beyond.
    """

    height: float
    width: float
    origin: np.ndarray
    right: np.ndarray
    down: np.ndarray
    hull: np.ndarray
    head: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, width: int, height: int) -> FaceFrame:
        """The frame of landmarks (68, ≥2) in a picture of `width` × `height`.

        Raises:
            InputError: they lie on a point or a line, as those of a mesh that was scaled to nothing.
        """
        flat = np.asarray(points, np.float64)[:, :2]
        right = flat[42:48].mean(axis=0) - flat[36:42].mean(axis=0)
        right /= max(float(np.linalg.norm(right)), 1e-9)
        down = np.array([-right[1], right[0]])
        jaw = float(np.linalg.norm(flat[16] - flat[0]))
        tall = max(float(np.linalg.norm(flat[8] - flat[27])), 0.67 * jaw)
        forehead = flat[17:27] - _FOREHEAD * tall * down
        cloud = np.concatenate([flat, forehead])
        hull = _hull(cloud)
        angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        skull = flat[27] + np.outer(np.cos(angle), right) * _TEMPLE * max(jaw, 0.8 * tall)
        skull += np.outer(np.sin(angle), down) * _CROWN * tall
        above = (skull - flat[27]) @ down < 0.2 * tall
        cloud = np.concatenate([cloud, skull[above]])
        head = _hull(cloud)
        low = np.minimum(0.0, hull.min(axis=0) - tall * np.array([_ROOM_SIDE, _ROOM_TOP]))
        high = np.maximum([width, height], hull.max(axis=0) + tall * np.array([_ROOM_SIDE, _ROOM_BOTTOM]))
        return cls(tall, jaw, flat[27], right, down, hull, head, low, high)

    def border_distance(self, points: np.ndarray) -> np.ndarray:
        """How far points (n, 2) lie from the plane's border, px."""
        return np.minimum((points - self.low).min(axis=1), (self.high - points).min(axis=1))


def _hull(points: np.ndarray) -> np.ndarray:
    """The corners (m, 2) of the hull around points (n, 2)."""
    try:
        return points[ConvexHull(points).vertices]
    except QhullError as error:
        raise InputError("The landmarks do not form a face.", "Look at the mesh and at what moves it.") from error
