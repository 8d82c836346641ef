"""A camera that frames the portrait pixel for pixel."""

from __future__ import annotations

import math

import bpy
import numpy as np
from mathutils import Euler, Matrix, Vector

MAX_SIDE = 4096  # px of a render that is suggested by itself
_DISTANCE = 4.0  # portrait heights


def resolution(size: np.ndarray) -> tuple[int, int]:
    """The render size for a portrait: its own, or an even-sized part of it, at most `MAX_SIDE` a side.

    H.264 knows no odd sizes, so an odd column or row is left out.
    """
    width, height = int(size[0]), int(size[1])
    scale = min(1.0, MAX_SIDE / max(width, height))
    return max(2, int(width * scale) // 2 * 2), max(2, int(height * scale) // 2 * 2)


def new_camera(
    name: str, size: np.ndarray, root: bpy.types.Object, collection: bpy.types.Collection
) -> bpy.types.Object:
    """Makes an orthographic camera before the portrait at rest; at `resolution(size)` a render's pixel is a portrait's.

    Args:
        name: name of the object and its data.
        size: (2,) px of the portrait.
        root: the character's armature; the camera is placed before it, and stays when the character is moved.
        collection: where it is linked.
    """
    width, height = int(size[0]), int(size[1])
    across, up = resolution(size)
    pixels = max(1.0, max(width, height) / MAX_SIDE)  # portrait pixels a rendered pixel
    data = bpy.data.cameras.new(name)
    data.type = "ORTHO"
    data.ortho_scale = max(across, up) * pixels / height
    data.clip_start, data.clip_end = 0.01, 2.0 * _DISTANCE
    camera = bpy.data.objects.new(name, data)
    # What an even size leaves out lies at the right and at the bottom.
    middle = ((across * pixels - width) / 2 / height, -_DISTANCE, (height - up * pixels) / 2 / height)
    # Where the character was moved and turned to; a camera is never scaled, so its picture is.
    _place, rotation, scale = root.matrix_world.decompose()
    camera.matrix_world = Matrix.LocRotScale(
        root.matrix_world @ Vector(middle), rotation @ Euler((math.pi / 2, 0.0, 0.0)).to_quaternion(), None
    )
    data.ortho_scale *= scale.z
    data.clip_end *= max(1.0, scale.y)
    collection.objects.link(camera)
    return camera
