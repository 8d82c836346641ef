"""Heads that turn as far as their bone says: the relief that the mesh had to give up, given back frame by frame.

The mesh's plane is flattened until nothing folds at any turn of the head with any expression, and a flat face seems to
turn less than it does. A single frame knows its turn, and may have its depth again: as much of it as makes the turn
that is seen the one that was asked for (rendering/seen_turns.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

from ..exchange import formats
from ..landmarks.pose import fit_rigid

#: Detected depth falls short of a head's own: turned with it, the yaw seen on four photographs is 0.70 to 1.03 of what
#: it is, 0.87 in the mean.
_DEEPER = 1.1
#: Where nothing was measured: how much of its depth a head turns with that nods, and one that turns aside.
DEFAULT_RELIEF = (_DEEPER, _DEEPER)
_FRAMES = 64  # at a time


def restore_depth(mesh: formats.Mesh, vertices: np.ndarray, shares: Sequence[float] = DEFAULT_RELIEF) -> np.ndarray:
    """Moves vertices to where they are seen when the head turns with its whole relief.

    At rest nothing moves. The head's rotation is read from the landmarks' vertices; what does not follow the head
    (`head_weights`) stays.

    Args:
        mesh: the character's; one without `lost_depth` leaves the vertices alone.
        vertices: (T, V, 3) px, expression and head in them.
        shares: of the detected relief that the head turns with, up and down, and to the sides.

    Returns:
        (T, V, 3) float32, px.
    """
    vertices = np.asarray(vertices, np.float32)
    if mesh.lost_depth is None:
        return vertices
    whole = mesh.vertices[:, 2].astype(np.float64) + mesh.lost_depth
    up, aside = shares
    factors = np.array([aside, up, (up + aside) / 2])
    lost = mesh.lost_depth[:, None] + (factors - 1.0) * whole[:, None]  # (V, 3), for each axis of the picture
    follows = np.asarray(mesh.head_weights, np.float64)[:, None] * lost
    rest = mesh.vertices[mesh.landmark_vertices]
    restored = vertices.copy()
    for first in range(0, len(vertices), _FRAMES):
        part = slice(first, first + _FRAMES)
        rotation = fit_rigid(vertices[part][:, mesh.landmark_vertices], rest)[0]
        # A point that is deeper by d moves by the head's turned z axis times d, and by the unturned one at rest.
        restored[part] += ((rotation[:, None, :, 2] - [0.0, 0.0, 1.0]) * follows).astype(np.float32)
        restored[part, :, 2] += lost[:, 2].astype(np.float32)
    return restored


def missing_depth(mesh: formats.Mesh) -> np.ndarray:
    """What is added to the depth of each vertex (V,), px, of a mesh with `lost_depth`."""
    assert mesh.lost_depth is not None
    whole = mesh.vertices[:, 2].astype(np.float64) + mesh.lost_depth
    return np.asarray(mesh.lost_depth + (_DEEPER - 1.0) * whole)


def lost_depth_for(depth: np.ndarray, missing: float) -> np.ndarray:
    """`Mesh.lost_depth` (n,) of vertices at a depth (n,), so that `missing` px are added to each."""
    return np.asarray((missing - (_DEEPER - 1.0) * depth) / _DEEPER)


def around(points: np.ndarray, values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Values (n,) at points (n, 2), read at places (m, 2): linear between the points, the nearest one's beyond them."""
    found = LinearNDInterpolator(points, values)(places)
    beyond = ~np.isfinite(found)
    if beyond.any():
        found[beyond] = NearestNDInterpolator(points, values)(places[beyond])
    return np.asarray(found)
