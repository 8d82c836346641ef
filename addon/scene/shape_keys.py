"""The character's shape keys: Basis and the fixed, named set."""

from __future__ import annotations

import bpy
import numpy as np

from ...backend.makeittalk.exchange.formats import Mesh
from ..core.coordinates import offsets_to_blender, points_to_blender


def add_shape_keys(body: bpy.types.Object, arrays: Mesh) -> None:
    """Gives the mesh object its Basis and one key per name, with the slider ranges of the basis.

    The ranges come first: Blender clamps a key's F-curve to its slider's range.

    Args:
        body: the object of the mesh made from `arrays`.
        arrays: the mesh with `keys` (K, V, 3) px and `key_range` (K, 2).
    """
    rest = points_to_blender(arrays.vertices, arrays.image_size)
    body.shape_key_add(name="Basis", from_mix=False)
    shapes = (rest + offsets_to_blender(arrays.keys, arrays.image_size)).astype(np.float32)
    for name, shape, (low, high) in zip(arrays.key_names, shapes, arrays.key_range, strict=True):
        key = body.shape_key_add(name=str(name), from_mix=False)
        key.slider_min, key.slider_max = float(low), float(high)
        key.value = 0.0
        key.data.foreach_set("co", shape.reshape(-1))
    body.data.shape_keys.name = body.name
    body.active_shape_key_index = 0


def reach(keys: bpy.types.Key) -> dict[str, float]:
    """How far each shape key at value 1 moves the vertex that it moves most, in Blender units."""
    blocks = keys.key_blocks
    count = len(blocks[0].data) * 3
    shapes = np.empty((len(blocks), count), np.float32)
    for row, block in zip(shapes, blocks, strict=True):
        block.data.foreach_get("co", row)
    distances = np.linalg.norm((shapes - shapes[0]).reshape(len(blocks), -1, 3), axis=-1).max(axis=-1)
    return {block.name: float(distance) for block, distance in zip(blocks, distances, strict=True)}
