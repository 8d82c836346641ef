"""The character's shape keys: Basis and the fixed, named set."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ...backend.makeittalk.exchange.formats import Mesh
from ..core.coordinates import offsets_to_blender, points_to_blender
from . import points

# In this order: a value keeps within its slider's range.
_SETTINGS = ("slider_min", "slider_max", "value", "mute", "interpolation", "vertex_group", "lock_shape")
_SAME_SHAPE = 0.3  # of a key's size: how far one may have been sculpted and still be taken for the same


@dataclass
class KeptKey:
    """A shape key: its name, where it puts the vertices (V, 3), what it is relative to, and its other settings."""

    name: str
    shape: np.ndarray
    relative: str
    settings: dict[str, Any]


def value_path(name: str) -> str:
    """The data path of a shape key's value."""
    return f'key_blocks["{bpy.utils.escape_identifier(name)}"].value'


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


def rewrite(body: bpy.types.Object, kept: list[KeptKey]) -> None:
    """Makes the shape keys of a mesh anew, whose vertices are others now; their datablock stays, with its animation.

    Args:
        body: the mesh object. kept: its keys, the Basis first, with their new shapes.
    """
    keys, active = body.data.shape_keys, body.active_shape_key_index
    with _kept_drivers(keys):
        _replace(body, kept)
    body.active_shape_key_index = active


def _replace(body: bpy.types.Object, kept: list[KeptKey]) -> None:
    keys = body.data.shape_keys
    for block in list(keys.key_blocks[1:]):
        body.shape_key_remove(block)
    # The datablock goes with its last key: the new Basis comes before the old one leaves.
    old = keys.key_blocks[0]
    basis = body.shape_key_add(name="Basis", from_mix=False)
    body.shape_key_remove(old)
    basis.name = kept[0].name
    for item in kept[1:]:
        block = body.shape_key_add(name=item.name, from_mix=False)
        block.data.foreach_set("co", np.ascontiguousarray(item.shape, np.float32).reshape(-1))
        for name, value in item.settings.items():
            setattr(block, name, value)
    for item in kept[1:]:
        if item.relative in keys.key_blocks:
            keys.key_blocks[item.name].relative_key = keys.key_blocks[item.relative]


@contextlib.contextmanager
def _kept_drivers(keys: bpy.types.Key) -> Iterator[None]:
    """Has shape keys that are removed and made again keep their drivers, which go with them."""
    data = keys.animation_data
    if data is None or not len(data.drivers):
        yield
        return
    holder = bpy.data.objects.new("Drivers", None)
    try:
        copies = holder.animation_data_create().drivers
        for curve in data.drivers:
            copies.from_existing(src_driver=curve)
        yield
        data = keys.animation_data or keys.animation_data_create()
        for curve in copies:
            there = data.drivers.find(curve.data_path, index=curve.array_index)
            if there is None:
                data.drivers.from_existing(src_driver=curve)
    finally:
        bpy.data.objects.remove(holder)


def kept_keys(keys: bpy.types.Key) -> list[KeptKey]:
    """What the shape keys of a mesh are, in their order."""
    found = []
    for block in keys.key_blocks:
        settings = {name: getattr(block, name) for name in _SETTINGS if hasattr(block, name)}
        relative = block.relative_key.name if block.relative_key is not None else ""
        found.append(KeptKey(block.name, points.read(block.data), relative, settings))
    return found


def current_names(keys: bpy.types.Key, names: list[str], mesh: Callable[[], Mesh]) -> dict[str, str]:
    """What the character's keys are called now: one that was renamed is known by its shape.

    Args:
        keys: the mesh's shape keys. names: of the character's keys, as they were made.
        mesh: what they were made from; asked for only where a name is gone.

    Returns:
        The present name of every key by its first one; those that somebody has deleted are left out.
    """
    found = {name: name for name in names if name in keys.key_blocks}
    gone = [name for name in names if name not in found]
    drivers = keys.animation_data.drivers if keys.animation_data is not None else ()
    driven = {curve.data_path for curve in drivers}  # of the eye target: they look as those that they copy
    free = [block for block in keys.key_blocks[1:] if block.name not in found and value_path(block.name) not in driven]
    if not gone or not free:
        return found
    arrays = mesh()
    made = dict(zip(map(str, arrays.key_names), offsets_to_blender(arrays.keys, arrays.image_size), strict=True))
    shapes = _offsets(keys, free)
    for name in gone:
        wanted = made.get(name)
        if wanted is None or wanted.shape != shapes.shape[1:]:
            continue
        apart = np.linalg.norm(shapes - wanted, axis=(1, 2)) / max(float(np.linalg.norm(wanted)), 1e-9)
        nearest = int(apart.argmin()) if len(apart) else -1
        if nearest >= 0 and apart[nearest] < _SAME_SHAPE:
            found[name] = free.pop(nearest).name
            shapes = np.delete(shapes, nearest, axis=0)
    return found


def _offsets(keys: bpy.types.Key, blocks: list[bpy.types.ShapeKey]) -> np.ndarray:
    """What some keys at value 1 move every vertex by (len(blocks), V, 3), Blender units."""
    shapes = np.empty((1 + len(blocks), len(keys.key_blocks[0].data) * 3), np.float32)
    for row, block in zip(shapes, [keys.key_blocks[0], *blocks], strict=True):
        block.data.foreach_get("co", row)
    return (shapes[1:] - shapes[0]).reshape(len(blocks), -1, 3)


def reach(keys: bpy.types.Key) -> dict[str, float]:
    """How far each shape key at value 1 moves the vertex that it moves most, in Blender units."""
    blocks = list(keys.key_blocks)
    distances = np.linalg.norm(_offsets(keys, blocks), axis=-1).max(axis=-1, initial=0.0)
    return {block.name: float(distance) for block, distance in zip(blocks, distances, strict=True)}
