"""A character's head on bones of other armatures: the world sees the same turn, whatever the bone's rest pose."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from extension import part
from generated import key
from mathutils import Matrix
from retarget_targets import armature, world_turns

FRAMES = range(1, 61)
HEAD = 'pose.bones["head"].'


@pytest.fixture
def ada(make, scene):
    scene.render.fps, scene.render.fps_base = 24, 1.0
    return make()


def bake(character, target, bone="head", **how):
    source = part("addon.scene.retarget_source").read(character, bpy.context.scene)
    part("addon.scene.retarget_head").bake(source, target, bone, character.name, **how)


def turns(character) -> np.ndarray:
    return world_turns(character.makeittalk.rig, "head", FRAMES)


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Degrees between rotations, at worst."""
    cosine = (np.einsum("nij,nij->n", one, other) - 1.0) / 2.0
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))).max())


@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ", "ZYX", "YXZ", "AXIS_ANGLE"])
def test_the_world_sees_the_same_turn(ada, mode):
    target = armature(mode=mode)
    bake(ada, target)
    assert apart(turns(ada), world_turns(target, "head", FRAMES)) < (1.0 if mode == "AXIS_ANGLE" else 0.25)


@pytest.mark.parametrize(
    "pose",
    [
        {"tail": (0.0, 0.0, 0.3), "roll": 0.0},
        {"tail": (0.1, -0.2, 0.2), "roll": 2.0},
        {"tail": (0.0, -0.3, 0.0), "roll": -1.0},
        {"turned": (np.pi / 2, 0.0, 0.0), "tail": (0.0, 0.3, 0.0)},
    ],
)
def test_however_the_bone_lies_at_rest(ada, pose):
    target = armature(**pose)
    bake(ada, target)
    assert apart(turns(ada), world_turns(target, "head", FRAMES)) < 0.25


@pytest.mark.parametrize(("eyes", "quarter"), [((0.15, 0.05, 0.2), 1), ((0.02, 0.3, 0.2), 2), ((0.03, -0.1, 0.2), 0)])
def test_a_head_that_looks_elsewhere_turns_as_it_looks(ada, eyes, quarter):
    target = armature(eyes=eyes)
    bake(ada, target)
    looks = np.array(Matrix.Rotation(quarter * np.pi / 2, 3, "Z"))
    assert apart(looks @ turns(ada) @ looks.T, world_turns(target, "head", FRAMES)) < 0.25


def test_axes_can_be_chosen(ada):
    target = armature(tail=(0.0, 0.0, 0.3), roll=0.0)
    head = part("addon.scene.retarget_head")
    assert head.guessed_names(target, "head") == ("Z", "Y")
    bake(ada, target, forward="-Z", up="Y")
    looks = np.array(Matrix.Rotation(np.pi, 3, "Z"))
    assert apart(looks @ turns(ada) @ looks.T, world_turns(target, "head", FRAMES)) < 0.25
    with pytest.raises(Exception, match="along its own axis"):
        bake(ada, target, forward="Y", up="-Y")


def test_gain_and_place(ada):
    target = armature(tail=(0.0, 0.0, 0.3), roll=0.0, mode="XYZ")
    bake(ada, target, turn=0.0, move=1.0)
    assert apart(world_turns(target, "head", FRAMES), np.repeat(np.eye(3)[None], 60, axis=0)) < 1e-3
    source = part("addon.scene.retarget_source").read(ada, bpy.context.scene)
    at = np.abs(source.places).sum(axis=1).argmax()
    bpy.context.scene.frame_set(source.first + int(at))
    moved = np.array(target.pose.bones["head"].matrix.translation) - (0.0, 0.05, 1.4)
    np.testing.assert_allclose(moved, source.places[at] * 0.3 / source.head_size, atol=1e-3)


def test_edits_of_the_source_come_along(ada):
    key(ada.makeittalk.rig, f"{HEAD}rotation_euler", 0.5, index=1, frame=1.0)
    target = armature()
    bake(ada, target)
    assert apart(turns(ada), world_turns(target, "head", FRAMES)) < 0.25
    assert np.abs(turns(ada)[:, 0, 1]).max() > 0.3


