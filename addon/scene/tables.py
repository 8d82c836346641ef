"""A character as it moves now, as a table of its shape keys and its head."""

from __future__ import annotations

import bpy
import numpy as np

from ...backend.makeittalk.exchange.formats.motion_table import MotionTable
from . import rig, shown
from .setup import frame_rate


def read(character: bpy.types.Collection, frames: tuple[int, int]) -> MotionTable:
    """What Blender shows of a character on its frames, constraints and keys of the animator's own included.

    Args:
        frames: the first and the last; those before frame 0, which no timecode has, are left out.

    Raises:
        AddonError: a shape key or the head is nowhere on one of them.
    """
    scene, settings = bpy.context.scene, character.makeittalk
    graph = bpy.context.evaluated_depsgraph_get()
    keys, bone = settings.body.data.shape_keys, rig.head_bone(settings.rig)
    names = [block.name for block in keys.key_blocks]
    first, last = max(0, frames[0]), max(0, frames[1])
    values = np.empty((last - first + 1, len(names)), np.float32)
    head = np.empty((len(values), 2, 3))
    for row, frame in enumerate(range(first, last + 1)):
        scene.frame_set(frame)
        keys.evaluated_get(graph).key_blocks.foreach_get("value", values[row])
        armature = settings.rig.evaluated_get(graph)
        posed = armature.pose.bones[bone]
        matrix = armature.convert_space(pose_bone=posed, matrix=posed.matrix, from_space="POSE", to_space="LOCAL")
        head[row] = matrix.to_euler("XYZ"), matrix.to_translation()
    shown.check_numbers(names, values, first)
    shown.check_numbers([bone] * 6, head.reshape(len(head), 6), first)
    head *= (1.0, -1.0, -1.0)  # the bone's axes to the portrait's: x right, y down, z away
    # The first key is the face that all others start from.
    return MotionTable(frame_rate(scene), names[1:], values[:, 1:], head[:, 0], head[:, 1], first)
