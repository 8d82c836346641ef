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
from . import parts, points, rig, shape_keys

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
    with rig.edit_bones(root) as bones:
        bone = bones.new(TARGET)
        _stand(bone, arrays)
        bone.parent = bones[rig.ROOT]  # it stays where it is while the head moves
        bone.use_connect = bone.use_deform = False
    parts.mark(root.data.bones[TARGET], TARGET)
    bone = root.pose.bones[TARGET]
    bone.rotation_mode = "XYZ"
    bone.lock_rotation = bone.lock_scale = (True, True, True)
    bone[FOLLOW] = 1.0
    bone.id_properties_ui(FOLLOW).update(min=0.0, max=1.0, description="How far the eyes follow this bone")
    keys = body.data.shape_keys
    for name, reach in zip(GAZE_KEYS, arrays.gaze_reach, strict=True):
        if name in keys.key_blocks and reach > 0:
            _drive(root, body, name, _expression(name, arrays, float(reach)))


def target(character: bpy.types.Collection) -> bpy.types.PoseBone | None:
    """The bone that a character's eyes follow; None where it has none."""
    root = character.makeittalk.rig
    bones = root.data.bones if root is not None else ()
    name = next((bone.name for bone in bones if bone.get(parts.PART) == TARGET), None)
    bone = root.pose.bones.get(name) if root is not None and name is not None else None
    return bone if bone is not None and FOLLOW in bone else None


def rewrite(character: bpy.types.Collection, arrays: Mesh) -> None:
    """Puts a character's eye target before the eyes of another mesh of its portrait; one that has none gets it.

    What was done with the target stays: its keys, its driver's other parts, how far it is followed.
    """
    root, body, bone = character.makeittalk.rig, character.makeittalk.body, target(character)
    if bone is None or arrays.gaze_reach is None:
        if bone is None and not any(item.name == TARGET for item in root.data.bones):
            add_target(root, body, arrays)
        return
    name = bone.name
    with rig.edit_bones(root) as bones:
        _stand(bones[name], arrays)
    keys = body.data.shape_keys
    drivers = keys.animation_data.drivers if keys.animation_data is not None else ()
    for name, reach in zip(GAZE_KEYS, arrays.gaze_reach, strict=True):
        path = shape_keys.value_path(target_key(name))
        for curve in drivers:
            if curve.data_path == path and reach > 0:
                curve.driver.expression = _expression(name, arrays, float(reach))


def target_key(name: str) -> str:
    """What the copy of a key of the gaze is called that the target drives."""
    return f"target{name.removeprefix('eyeLook')}"


def _stand(bone: bpy.types.EditBone, arrays: Mesh) -> None:
    """Puts the target before the middle of the eyes."""
    middle = points_to_blender(arrays.vertices[arrays.landmark_vertices[_EYES]].mean(axis=0), arrays.image_size)
    x, y, z = middle - (0.0, _distance(arrays), 0.0)
    bone.head = (x, y, z)
    bone.tail = (x, y, z + _LENGTH * arrays.face_width / float(arrays.image_size[1]))
    bone.roll = 0.0


def _distance(arrays: Mesh) -> float:
    """How far before the eyes the target is, Blender units."""
    return _DISTANCE * arrays.face_width / float(arrays.image_size[1])


def _channel(name: str) -> tuple[str, float]:
    way = name.removeprefix("eyeLook")
    return _WAYS.get(way.removesuffix("Left").removesuffix("Right"), ("LOC_X", _SIDEWAYS.get(way, 0.0)))


def _expression(name: str, arrays: Mesh, reach: float) -> str:
    """What the driver of a key computes: 1 where the target is seen under an angle of `reach`."""
    # Together with what the eyes do by themselves it is no more than the edge of what they show.
    slope = _channel(name)[1] / (_distance(arrays) * float(np.tan(reach)))
    return f"max(0, min(x * {slope:.6g} * follow, 1 - look))"


def _drive(root: bpy.types.Object, body: bpy.types.Object, name: str, expression: str) -> None:
    """Adds a copy of a key of the gaze that the target drives."""
    keys = body.data.shape_keys
    source = keys.key_blocks[name]
    key = body.shape_key_add(name=target_key(name), from_mix=False)
    key.slider_min, key.slider_max, key.value = 0.0, 1.0, 0.0
    key.data.foreach_set("co", points.read(source.data).reshape(-1))
    driver = keys.driver_add(shape_keys.value_path(key.name)).driver
    variable = driver.variables.new()
    variable.name, variable.type = "x", "TRANSFORMS"
    place = variable.targets[0]
    place.id, place.bone_target = root, TARGET
    place.transform_type, place.transform_space = _channel(name)[0], "LOCAL_SPACE"
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
    driver.expression = expression
