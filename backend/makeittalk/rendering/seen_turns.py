"""How far a character's head is seen to turn, and the share of its relief with which that is as far as was asked.

What a detector sees of a turn hangs on the portrait: on how much relief it saw in it, on where it looks, on how it is
lit or painted. So the portrait is turned, looked at again, and given as much relief as it takes.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ..exchange import formats
from ..landmarks.face_mesh import measure_face
from ..landmarks.pose import fit_rigid
from ..mesh.deform import deform
from ..mesh.depth_restore import DEFAULT_RELIEF, restore_depth
from .warp import Warper

_TURN = np.deg2rad(8.0)
_ROUNDS = 2
_ANSWER = 0.8  # by which the turn that is seen grows with the relief, as shares of both; measured: 0.6 to 1
_SHARES = (0.6, 1.5)  # of the relief: what lies beyond is the detector's mistake
_ENOUGH = 0.02  # of what was asked
_FACE = 260.0  # px of a face that is looked at
_LARGEST = 1024  # px of the picture that it is in


def fitting_relief(mesh: formats.Mesh, rgba: np.ndarray) -> tuple[float, float]:
    """The shares of its relief with which a portrait's head nods, and turns aside, as far as it is asked to.

    Args:
        mesh: the character's. rgba: (H, W, 4) uint8, its portrait.

    Returns:
        what `restore_depth` takes; its default where no face is detected.
    """
    if mesh.lost_depth is None:
        return DEFAULT_RELIEF
    shares = np.array(DEFAULT_RELIEF)
    turns = np.zeros((5, 3))  # the first is at rest
    turns[1:3, 0] = turns[3:5, 1] = -_TURN, _TURN
    moved = deform(mesh, np.zeros((len(turns), 68, 3)), turns, np.zeros(3))
    landmarks = mesh.vertices[mesh.landmark_vertices, :2]
    width, height = (int(side) for side in mesh.image_size)
    scale = min(1.0, _FACE / max(float(np.ptp(landmarks, axis=0).max()), 1.0), _LARGEST / max(width, height))
    size = (max(1, round(scale * width)), max(1, round(scale * height)))
    zoom = np.array(size) / (width, height)
    with Warper(mesh, rgba, size) as warper:

        def seen(vertices: np.ndarray) -> np.ndarray | None:
            frame = np.ascontiguousarray(warper.draw(vertices)[..., :3])
            return measure_face(frame, vertices[mesh.landmark_vertices, :2] * zoom)

        rest = seen(restore_depth(mesh, moved[:1])[0])
        if rest is None:
            return DEFAULT_RELIEF
        for _ in range(_ROUNDS):
            found = [seen(vertices) for vertices in restore_depth(mesh, moved[1:], tuple(shares))]
            faces = [face for face in found if face is not None]
            if len(faces) < len(found):
                return DEFAULT_RELIEF
            rotation = Rotation.from_matrix(fit_rigid(np.stack(faces), rest, scale=True)[0]).as_rotvec()
            turned = rotation[[0, 1, 2, 3], [0, 0, 1, 1]].reshape(2, 2)
            gain = (turned[:, 1] - turned[:, 0]) / (2 * _TURN)
            shares = np.clip(shares * (1.0 + (1.0 - gain) / _ANSWER), *_SHARES)
            if np.abs(gain - 1.0).max() < _ENOUGH:
                break
    return float(shares[0]), float(shares[1])
