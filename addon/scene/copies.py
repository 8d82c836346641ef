"""Copies of a character's objects, which become characters of their own."""

from __future__ import annotations

import contextlib

import bpy

from .. import compat
from . import layers, parts


def settle(scene: bpy.types.Scene) -> list[bpy.types.Collection]:
    """Gives every copied rig with its mesh a collection of its own that knows all that the original's knows.

    A copy of a mesh or a rig alone becomes an ordinary object, which goes on moving as it did.

    Returns:
        The new characters.
    """
    made = []
    for character in scene.collection.children_recursive:
        if not character.makeittalk.is_character or character.library is not None:
            continue
        for rig in parts.copies(character, parts.RIG):
            made += _adopt(scene, character, rig)
        for part in parts.ALL:
            for item in parts.copies(character, part):
                parts.unmark(item)
    return made


def separate(character: bpy.types.Collection) -> None:
    """Gives a copied character generated actions of its own, so that changing one changes no other."""
    settings = character.makeittalk
    keys = settings.body.data.shape_keys if settings.body is not None else None
    for owner in (settings.rig, keys):
        for layer in layers.layers(owner) if owner is not None else ():
            layers.own_action(layer)


def _adopt(scene: bpy.types.Scene, original: bpy.types.Collection, rig: bpy.types.Object) -> list[bpy.types.Collection]:
    body = next((item for item in parts.copies(original, parts.BODY) if item.parent == rig), None)
    if body is None:
        parts.unmark(rig)
        return []
    _unlink_data(original, rig, body)
    collection = bpy.data.collections.new(original.name)
    parent = next(
        item
        for item in (scene.collection, *scene.collection.children_recursive)
        if original.name in item.children and item.children[original.name] == original
    )
    parent.children.link(collection)
    camera = next(iter(parts.copies(original, parts.CAMERA)), None)
    followers = {rig, *rig.children_recursive} | ({camera} if camera is not None else set())
    for item in followers & set(original.objects):
        collection.objects.link(item)
        original.objects.unlink(item)
    _copy_settings(original.makeittalk, collection.makeittalk)
    settings = collection.makeittalk
    settings.rig, settings.body, settings.camera = rig, body, camera
    settings.plane = parts.find(collection, parts.PLANE, None)
    settings.photo_strip = ""
    serials = [item.makeittalk.serial for item in bpy.data.collections if item.makeittalk.is_character]
    settings.serial = 1 + max(serials)
    settings.is_character = True
    separate(collection)
    return [collection]


def _unlink_data(original: bpy.types.Collection, rig: bpy.types.Object, body: bpy.types.Object) -> None:
    """Gives linked duplicates (Alt-D) a mesh, bones and an action on top of their own."""
    first = original.makeittalk.rig, original.makeittalk.body
    if first[1] is None or body.data.shape_keys is None:
        return  # somebody has deleted what it was copied from
    if body.data == first[1].data:
        body.data = body.data.copy()
        owners = {first[0]: rig, first[1].data.shape_keys: body.data.shape_keys}
        animation = body.data.shape_keys.animation_data
        for curve in animation.drivers if animation is not None else ():
            for variable in curve.driver.variables:
                for target in variable.targets:
                    target.id = owners.get(target.id, target.id)
    if rig.data == first[0].data:
        rig.data = rig.data.copy()
    taken = {item.animation_data.action for item in (first[0], first[1].data.shape_keys) if item.animation_data}
    made: dict[bpy.types.Action, bpy.types.Action] = {}
    for owner in (rig, body.data.shape_keys):
        animation = owner.animation_data
        action = animation.action if animation is not None else None
        if action is None or action not in taken:
            continue
        slot = animation.action_slot.identifier if compat.SLOTTED_ACTIONS and animation.action_slot else None
        animation.action = made[action] = made.get(action) or action.copy()
        if slot is not None:
            animation.action_slot = animation.action.slots[slot]


def _copy_settings(source: bpy.types.PropertyGroup, target: bpy.types.PropertyGroup) -> None:
    """Everything that the file keeps, without acting on any of it."""
    for item in source.bl_rna.properties:
        name = item.identifier
        if not item.is_readonly and name not in _OWN and not name.endswith("_pointer"):
            with contextlib.suppress(TypeError):  # a choice that is none
                setattr(target, name, getattr(source, name))
    for spoken in source.speeches:
        made = target.speeches.add()
        for item in spoken.bl_rna.properties:
            if not item.is_readonly and item.identifier not in ("rna_type", "start", "markers"):
                setattr(made, item.identifier, getattr(spoken, item.identifier))
        made.place(spoken.placed)


# Of the copy itself; amounts lie on the rig, which was copied.
_OWN = {"rna_type", "name", "is_character", "serial", "show_photoreal", "weights"} | {
    *("lip", "head", "nod", "turn", "tilt", "sway", "blink", "gaze")
}
