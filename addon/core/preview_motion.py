"""A bake as the moving vertices of a mesh, at any moment and any amounts: what a built character does. No bpy here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...backend.makeittalk.exchange.amounts import Amounts
from ...backend.makeittalk.exchange.formats import Bake, Mesh
from .errors import AddonError

_TURN = np.array([1.0, -1.0, -1.0])  # from the head bone's axes to the portrait's


@dataclass
class Pose:
    """A mesh at one moment.

    Attributes:
        positions: (V, 3) float32 px, after the expression, before the head.
        head: (4, 4) float64, what moves whatever follows the head wholly, px.
    """

    positions: np.ndarray
    head: np.ndarray

    def vertices(self, head_weights: np.ndarray) -> np.ndarray:
        """The vertices (V, 3) px where they are seen: what the vertex shader makes of it.

        Args:
            head_weights: (V,) of the mesh.
        """
        turned = self.positions @ self.head[:3, :3].T + self.head[:3, 3]
        return self.positions + head_weights[:, None] * (turned - self.positions)


class PreviewMotion:
    """What a mesh does in a bake.

    Args:
        mesh: the character's that would be built.
        bake: a motion of it; a later one may take its place.

    Raises:
        AddonError: they do not belong together.
    """

    def __init__(self, mesh: Mesh, bake: Bake) -> None:
        self._mesh = mesh
        self._rest = np.ascontiguousarray(mesh.vertices, np.float32).reshape(-1)
        self._keys = np.ascontiguousarray(mesh.keys, np.float32).reshape(len(mesh.keys), -1)
        self._pivot = np.asarray(mesh.neck_pivot, np.float64)
        self.use(bake)

    @property
    def fps(self) -> float:
        return float(self._bake.fps)

    @property
    def frames(self) -> int:
        """How many the bake has."""
        return self._bake.frames

    def use(self, bake: Bake) -> None:
        """Takes another bake of the same mesh.

        Raises:
            AddonError: it is of another mesh.
        """
        if [str(name) for name in bake.key_names] != [str(name) for name in self._mesh.key_names] or not bake.frames:
            raise AddonError("The motion and the mesh do not belong together.", "Start the preview again.")
        self._bake = bake
        # A shape key's curve acts as far as its slider goes.
        self._low, self._high = np.asarray(bake.key_range, np.float32).T

    def pose(self, frame: float, amounts: Amounts) -> Pose:
        """The mesh at a frame of the bake, between two of them, or held at either end.

        Args:
            frame: from 0 on. amounts: as the built character would have them; smoothing is in the bake.
        """
        return Pose(self._expression(frame, amounts), self._head(frame, amounts))

    def key_values(self, frame: float, amounts: Amounts) -> np.ndarray:
        """The values (K,) of the shape keys: `Bake.key_values` of one moment, no further than their sliders."""
        bake = self._bake
        values = bake.rest_values + np.float32(amounts.lip) * self._at(bake.lip_values, frame)
        values += np.float32(amounts.head) * self._at(bake.expression_values, frame)
        values += np.minimum(np.float32(amounts.blink) * self._at(bake.blink_values, frame), 1.0)
        if bake.gaze_values is not None:
            values += np.minimum(np.float32(amounts.gaze) * self._at(bake.gaze_values, frame), 1.0)
        return np.clip(values, self._low, self._high)

    def _expression(self, frame: float, amounts: Amounts) -> np.ndarray:
        values = self.key_values(frame, amounts)
        moving = np.flatnonzero(values)
        return np.asarray(self._rest + values[moving] @ self._keys[moving]).reshape(-1, 3)

    def _head(self, frame: float, amounts: Amounts) -> np.ndarray:
        """Nod, turn, tilt and sway, each as much as the head's amount says."""
        rotation = amounts.head * self._at(self._bake.head_rotation, frame).astype(np.float64) * _TURN
        location = amounts.head * self._at(self._bake.head_location, frame).astype(np.float64) * _TURN
        matrix = np.eye(4)
        matrix[:3, :3] = _euler_matrix(rotation)
        step = location * float(self._mesh.image_size[1])
        matrix[:3, 3] = self._pivot - matrix[:3, :3] @ self._pivot + step
        return matrix

    def _at(self, values: np.ndarray, frame: float) -> np.ndarray:
        """A row of values (N, …), or what lies between two of them."""
        last = len(values) - 1
        frame = min(max(frame, 0.0), float(last))
        before = int(frame)
        share = np.float32(frame - before)
        if share < 1e-6:
            return np.asarray(values[before])
        return np.asarray(values[before] + share * (values[min(before + 1, last)] - values[before]))


def still(mesh: Mesh, fps: float) -> Bake:
    """A bake of one frame: the face as the portrait has it, which can be shown before anything is predicted."""
    count = len(mesh.key_names)
    return Bake(
        fps=fps,
        key_names=mesh.key_names,
        key_range=mesh.key_range,
        rest_values=np.zeros(count, np.float32),
        lip_values=np.zeros((1, count), np.float32),
        expression_values=np.zeros((1, count), np.float32),
        blink_values=np.zeros((1, count), np.float32),
        head_rotation=np.zeros((1, 3), np.float32),
        head_location=np.zeros((1, 3), np.float32),
        residual=np.zeros(1, np.float32),
    )


def _euler_matrix(angles: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) of angles (3,) rad about x, then y, then z, all of them fixed: Blender's order "XYZ"."""
    (sx, sy, sz), (cx, cy, cz) = np.sin(angles), np.cos(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)
