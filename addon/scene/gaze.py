"""The eye target: a bone before the face that the irises follow, added to what they do by themselves.

Drivers turn its place into values of shape keys of their own, `targetInLeft` and so on: a driver on the `eyeLook` keys
would silence their curves. Their expressions are so simple that Blender computes them without Python, so that they run
in files whose scripts are not trusted, and the amount is a property of the bone, so that they run without the add-on.
"""

from __future__ import annotations

import bpy
import numpy as np

from ...backend.makeittalk.exchange.constants import GAZE_KEYS
from ...backend.makeittalk.exchange.formats import Mesh
from ..core.coordinates import points_to_blender
from . import parts, rig, shape_keys

TARGET = "eye_target"
FOLLOW = "Follow Target"  # custom property of the bone, 0–1
_EYES = slice(36, 48)  # landmarks
_DISTANCE = 2.0  # face widths before the eyes
_LENGTH = 0.12  # face widths
#: The bone's channel that each way of looking follows, and its sign; its Y is up.
_WAYS = {"Up": ("LOC_Y", 1.0), "Down": ("LOC_Y", -1.0)}
_SIDEWAYS = {"InLeft": -1.0, "OutLeft": 1.0, "InRight": 1.0, "OutRight": -1.0}


def add_target(root: bpy.types.Object, body: bpy.types.Object, arrays: Mesh) -> None:
    """Gives a character its eye target, where it has an iris to turn.

    Args:
        root: the rig. body: the mesh object with its shape keys. arrays: the mesh, px.
    """
    if arrays.gaze_reach is None:
        return
    height = float(arrays.image_size[1])
    width = arrays.face_width / height
    middle = points_to_blender(arrays.vertices[arrays.landmark_vertices[_EYES]].mean(axis=0), arrays.image_size)
    distance = _DISTANCE * width
    _add_bone(root, middle - (0.0, distance, 0.0), _LENGTH * width)
    parts.mark(root.data.bones[TARGET], TARGET)
    bone = root.pose.bones[TARGET]
    bone.rotation_mode = "XYZ"
    bone.lock_rotation = bone.lock_scale = (True, True, True)
    bone[FOLLOW] = 1.0
    bone.id_properties_ui(FOLLOW).update(min=0.0, max=1.0, description="How far the eyes follow this bone")
    keys = body.data.shape_keys
    for name, reach in zip(GAZE_KEYS, arrays.gaze_reach, strict=True):
        if name in keys.key_blocks and reach > 0:
            _drive(root, body, name, distance, float(np.tan(reach)))


def target(character: bpy.types.Collection) -> bpy.types.PoseBone | None:
    """The bone that a character's eyes follow; None where it has none."""
    root = character.makeittalk.rig
    bones = root.data.bones if root is not None else ()
    name = next((bone.name for bone in bones if bone.get(parts.PART) == TARGET), None)
    bone = root.pose.bones.get(name) if root is not None and name is not None else None
    return bone if bone is not None and FOLLOW in bone else None


def _add_bone(root: bpy.types.Object, place: np.ndarray, length: float) -> None:
    layer = bpy.context.view_layer
    before = layer.objects.active
    layer.objects.active = root
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        bone = root.data.edit_bones.new(TARGET)
        bone.head = tuple(place)
        bone.tail = (place[0], place[1], place[2] + length)
        bone.roll = 0.0
        bone.parent = root.data.edit_bones[rig.ROOT]  # it stays where it is while the head moves
        bone.use_connect = bone.use_deform = False
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
        layer.objects.active = before


def _drive(root: bpy.types.Object, body: bpy.types.Object, name: str, distance: float, reach: float) -> None:
    """Adds a copy of a key of the gaze, at 1 where the target is seen under a slope of `reach`."""
    keys = body.data.shape_keys
    source = keys.key_blocks[name]
    key = body.shape_key_add(name=f"target{name.removeprefix('eyeLook')}", from_mix=False)
    key.slider_min, key.slider_max, key.value = 0.0, 1.0, 0.0
    shape = np.empty(3 * len(source.data), np.float32)
    source.data.foreach_get("co", shape)
    key.data.foreach_set("co", shape)
    way = name.removeprefix("eyeLook")
    channel, sign = _WAYS.get(way.removesuffix("Left").removesuffix("Right"), ("LOC_X", _SIDEWAYS.get(way, 0.0)))
    driver = keys.driver_add(shape_keys.value_path(key.name)).driver
    variable = driver.variables.new()
    variable.name, variable.type = "x", "TRANSFORMS"
    place = variable.targets[0]
    place.id, place.bone_target = root, TARGET
    place.transform_type, place.transform_space = channel, "LOCAL_SPACE"
    for letter, kind, owner, path in (
        ("follow", "OBJECT", root, f'pose.bones["{TARGET}"]["{FOLLOW}"]'),
        ("look", "KEY", keys, shape_keys.value_path(name)),
    ):
        variable = driver.variables.new()
        variable.name, variable.type = letter, "SINGLE_PROP"
        variable.targets[0].id_type = kind
        variable.targets[0].id = owner
        variable.targets[0].data_path = path
    driver.type = "SCRIPTED"
    # Together with what the eyes do by themselves it is no more than the edge of what they show.
    driver.expression = f"max(0, min(x * {sign / (distance * reach):.6g} * follow, 1 - look))"
