"""Moves a mesh as Blender does: shape keys first, then a linear blend between the head bone and the ground. NumPy."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ..exchange import formats
from ..exchange.constants import GAZE_KEYS


def deform(
    mesh: formats.Mesh,
    expression: np.ndarray,
    rotation: np.ndarray,
    translation: np.ndarray,
    gaze: np.ndarray | None = None,
) -> np.ndarray:
    """Vertices of the moving mesh.

    v₁ = v + W · expression (its depth scaled by `depth_scale`); v₂ = w (R (v₁ − p) + p + t) + (1 − w) v₁ with the
    head weight w and the neck pivot p.

    Args:
        mesh: the mesh. expression: (…, 68, 3) px, displacement of the landmarks with the head held.
        rotation: (…, 3) rad, Euler "xyz". translation: (…, 3) px. gaze: (…, 2) rad, see `gaze_values`.

    Returns:
        (…, V, 3) float32, px.
    """
    expression = np.asarray(expression, np.float32)
    shape = expression.shape[:-2]
    rotation = np.broadcast_to(np.asarray(rotation, np.float64), (*shape, 3))
    translation = np.broadcast_to(np.asarray(translation, np.float32), (*shape, 3))
    matrices = Rotation.from_euler("xyz", rotation.reshape(-1, 3)).as_matrix().reshape(*shape, 3, 3)
    pivot = np.asarray(mesh.neck_pivot, np.float32)
    moved = mesh.vertices.astype(np.float32) + displacements(mesh, expression)
    if gaze is not None:
        moved += gaze_displacements(mesh, gaze)
    turned = np.matmul(moved - pivot, np.swapaxes(matrices, -1, -2).astype(np.float32))
    turned += pivot + translation[..., None, :]
    weight = np.asarray(mesh.head_weights, np.float32)[:, None]
    return moved + weight * (turned - moved)


def displacements(mesh: formats.Mesh, expression: np.ndarray) -> np.ndarray:
    """Displacements (…, V, 3) px of the vertices for displacements (…, 68, 3) px of the landmarks."""
    moved = np.matmul(mesh.W.astype(np.float32, copy=False), np.asarray(expression, np.float32))
    moved[..., 2] *= np.float32(mesh.depth_scale)
    return np.asarray(moved)


def gaze_values(mesh: formats.Mesh, gaze: np.ndarray) -> np.ndarray:
    """Values (…, 8) of `GAZE_KEYS` at which the eyes are turned as far as `gaze` (…, 2) rad says, as far as they go.

    `gaze` is to the right of the picture, and down. An eye without an iris has 0.
    """
    right, down = np.moveaxis(np.sin(np.asarray(gaze, np.float64)), -1, 0)
    # The person's left eye is on the right of the picture: there it looks out, and the other one in.
    ways = np.stack([-right, right, -down, down, right, -right, -down, down], axis=-1)
    reach = np.zeros(len(GAZE_KEYS)) if mesh.gaze_reach is None else np.sin(mesh.gaze_reach)
    values = np.clip(ways / np.where(reach > 0, reach, 1.0), 0.0, 1.0)
    return np.where(reach > 0, values, 0.0).astype(np.float32)


def gaze_displacements(mesh: formats.Mesh, gaze: np.ndarray) -> np.ndarray:
    """Displacements (…, V, 3) float32 px of the vertices for a gaze (…, 2) rad."""
    values, names = gaze_values(mesh, gaze), mesh.key_names.tolist()
    answer = np.zeros((*values.shape[:-1], len(mesh.vertices), 3), np.float32)
    for column, name in enumerate(GAZE_KEYS):
        if name in names and values[..., column].any():
            key = mesh.keys[names.index(name)]
            moved = np.flatnonzero(key.any(axis=1))
            answer[..., moved, :] += values[..., column, None, None] * key[moved]
    return answer


def landed(mesh: formats.Mesh, vertices: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Vertices moved in the picture plane so that the mesh's landmarks are seen exactly where they shall be.

    The plane is flatter than the head it shows, and a filmed head would fall beside itself.

    Args:
        mesh: the mesh. vertices: (…, V, 3) px, expression and head in them. landmarks: (…, 68, ≥2) px.

    Returns:
        (…, V, 3) float32, px.
    """
    moved = np.array(vertices, np.float32)
    missed = (landmarks[..., :2] - moved[..., mesh.landmark_vertices, :2]).astype(np.float32)
    moved[..., :2] += np.matmul(mesh.W.astype(np.float32, copy=False), missed)
    return moved


def signed_areas(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Areas of triangles as the viewer sees them, positive where they run counter-clockwise.

    Args:
        points: (…, V, ≥2), x right, y down. triangles: (F, 3).

    Returns:
        (…, F), px².
    """
    a, b, c = (points[..., triangles[:, corner], :2] for corner in range(3))
    u, v = b - a, c - a
    return 0.5 * (u[..., 1] * v[..., 0] - u[..., 0] * v[..., 1])
