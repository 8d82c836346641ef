"""What a bake moves: its parts as channels of the rig and of the shape keys, and the layers that hold them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import bpy
import numpy as np

from ...backend.makeittalk.exchange import temporary
from ...backend.makeittalk.exchange.formats import Bake, Mesh
from ..core import payload
from ..core.errors import AddonError
from . import layers, rig, shape_keys
from .actions import Channel
from .layers import Part

_Arrays = TypeVar("_Arrays", Bake, Mesh)
MOST_VERTICES = 2**16  # of a character's mesh: fifty times those of a large one
_PIXEL_TOLERANCE = 0.1  # px at 256 px face width: what leaving keys out may cost one shape key or head channel


@dataclass
class Share:
    """What one part of a bake moves.

    Attributes:
        owner: the rig or the mesh's shape keys. part: which. channels: at amount 1, all of one length.
    """

    owner: bpy.types.ID
    part: Part
    channels: list[Channel]


def owners_of(character: bpy.types.Collection) -> tuple[bpy.types.Object, bpy.types.Key]:
    """What moves: the rig and the mesh's shape keys.

    Raises:
        AddonError: one of them has gone.
    """
    return character.makeittalk.rig, keys_of(character)


def keys_of(character: bpy.types.Collection) -> bpy.types.Key:
    settings = character.makeittalk
    body = settings.body
    if body is not None and body.override_library is not None and body.data.library is not None:
        body.data.override_create(remap_local_usages=True)  # shape keys belong to the mesh
    keys = body.data.shape_keys if body is not None else None
    if keys is None or settings.rig is None:
        raise AddonError(f"{character.name} has lost its mesh or its rig.", "Undo that, or run Make It Talk again.")
    if len(body.data.vertices) > MOST_VERTICES:
        raise AddonError(f"The mesh of {character.name} is no longer the one it was made with.", "Undo that.")
    return keys


def mesh_of(character: bpy.types.Collection) -> Mesh:
    """What the character's mesh was made from."""
    return _unpacked(Mesh, character.makeittalk.mesh_data)


def baked(speech: bpy.types.PropertyGroup) -> Bake | None:
    """The bake that the generated layers of a speech were written from, or None where the file keeps none."""
    text = speech.bake_data
    return _unpacked(Bake, text) if text else None


@functools.lru_cache(maxsize=4)
def _unpacked(kind: type[_Arrays], text: str) -> _Arrays:
    with temporary.folder() as folder:
        path = folder / "kept.npz"
        payload.unpack(text, path)
        return kind.load(path)


def shares(character: bpy.types.Collection, bake: Bake) -> Iterator[Share]:
    """The parts of a bake, at amount 1."""
    root, keys = owners_of(character)
    allowance = _allowance(character.makeittalk)
    # A key at value 1 moves some vertex the furthest; its tolerance is the value that moves it by the allowance.
    reach = shape_keys.reach(keys)
    first_names = [str(name) for name in bake.key_names]
    names = shape_keys.current_names(keys, first_names, lambda: mesh_of(character))
    parts = (
        (layers.REST, bake.rest_values[None]),
        (layers.LIPS, bake.lip_values),
        (layers.EXPRESSION, bake.expression_values),
        (layers.BLINKS, bake.blink_values),
        (layers.GAZE, np.zeros_like(bake.blink_values) if bake.gaze_values is None else bake.gaze_values),
    )
    for part, values in parts:
        channels = [
            Channel(
                shape_keys.value_path(name),
                0,
                values[:, column],
                allowance / max(reach[name], 1e-6),
            )
            for column, name in enumerate(map(names.get, first_names))
            if name is not None and values[:, column].any()
        ]
        if channels:
            yield Share(keys, part, channels)
    head, radian = rig.head_bone(root), allowance / _lever(root)
    turns = [
        Channel(rig.head_path("rotation_euler", head), axis, bake.head_rotation[:, axis], radian) for axis in range(3)
    ]
    for part, channel in zip((layers.NOD, layers.TURN, layers.TILT), turns, strict=True):
        yield Share(root, part, [channel])
    moves = [
        Channel(rig.head_path("location", head), axis, bake.head_location[:, axis], allowance) for axis in range(3)
    ]
    yield Share(root, layers.SWAY, moves)


def layer_of(owner: bpy.types.ID, part: Part, speech: bpy.types.PropertyGroup | None = None) -> layers.Layer | None:
    """The layer of a part, of a speech where it is one's."""
    identities = ("",) if speech is None or part == layers.REST else (speech.uid,)
    found = (layer for layer in layers.layers(owner) if layer.part == part.name and layer.speech in identities)
    return next(found, None)


def tolerances(character: bpy.types.Collection) -> dict[str, float]:
    """What leaving keys out may cost each shape key and each channel of the head: identifier → in the value's unit."""
    settings = character.makeittalk
    root, keys = owners_of(character)
    allowance, head = _allowance(settings), rig.head_bone(root)
    found = {
        f"{shape_keys.value_path(name)}[0]": allowance / max(distance, 1e-6)
        for name, distance in shape_keys.reach(keys).items()
    }
    for axis in range(3):
        found[f"{rig.head_path('location', head)}[{axis}]"] = allowance
        found[f"{rig.head_path('rotation_euler', head)}[{axis}]"] = allowance / _lever(root)
    return found


def _allowance(settings: bpy.types.PropertyGroup) -> float:
    """What leaving keys out may move anything by, Blender units."""
    if not (settings.face_width > 0.0 and settings.image_size[1] > 0):
        raise AddonError(f"{settings.id_data.name} does not know its portrait's size.", "Run Make It Talk again.")
    return _PIXEL_TOLERANCE * settings.face_width / 256.0 / settings.image_size[1]


def _lever(root: bpy.types.Object) -> float:
    """What a radian of the head moves at the top of the face."""
    return root.data.bones[rig.head_bone(root)].length
