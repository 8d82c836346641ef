"""Which way a face looks, told by what opens its mouth. No bpy here."""

from __future__ import annotations

import numpy as np

_ANGLES = 90  # directions in half a turn that are tried for the axis of symmetry
_FEW = 250  # vertices that are compared with their mirror images
_SQUARE = 0.985  # cosine: a mesh whose axes are so near to those of its coordinates was made along them
_DOWN = 0.6  # the same of what opens the mouth, which goes back as well as down
_BACK = np.radians(20.0)  # how far back from straight down a jaw goes: half of what a human one does


def face_axes(skin: np.ndarray, move: np.ndarray, mesh: np.ndarray) -> np.ndarray:
    """Right as the viewer sees it, down and away from the viewer: the rows of a (3, 3).

    A jaw goes down and back, both of its halves alike, and lies in front of the head.

    Args:
        skin: (n, 3) vertices of the face. move: (n, 3) what opening the mouth moves. mesh: (V, 3) all vertices.
    """
    far = np.linalg.norm(move, axis=1)
    rows = np.flatnonzero(far > 0.3 * far.max())
    down = (move[rows] * far[rows, None]).sum(axis=0)
    down /= np.linalg.norm(down)
    points, weight = skin[rows], far[rows]
    centre = (points * weight[:, None]).sum(axis=0) / weight.sum()
    right = _mirror_axis(points - centre, down)
    backward = mesh.mean(axis=0) - centre
    square = np.eye(3)[np.abs(right).argmax()]
    if abs(right @ square) > _SQUARE:
        steep = np.abs(down * (1.0 - square)).argmax()
        if abs(down[steep]) > _DOWN:
            right, down = square, np.eye(3)[steep] * np.sign(down[steep])
            return _outwards(right, down, backward)
    right, down, away = _outwards(right, down, backward)
    return _outwards(right, np.cos(_BACK) * down - np.sin(_BACK) * away, backward)


def _outwards(right: np.ndarray, down: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """Axes at right angles to one another, the third to the side on which the head is."""
    down = down - (down @ right) * right
    down = down / np.linalg.norm(down)
    away = np.cross(right, down)
    if away @ backward < 0.0:
        right, away = -right, -away
    return np.stack([right, down, away])


def _mirror_axis(points: np.ndarray, down: np.ndarray) -> np.ndarray:
    """The direction (3,) at right angles to another in which points are most like their mirror image."""
    step = max(1, len(points) // _FEW)
    some = points[::step]
    one = np.cross(down, np.eye(3)[np.abs(down).argmin()])
    one /= np.linalg.norm(one)
    two = np.cross(down, one)
    best, least = one, np.inf
    for angle in np.arange(_ANGLES) * np.pi / _ANGLES:
        axis = np.cos(angle) * one + np.sin(angle) * two
        mirrored = some - 2.0 * (some @ axis)[:, None] * axis
        off = ((mirrored[:, None] - some[None]) ** 2).sum(axis=2).min(axis=1)
        cost = float(np.sqrt(off).mean())
        if cost < least:
            best, least = axis, cost
    return best
