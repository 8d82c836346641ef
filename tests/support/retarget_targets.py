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


def mouth_modifiers(item):
    """The modifiers of a Grease Pencil object, before Blender 4.3 and since."""
    return item.grease_pencil_modifiers if item.type == "GPENCIL" else item.modifiers


def face_bones(turned=(0.0, 0.0, 0.0)):
    """An armature with the bones of Rigify's face: a jaw that carries the lower lip, lips, brows and lids."""
    data = bpy.data.armatures.new("Face")
    item = bpy.data.objects.new("Face", data)
    bpy.context.scene.collection.objects.link(item)
    item.rotation_euler = turned
    with editing(item) as bones:

        def add(name: str, at, parent: str = "head", to=(0.0, 0.0, 0.01), roll: float = 0.3) -> None:
            bone = bones.new(name)
            bone.head, bone.tail, bone.roll = at, np.add(at, to), roll
            bone.parent = bones.get(parent)

        add("head", (0.0, 0.0, 1.5), to=(0.0, 0.0, 0.25), roll=0.0)
        add("jaw_master", (0.0, -0.02, 1.53), to=(0.0, -0.09, -0.05), roll=0.2)
        for name, x in (("", 0.0), (".L", 0.012), (".L.001", 0.021), (".R", -0.012), (".R.001", -0.021)):
            add(f"lip.T{name}", (x, -0.11, 1.527))
            add(f"lip.B{name}", (x, -0.11, 1.523), "jaw_master")
        add("lips.L", (0.03, -0.10, 1.525))
        add("lips.R", (-0.03, -0.10, 1.525))
        for side, sign in (("L", 1.0), ("R", -1.0)):
            for number, x in enumerate((0.06, 0.045, 0.03, 0.015)):  # from the temple inwards, as Rigify counts
                tail = f".{number:03}" if number else ""
                add(f"brow.T.{side}{tail}", (sign * x, -0.10, 1.62))
                add(f"lid.T.{side}{tail}", (sign * (x - 0.002), -0.09, 1.60 + (0.0 if number in (0, 3) else 0.006)))
                add(f"lid.B.{side}{tail}", (sign * (x - 0.002), -0.09, 1.60 - (0.0 if number in (0, 3) else 0.006)))
    bpy.context.view_layer.update()
    return item
