"""A finished character with another face in place: its mesh is rewritten, and whatever was done with it stays.

The same objects, bones, materials and shape-key datablock go on, with the animator's action, the NLA and the drivers on
them. Keys and weights of the user's own are carried over to the new vertices.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy

from ...backend.makeittalk.exchange.constants import GAZE_KEYS
from ...backend.makeittalk.exchange.formats import Bake, Face, Mesh
from ..core import payload, placed_face
from ..core.coordinates import offsets_to_blender, points_to_blender
from ..core.errors import AddonError
from . import bakes, gaze, layers, materials, mesh, performance, rig, shape_keys, textures
from .vertex_transfer import VertexTransfer

_MOUTH, _EYES, _IRISES = 1, 2, 3  # material slots


@dataclass
class Reshaped:
    """What the backend made for a corrected face: files, one motion and one bake for each of the speeches."""

    face: Path
    mesh: Path
    motions: list[Path]
    bakes: list[Path]


def check(character: bpy.types.Collection) -> None:
    """Sees to it that a character's mesh can be rewritten.

    Raises:
        AddonError: it is in another file, or the rig cannot be edited now.
    """
    settings = character.makeittalk
    parts = [item for item in (settings.rig, settings.body) if item is not None]
    if any(item.library is not None or layers.is_override(item) for part in parts for item in (part, part.data)):
        raise AddonError(f"The mesh of {character.name} is linked from another file.", "Edit its landmarks there.")
    bakes.keys_of(character)
    rig.head_bone(settings.rig)
    if not settings.rig.visible_get():
        raise AddonError(f"{settings.rig.name} is hidden, so that its bones cannot be moved.", "Show it.")


def reshape(character: bpy.types.Collection, made: Reshaped) -> None:
    """Gives a character a corrected face and bakes its speeches onto it.

    Raises:
        MakeItTalkError: a file is damaged or of another character; nothing was changed.
    """
    check(character)
    settings = character.makeittalk
    arrays, face, before = Mesh.load(made.mesh), Face.load(made.face), bakes.mesh_of(character)
    names = [str(name) for name in before.key_names]
    baked = [Bake.load(path) for path in made.bakes]
    if any([str(name) for name in item.key_names] != names for item in (arrays, *baked)):
        raise AddonError(f"The face is of another character than {character.name}.", "Press Apply again.")
    if len(settings.speeches) != len(baked) or len(baked) != len(made.motions):
        raise AddonError(f"The speeches of {character.name} changed meanwhile.", "Press Apply again.")
    kept_mesh, motions = payload.pack(made.mesh), [payload.pack(path) for path in made.motions]

    body, keys = settings.body, bakes.keys_of(character)
    transfer = VertexTransfer.between(before, arrays, len(body.data.vertices))
    current = shape_keys.current_names(keys, names, lambda: before)
    shapes = _shapes(keys, arrays, {now: first for first, now in current.items()}, transfer)
    bones = {rig.head_bone(settings.rig): arrays.head_weights}
    parent = settings.rig.data.bones[rig.head_bone(settings.rig)].parent
    if parent is not None:
        bones[parent.name] = 1.0 - arrays.head_weights
    weights = {
        group.name: bones[group.name] if group.name in bones else transfer.weights(body, group)
        for group in body.vertex_groups
    }

    rig.rewrite(settings.rig, arrays)
    mesh.rewrite(body.data, arrays)
    shape_keys.rewrite(body, shapes)
    body.vertex_groups.clear()  # some versions of Blender have taken them away with the vertices
    for name, share in weights.items():
        rig.weigh(body.vertex_groups.new(name=name), share)
    _dress(character, arrays)
    gaze.rewrite(character, arrays)
    settings.mesh_data, settings.landmarks, settings.placed = kept_mesh, placed_face.to_text(face), True
    settings.face_width = arrays.face_width
    for spoken, motion, path in zip(settings.speeches, motions, made.bakes, strict=True):
        spoken.motion_data = motion
        performance.write(character, path, spoken)
    performance.apply_amounts(character)


def _shapes(
    keys: bpy.types.Key, arrays: Mesh, made_as: dict[str, str], transfer: VertexTransfer
) -> list[shape_keys.KeptKey]:
    """The shape keys as they are, with shapes for the new vertices.

    Args:
        made_as: the first name of each of the character's keys by its present one.
    """
    kept = shape_keys.kept_keys(keys)
    before = {item.name: item.shape for item in kept}
    rest = points_to_blender(arrays.vertices, arrays.image_size)
    moves = dict(zip(map(str, arrays.key_names), offsets_to_blender(arrays.keys, arrays.image_size), strict=True))
    moves |= {gaze.target_key(name): moves[name] for name in GAZE_KEYS if name in moves}
    known = {**made_as, **{gaze.target_key(name): gaze.target_key(name) for name in GAZE_KEYS}}
    basis = before[kept[0].name]
    for item in kept:
        move = moves.get(known.get(item.name, ""))
        item.shape = rest + (transfer.offsets(before[item.name] - basis) if move is None else move)
    kept[0].shape = rest
    return kept


def _dress(character: bpy.types.Collection, arrays: Mesh) -> None:
    """Gives mouth and eyes their new pictures; materials of the user's own, without a picture, are left alone."""
    data, name = character.makeittalk.body.data, character.name
    if len(data.materials) > _MOUTH:
        _show(data, _MOUTH, textures.array_image(f"{name} Mouth", arrays.mouth_image))
    if arrays.eye_image is None:
        return
    eyes = textures.array_image(f"{name} Eyes", arrays.eye_image)
    for slot, part in ((_EYES, "Eyes"), (_IRISES, "Irises")):
        if len(data.materials) == slot:
            data.materials.append(materials.picture_material(f"{name} {part}", eyes, slot == _IRISES))
            materials.set_lit(data.materials[slot], character.makeittalk.lit)
        else:
            _show(data, slot, eyes)
    if not eyes.users:
        bpy.data.images.remove(eyes)


def _show(data: bpy.types.Mesh, slot: int, image: bpy.types.Image) -> None:
    """Has the material of a slot show another picture."""
    material = materials.own(data, slot) if slot < len(data.materials) else None
    nodes = material.node_tree.nodes if material is not None and material.node_tree is not None else ()
    node = next((item for item in nodes if item.type == "TEX_IMAGE" and item.image is not None), None)
    if node is None:
        return
    old, node.image = node.image, image
    if not old.users:
        name = old.name
        bpy.data.images.remove(old)
        image.name = name
