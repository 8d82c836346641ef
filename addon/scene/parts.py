"""The objects of a character, each known by a custom property: names change, and the pointers of a collection that is
overridden lead back to what it was linked from."""

from __future__ import annotations

import bpy

PART = "makeittalk_part"  # custom property of an object or a bone
RIG = "rig"
BODY = "body"
CAMERA = "camera"
PLANE = "plane"
ALL = (RIG, BODY, CAMERA, PLANE)
_TYPES = {RIG: "ARMATURE", BODY: "MESH", CAMERA: "CAMERA", PLANE: "MESH"}


def mark(item: bpy.types.Object | bpy.types.Bone, part: str) -> None:
    """Says what an object or a bone is."""
    item[PART] = part


def unmark(item: bpy.types.Object) -> None:
    """Makes an object one like any other."""
    if PART in item:
        del item[PART]


def find(character: bpy.types.Collection, part: str, known: bpy.types.Object | None) -> bpy.types.Object | None:
    """A part of a character, or None where somebody has deleted it.

    Args:
        character: its collection. part: which.
        known: what a pointer says, which counts for an object that was moved to another collection.
    """
    for objects in (character.objects, character.all_objects):
        found = [item for item in objects if _is(item, part)]
        if found:  # a copy that is no character of its own yet is the newer one
            return min(found, key=lambda item: item.session_uid)
    if known is not None and known.library == character.library and known.users_scene and known.type == _TYPES[part]:
        return known
    return None


def _is(item: bpy.types.Object, part: str) -> bool:
    """Whether an object is marked as a part and can be that: a file from elsewhere may mark anything."""
    return bool(item.get(PART) == part and item.type == _TYPES[part])


def copies(character: bpy.types.Collection, part: str) -> list[bpy.types.Object]:
    """The objects that are a part of this character by their mark, but are not that part: copies of it."""
    found = sorted((item for item in character.objects if _is(item, part)), key=lambda item: item.session_uid)
    return found[1:]
