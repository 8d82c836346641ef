"""How much of the sky each vertex of the head sees, by how open the mouth is; measured once for all heads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial import cKDTree

from .head_model import FLESH, SKIN, TOOTH, HeadModel
from .interpolation import interpolate_table

#: Draws the depth map (S, S) 0–1 of vertices (V, 3) as seen from a light, given by its matrix (4, 4).
DepthMap = Callable[[np.ndarray, np.ndarray], np.ndarray]

_JAW_OPENINGS = (0.0, 0.3, 0.7)  # values of `jawOpen` that it is measured for
_DIRECTIONS = 48  # in which the sky is looked for
_REACH = 22.0  # cm around the head's middle that a light's depth map covers
_CENTRE = np.array([0.0, -1.0, 1.0])  # cm


def sky_visibility(model: HeadModel, depth_map: DepthMap) -> np.ndarray:
    """The share of the sky that each vertex sees, (openings, V) 0–1."""
    visibility = np.stack([_visible_share(model, opening, depth_map) for opening in _JAW_OPENINGS])
    _smooth_mouth(model, visibility)
    return visibility


def visibility_at(visibility: np.ndarray, opening: float) -> np.ndarray:
    """The share (V,) for a mouth that is so open, from what `sky_visibility` measured."""
    return interpolate_table(visibility, float(np.interp(opening, _JAW_OPENINGS, range(len(_JAW_OPENINGS)))))


def mouth_lining(model: HeadModel, visibility: np.ndarray) -> np.ndarray:
    """Which skin is the lining of the mouth, (V,) 0–1: what no light reaches while the lips are shut."""
    x, y, z = model.neutral.T
    near = (np.abs(x) < 4.5) & (y > -9.0) & (y < -0.5) & (z < 11.3) & (model.kinds == SKIN)
    # The outer skin of chin and neck lies in that box too, but it is lit.
    return np.where(near, np.clip((1.0 - visibility[0] - 0.80) / 0.12, 0.0, 1.0), 0.0).astype(np.float32)


def light_matrix(direction: np.ndarray) -> np.ndarray:
    """Parallel projection (4, 4) along a direction that points to the light; near is less."""
    forward = direction / np.linalg.norm(direction)
    side = np.cross([0.0, 1.0, 0.0] if abs(forward[1]) < 0.9 else [1.0, 0.0, 0.0], forward)
    side /= np.linalg.norm(side)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([side, np.cross(forward, side), -forward]) / _REACH
    matrix[:3, 3] = -matrix[:3, :3] @ _CENTRE
    return matrix


def _visible_share(model: HeadModel, opening: float, depth_map: DepthMap) -> np.ndarray:
    """The share (V,) with so open a jaw: ambient occlusion."""
    vertices = model.express(model.neutral, {"jawOpen": opening})
    normals = model.normals(vertices)
    seen = np.zeros(len(vertices))
    total = np.full(len(vertices), 1e-6)
    for direction in _even_directions(_DIRECTIONS):
        facing = np.maximum(normals @ direction, 0.0)
        light = light_matrix(direction)
        depth = depth_map(vertices, light)
        projected = ((vertices + 0.08 * normals) @ light[:3, :3].T + light[:3, 3]) * 0.5 + 0.5
        column, row = (np.clip((projected[:, :2] * len(depth)).astype(int), 0, len(depth) - 1)).T
        seen += facing * (projected[:, 2] <= depth[row, column] + 0.004)
        total += facing
    return (seen / total).astype(np.float32)


def _smooth_mouth(model: HeadModel, visibility: np.ndarray) -> None:
    """Teeth shade each other in gaps finer than the measurement: what they see is averaged over a centimetre."""
    mouth = np.flatnonzero((model.kinds == FLESH) | (model.kinds == TOOTH))
    positions = model.neutral[mouth]
    near = cKDTree(positions).query(positions, 60)[1]
    for shares in visibility:
        around = np.sort(shares[mouth][near], axis=1)
        shares[mouth] = np.minimum(1.0, 1.25 * around[:, 30:].mean(1))


def _even_directions(count: int) -> np.ndarray:
    """Directions (count, 3) spread evenly over the sphere (Fibonacci)."""
    i = np.arange(count) + 0.5
    z = 1.0 - 2.0 * i / count
    turn = np.pi * (1.0 + 5.0**0.5) * i
    flat = np.sqrt(1.0 - z**2)
    return np.column_stack([flat * np.cos(turn), flat * np.sin(turn), z])
