"""Which way a head's bone faces, and a head's turns as the channels of a bone. No bpy here.

A face's own axes: X to the viewer's right, Y away from the viewer, Z up: the way a face that looks at the viewer stands
in Blender. What a head does is said in them, whatever bone carries it and however that bone lies at rest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

#: The names that head bones have, the likeliest first: of Rigify, MPFB, Mixamo, VRoid, Unreal, Daz, older rigs.
_NAMES = (
    *("head", "def-head", "head_fk", "mixamorig:head", "j_bip_c_head", "spine.006", "def-spine.006", "org-spine.006"),
    *("bip001 head", "bip01 head", "c_head.x", "head.x", "headx", "cc_base_head", "b_head", "neck.head", "skull"),
)
#: A bone's own axes by the names that a user chooses from.
AXES = {
    **{name: np.eye(3)[index] for index, name in enumerate(("X", "Y", "Z"))},
    **{f"-{name}": -np.eye(3)[index] for index, name in enumerate(("X", "Y", "Z"))},
}
QUATERNION, AXIS_ANGLE = "QUATERNION", "AXIS_ANGLE"
_SMALL = 1e-9


def guess_bone(names: Sequence[str]) -> str:
    """The likeliest name of the bone that carries the head; empty where none looks like one."""
    lowered = {name.lower(): name for name in reversed(names)}
    for name in _NAMES:
        if name in lowered:
            return lowered[name]
    words = [
        name for name in names if "head" in re.split(r"[^a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())
    ]
    return min(words, key=len, default="")


def guess_facing(forward: np.ndarray | None) -> np.ndarray:
    """The axes of a head that stands upright in the world.

    Args:
        forward: (3,) where the face looks, as its eyes, jaw or feet tell; None where nothing tells: Blender's −Y.

    Returns:
        (3, 3), a column an axis of the face, in the world. It looks along one of the world's horizontal axes.
    """
    ahead = np.array([0.0, -1.0, 0.0])
    if forward is not None and np.hypot(forward[0], forward[1]) > _SMALL:
        axis = int(np.argmax(np.abs(forward[:2])))
        ahead = np.zeros(3)
        ahead[axis] = np.sign(forward[axis])
    return facing(ahead, np.array([0.0, 0.0, 1.0]))


def facing(forward: np.ndarray, up: np.ndarray) -> np.ndarray:
    """The axes of a face, (3, 3) in columns, that looks along `forward` with `up` above it.

    Raises:
        ValueError: both are one line.
    """
    right = np.cross(up, forward)  # of the viewer, whom it looks at
    size = np.linalg.norm(right)
    if size < 1e-6:
        raise ValueError("forward and up are one line")
    right = right / size
    back = -np.asarray(forward, float) / np.linalg.norm(forward)
    return np.stack([right, back, np.cross(right, back)], axis=-1)


def turned_bone(turns: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """A head's turns as those of a bone that carries it.

    Args:
        turns: (N, 3, 3) rotations in the face's own axes. axes: (3, 3), a column an axis of the face, in the bone's.

    Returns:
        (N, 3, 3), in the bone's own axes: what its rotation channels say.
    """
    return np.asarray(axes @ turns @ axes.T)


def scaled(turns: np.ndarray, gain: float) -> np.ndarray:
    """Rotations (N, 3, 3) by `gain` times their angle."""
    if gain == 1.0:
        return turns
    return matrices(vectors(turns) * gain)


def vectors(turns: np.ndarray) -> np.ndarray:
    """Rotations (N, 3, 3) as vectors (N, 3): the axis, as long as the angle in radians."""
    found = quaternions(turns)
    found = np.where(found[:, :1] < 0.0, -found, found)
    sine = np.linalg.norm(found[:, 1:], axis=1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, found[:, :1])
    return np.where(sine > _SMALL, found[:, 1:] / np.maximum(sine, _SMALL) * angle, 2.0 * found[:, 1:])


def matrices(found: np.ndarray) -> np.ndarray:
    """Vectors (N, 3), as `vectors` gives them, as rotations (N, 3, 3): Rodrigues' formula."""
    angle = np.linalg.norm(found, axis=1)[:, None, None]
    x, y, z = (found / np.maximum(angle[:, 0], _SMALL)).T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(-1, 3, 3)
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross)


def quaternions(turns: np.ndarray) -> np.ndarray:
    """Rotations (N, 3, 3) as w, x, y, z (N, 4), each on the side of the one before it, the first with w ≥ 0."""
    trace = np.trace(turns, axis1=1, axis2=2)
    diagonal = np.diagonal(turns, axis1=1, axis2=2)
    # The largest of the four parts is found without loss; the others follow from it (Shepperd 1978).
    squares = np.concatenate([trace[:, None], 2.0 * diagonal - trace[:, None]], axis=1) + 1.0
    largest = squares.argmax(axis=1)
    products = np.empty((len(turns), 4, 4))
    products[:, range(4), range(4)] = squares
    for (a, b), value in (
        ((0, 1), turns[:, 2, 1] - turns[:, 1, 2]),
        ((0, 2), turns[:, 0, 2] - turns[:, 2, 0]),
        ((0, 3), turns[:, 1, 0] - turns[:, 0, 1]),
        ((1, 2), turns[:, 1, 0] + turns[:, 0, 1]),
        ((1, 3), turns[:, 0, 2] + turns[:, 2, 0]),
        ((2, 3), turns[:, 2, 1] + turns[:, 1, 2]),
    ):
        products[:, a, b] = products[:, b, a] = value
    found = products[np.arange(len(turns)), largest]
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    if len(found) and found[0, 0] < 0.0:
        found[0] *= -1.0
    turned = np.sign((found[1:] * found[:-1]).sum(axis=1))
    found[1:] *= np.cumprod(np.where(turned == 0.0, 1.0, turned))[:, None]
    return found


def eulers(turns: np.ndarray, order: str) -> np.ndarray:
    """Rotations (N, 3, 3) as angles about X, Y and Z (N, 3), radians, without leaps of whole turns.

    Args:
        order: Blender's name, such as "XYZ": the first letter turns first.

    Source: `mat3_normalized_to_eulo2` of Blender's math_rotation.c.
    """
    i, j, k = ("XYZ".index(letter) for letter in order)
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    level = np.hypot(turns[:, i, i], turns[:, j, i])
    first = np.arctan2(turns[:, k, j], turns[:, k, k])
    second = np.arctan2(-turns[:, k, i], level)
    third = np.arctan2(turns[:, j, i], turns[:, i, i])
    locked = level < 1e-7  # where two axes are one, all of the turn is the first's
    first = np.where(locked, np.arctan2(-turns[:, j, k], turns[:, j, j]), first)
    third = np.where(locked, 0.0, third)
    found = np.empty((len(turns), 3))
    found[:, i], found[:, j], found[:, k] = sign * first, sign * second, sign * third
    return np.unwrap(found, axis=0)


def channels(turns: np.ndarray, mode: str) -> tuple[str, np.ndarray]:
    """Rotations (N, 3, 3) as what a bone of a rotation mode has: the property's name and its values (N, 3 or 4)."""
    if mode == QUATERNION:
        return "rotation_quaternion", quaternions(turns)
    if mode == AXIS_ANGLE:
        found = vectors(turns)
        angle = np.linalg.norm(found, axis=1, keepdims=True)
        axis = np.where(angle > _SMALL, found / np.maximum(angle, _SMALL), [0.0, 1.0, 0.0])
        return "rotation_axis_angle", np.concatenate([angle, axis], axis=1)
    return "rotation_euler", eulers(turns, mode)
