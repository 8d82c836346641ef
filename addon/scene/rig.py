"""The head rig: an armature whose `head` bone carries the predicted motion of the head."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import bpy
import numpy as np

from ...backend.makeittalk.exchange.formats import Mesh
from ..core.coordinates import points_to_blender
from ..core.errors import AddonError
from . import parts

HEAD = "head"
ROOT = "root"
_MODIFIER = "Head"


def new_rig(name: str, arrays: Mesh, collection: bpy.types.Collection) -> bpy.types.Object:
    """Makes the armature: a `root` bone that stays and a `head` bone at the neck pivot.

    Both stand along +Z with roll 0, so that the head bone's channels are the design's: `rotation_euler`
    (rx, −ry, −rz) and `location` (tx, −ty, −tz) / image height. The root takes what the head does not: Blender
    normalises a vertex's weights, and a vertex that half follows the head needs another bone to hold its other half.

    Args:
        name: name of the object and of its armature.
        arrays: the mesh with its `neck_pivot`, px.
        collection: where the object is linked; it must be in the scene.
    """
    armature = bpy.data.armatures.new(name)
    armature.display_type = "STICK"
    rig = bpy.data.objects.new(name, armature)
    rig.show_in_front = True
    collection.objects.link(rig)

    with edit_bones(rig) as bones:
        root, head = bones.new(ROOT), bones.new(HEAD)
        _stand(root, head, arrays)
        head.parent = root
        head.use_connect = False  # a connected bone has no location of its own
    for bone in rig.pose.bones:
        bone.rotation_mode = "XYZ"
    parts.mark(armature.bones[HEAD], HEAD)
    armature.bones[ROOT].hide = True  # it only holds what the head leaves; nobody needs to see it
    return rig


def rewrite(rig: bpy.types.Object, arrays: Mesh) -> None:
    """Puts the bones of a rig where those of another mesh of the same portrait are; their animation stays.

    Raises:
        AddonError: the head's bone was deleted.
    """
    name = head_bone(rig)
    with edit_bones(rig) as bones:
        head = bones[name]
        _stand(head.parent, head, arrays)


@contextlib.contextmanager
def edit_bones(rig: bpy.types.Object) -> Iterator[bpy.types.ArmatureEditBones]:
    """The bones of a rig as they are made and moved: in Edit Mode, which belongs to the view layer's active object."""
    layer = bpy.context.view_layer
    before = layer.objects.active
    layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        yield rig.data.edit_bones
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
        layer.objects.active = before


def _stand(root: bpy.types.EditBone | None, head: bpy.types.EditBone, arrays: Mesh) -> None:
    """Puts the head's bone on the neck, as long as the face above it, and the root's behind it."""
    pivot = points_to_blender(arrays.neck_pivot, arrays.image_size)
    top = points_to_blender(arrays.vertices[arrays.landmark_vertices], arrays.image_size)[:, 2].max()
    length = max(0.05, float(top - pivot[2]))
    if root is not None:
        # Behind the pivot: FBX's importer takes a bone at the end of its parent for one that cannot move away from it.
        behind = pivot[1] + 0.1 * length
        root.head = (pivot[0], behind, pivot[2] - 0.3 * length)
        root.tail = (pivot[0], behind, pivot[2])
        root.roll = 0.0
    head.head = tuple(pivot)
    head.tail = (pivot[0], pivot[1], pivot[2] + length)
    head.roll = 0.0


def attach(body: bpy.types.Object, rig: bpy.types.Object, weights: np.ndarray) -> None:
    """Lets the mesh follow the rig: vertex weight w on `head`, 1 − w on `root`, an Armature modifier, a parent.

    Args:
        body: the mesh object. rig: the armature object.
        weights: (V,) 0–1, how far each vertex follows the head.
    """
    body.parent = rig
    for bone, share in ((HEAD, weights), (ROOT, 1.0 - weights)):
        weigh(body.vertex_groups.new(name=bone), share)
    modifier = body.modifiers.new(_MODIFIER, "ARMATURE")
    modifier.object = rig


def weigh(group: bpy.types.VertexGroup, share: np.ndarray) -> None:
    """Gives every vertex its weight (V,) in a group; those of 0 are left out of it."""
    values, which = np.unique(np.asarray(share, np.float32), return_inverse=True)
    order = np.argsort(which, kind="stable")
    starts = np.searchsorted(which[order], np.arange(len(values) + 1))
    for number, value in enumerate(values):
        if value > 0.0:
            group.add(order[starts[number] : starts[number + 1]].tolist(), float(value), "REPLACE")


def head_bone(rig: bpy.types.Object) -> str:
    """What the bone that carries the head's motion is called now.

    Raises:
        AddonError: it was deleted.
    """
    bones = rig.data.bones
    found = next((bone.name for bone in bones if bone.get(parts.PART) == HEAD), HEAD if HEAD in bones else "")
    if not found:
        raise AddonError(f"{rig.name} has lost its bone {HEAD}.", "Undo that, or run Make It Talk again.")
    return found


def head_path(channel: str, bone: str = HEAD) -> str:
    """The F-curve path of the head bone's `location` or `rotation_euler`."""
    return f'pose.bones["{bpy.utils.escape_identifier(bone)}"].{channel}'
