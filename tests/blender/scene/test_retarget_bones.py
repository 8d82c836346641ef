"""A performance on the bones of a face: the jaw opens, lips meet when ours do, lids shut, brows rise."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
import talking
from extension import part
from generated import key
from retarget_targets import face_bones

FRAMES = range(1, talking.FRAMES + 1)
SHUT = [frame for first, last in talking.CLOSURES for frame in range(first, last + 1)]


@pytest.fixture
def ada(scene, tmp_path):
    return talking.build(tmp_path)


def places(item, names) -> np.ndarray:
    """(N, B, 3): where heads of bones are in the world, on every frame."""
    found = []
    for frame in FRAMES:
        bpy.context.scene.frame_set(frame)
        pose = item.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones
        found.append([item.matrix_world @ pose[name].head for name in names])
    return np.array(found)


def bake(character, item) -> None:
    character.makeittalk.retarget.target = item
    assert bpy.ops.makeittalk.bake_retarget() == {"FINISHED"}


@pytest.mark.parametrize("turned", [(0.0, 0.0, 0.0), (0.0, 0.0, np.pi / 2)])
def test_lips_open_and_meet(ada, turned):
    item = face_bones(turned)
    bake(ada, item)
    settings = ada.makeittalk.retarget
    assert {row.meaning for row in settings.rows} >= {"rigify:jaw_master", "rigify:lip.T", "rigify:lid.T.L"}
    assert settings.head_target == item and settings.head_bone == "head"
    settings.head_bone = ""  # what the lips do is easier to see in a head that stays
    bpy.ops.makeittalk.bake_retarget()
    upper, lower, corner = np.moveaxis(places(item, ["lip.T", "lip.B", "lips.L"]), 1, 0)
    opening = (upper - lower)[:, 2] - 0.004
    assert opening.max() > 0.2 * 0.06
    assert np.abs(opening[SHUT]).max() < 0.1 * opening.max()
    drawing = part("addon.scene.retarget_source").read(ada, bpy.context.scene)
    pucker = drawing.values[:, drawing.names.index("mouthPucker")]
    at, rest = int(pucker.argmax()), np.array(item.matrix_world @ item.data.bones["lips.L"].head_local)
    middle = np.array(item.matrix_world @ item.data.bones["lip.T"].head_local)
    assert np.linalg.norm((corner[at] - middle)[:2]) < 0.95 * np.linalg.norm((rest - middle)[:2])  # rounded: narrower


def test_lids_shut_and_brows_rise(ada):
    key(ada.makeittalk.body.data.shape_keys, 'key_blocks["browInnerUp"].value', 1.0, frame=1.0)
    item = face_bones()
    bake(ada, item)
    ada.makeittalk.retarget.head_bone = ""
    bpy.ops.makeittalk.bake_retarget()
    upper, lower, inner, outer = np.moveaxis(
        places(item, ["lid.T.L.001", "lid.B.L.001", "brow.T.L.003", "brow.T.L"]), 1, 0
    )
    gap = (upper - lower)[:, 2]
    blink = slice(*talking.BLINK)
    assert gap[:30].min() > 0.011 and abs(gap[blink].min()) < 0.002
    assert (inner[:, 2] - 1.62).min() > 0.003 and (inner[:, 2] - outer[:, 2]).min() > 0.002


def test_it_goes_without_a_trace(ada):
    item = face_bones()
    rest = {bone.name: bone.matrix_basis.copy() for bone in item.pose.bones}
    bake(ada, item)
    bpy.context.scene.frame_set(24)
    bpy.ops.makeittalk.remove_retarget()
    assert item.animation_data is None
    for bone in item.pose.bones:
        np.testing.assert_allclose(np.array(bone.matrix_basis), np.array(rest[bone.name]), atol=1e-6)


@pytest.mark.parametrize("what", ["bake", "drive"])
def test_again_it_is_the_same(ada, what):
    item, settings = face_bones(), ada.makeittalk.retarget
    settings.target, settings.head_bone = item, ""
    operator = getattr(bpy.ops.makeittalk, f"{what}_retarget")
    found = []
    for frame in (1, 22, 22):
        bpy.context.scene.frame_set(frame)
        assert operator() == {"FINISHED"}
        found.append(places(item, ["lip.T", "lip.B", "lips.L"]))
    np.testing.assert_allclose(found[1], found[0], atol=1e-4)
    np.testing.assert_allclose(found[2], found[0], atol=1e-4)


def test_bones_of_a_face_can_be_driven(ada):
    item, settings = face_bones(), ada.makeittalk.retarget
    settings.target, settings.head_bone = item, ""
    names = ["lip.T", "lip.B", "lips.L", "brow.T.L.003", "lid.T.L.001", "lid.B.L.001"]
    assert bpy.ops.makeittalk.bake_retarget() == {"FINISHED"}
    baked = places(item, names)
    assert bpy.ops.makeittalk.drive_retarget() == {"FINISHED"}
    assert not len(item.animation_data.nla_tracks)
    for curve in item.animation_data.drivers:
        driver = curve.driver
        assert driver.is_valid and driver.is_simple_expression and len(driver.expression) < 256
    driven = places(item, names)
    moved = np.linalg.norm(baked - baked[:1], axis=-1).max(axis=0)
    assert (np.linalg.norm(driven - baked, axis=-1).max(axis=0) < 0.12 * moved + 5e-4).all()
    opening = (driven[:, 0] - driven[:, 1])[:, 2] - 0.004
    assert np.abs(opening[SHUT]).max() < 0.1 * opening.max()
    key(ada.makeittalk.body.data.shape_keys, 'key_blocks["browInnerUp"].value', 1.0, frame=1.0)
    assert (places(item, names) - driven)[:, 3, 2].min() > 0.003
    bpy.ops.makeittalk.remove_retarget()
    assert item.animation_data is None and not item.keys()