@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
@pytest.mark.parametrize("eyes", [None, (0.15, 0.05, 0.2)])
def test_a_driven_head_follows_at_once(ada, mode, eyes):
    target = armature(mode=mode, eyes=eyes)
    settings = ada.makeittalk.retarget
    settings.head_target = target
    assert settings.head_bone == "head"
    assert bpy.ops.makeittalk.drive_retarget() == {"FINISHED"}
    for curve in target.animation_data.drivers:
        driver = curve.driver
        assert driver.is_valid and driver.is_simple_expression and len(driver.expression) < 256, driver.expression
    key(ada.makeittalk.rig, f"{HEAD}rotation_euler", 0.4, index=1, frame=1.0)
    looks = np.eye(3) if eyes is None else np.array(Matrix.Rotation(np.pi / 2, 3, "Z"))
    assert apart(looks @ turns(ada) @ looks.T, world_turns(target, "head", FRAMES)) < 0.2
    bpy.ops.makeittalk.remove_retarget()
    assert target.animation_data is None and not target.keys()


def test_a_driven_head_with_gain_and_place(ada):
    target = armature(tail=(0.0, 0.0, 0.3), roll=0.0, mode="QUATERNION")
    settings = ada.makeittalk.retarget
    settings.head_target, settings.head_turn, settings.head_move = target, 0.5, 1.0
    bpy.ops.makeittalk.drive_retarget()
    half = part("addon.core.head_axes").scaled(turns(ada), 0.5)
    assert apart(half, world_turns(target, "head", FRAMES)) < 0.3
    source = part("addon.scene.retarget_source").read(ada, bpy.context.scene)
    bpy.context.scene.frame_set(20)
    moved = np.array(target.pose.bones["head"].matrix.translation) - (0.0, 0.05, 1.4)
    np.testing.assert_allclose(moved, source.places[19] * 0.3 / source.head_size, atol=1e-3)
    target.pose.bones["head"].rotation_mode = "AXIS_ANGLE"
    with pytest.raises(RuntimeError, match="Quaternion to drive it"):
        bpy.ops.makeittalk.drive_retarget()


def test_its_own_action_stays_on_top_and_all_goes_without_a_trace(ada):
    target = armature(mode="QUATERNION")
    bone = target.pose.bones["head"]
    bone.rotation_quaternion = (0.9, 0.1, 0.0, 0.2)
    target["share"] = 1.0
    target.id_properties_ui("share").update(default=1.0)
    bone.keyframe_insert("rotation_quaternion", frame=1)
    target.keyframe_insert('["share"]', frame=1)
    action = target.animation_data.action
    before = world_turns(target, "head", [1, 20, 40])
    actions = set(bpy.data.actions)
    bake(ada, target)
    bake(ada, target)
    assert len(target.animation_data.nla_tracks) == 1
    assert target.animation_data.action == action and len(bpy.data.actions) == len(actions) + 1
    both = world_turns(target, "head", [1, 20, 40])
    assert apart(both, before) > 1.0
    assert target["share"] == pytest.approx(1.0)
    part("addon.scene.retarget_layer").remove(target)
    np.testing.assert_allclose(world_turns(target, "head", [1, 20, 40]), before, atol=1e-6)
    assert not len(target.animation_data.nla_tracks) and set(bpy.data.actions) == actions
    assert target.animation_data.action_blend_type == "REPLACE"


def test_a_pose_comes_back(ada):
    target = armature(mode="XYZ")
    target.pose.bones["head"].rotation_euler = (0.1, 0.2, 0.3)
    bake(ada, target)
    bpy.context.scene.frame_set(30)
    part("addon.scene.retarget_layer").remove(target)
    assert target.animation_data is None
    assert tuple(target.pose.bones["head"].rotation_euler) == pytest.approx((0.1, 0.2, 0.3))
