"""Small things of other people's, for a performance to be put on: armatures with a head, however it lies at rest."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import bpy
import numpy as np


@contextlib.contextmanager
def editing(item) -> Iterator[None]:
    """Edit Mode, for bones to be made."""
    layer = bpy.context.view_layer
    before = layer.objects.active
    layer.objects.active = item
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        yield item.data.edit_bones
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
        layer.objects.active = before


def armature(
    head: str = "head",
    mode: str = "QUATERNION",
    tail=(0.0, 0.1, 0.35),
    roll: float = 0.4,
    eyes=None,
    turned=(0.0, 0.0, 0.0),
):
    """An armature with a neck and a head's bone that is tilted and rolled; in its own space Z is up.

    Args:
        mode: the head's rotation mode. tail: where the head's bone goes from its head, roll: about itself.
        eyes: where a bone of an eye lies beside the head's, or None. turned: Euler angles of the object.
    """
    data = bpy.data.armatures.new("Body")
    item = bpy.data.objects.new("Body", data)
    bpy.context.scene.collection.objects.link(item)
    item.rotation_euler = turned
    with editing(item) as bones:
        neck = bones.new("neck")
        neck.head, neck.tail = (0.0, 0.0, 1.2), (0.0, 0.05, 1.4)
        bone = bones.new(head)
        bone.head, bone.tail = (0.0, 0.05, 1.4), np.add((0.0, 0.05, 1.4), tail)
        bone.parent, bone.roll = neck, roll
        if eyes is not None:
            eye = bones.new("eye.L")
            eye.head = np.add((0.0, 0.05, 1.4), eyes)
            eye.tail = eye.head + eye.head.normalized() * 0.05
            eye.parent = bone
    item.pose.bones[head].rotation_mode = mode
    bpy.context.view_layer.update()
    return item


def world_turns(item, bone: str, frames) -> np.ndarray:
    """(N, 3, 3): what a bone's pose does to what it carries, in the world."""
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        rest = item.matrix_world @ item.data.bones[bone].matrix_local
        posed = item.matrix_world @ item.pose.bones[bone].matrix
        found.append(np.array(posed.to_3x3() @ rest.to_3x3().inverted()))
    return np.array(found)


def mouths(names=tuple("ABCDEFGHX"), frames=(1,)):
    """A Grease Pencil object with a layer a name, each with drawings on some frames."""
    kind = "grease_pencils_v3" if hasattr(bpy.data, "grease_pencils_v3") else "grease_pencils"
    data = getattr(bpy.data, kind).new("Mouth")
    item = bpy.data.objects.new("Mouth", data)
    bpy.context.scene.collection.objects.link(item)
    for name in names:
        layer = data.layers.new(name)
        for frame in frames:
            layer.frames.new(frame)
    return item
