"""A performance on a face that Rigify itself has made, with all its constraints."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
import talking

SHUT = [frame for first, last in talking.CLOSURES for frame in range(first, last + 1)]


@pytest.fixture
def human(scene):
    """Rigify's human, generated."""
    before = list(bpy.app.handlers.load_post)
    bpy.ops.preferences.addon_enable(module="rigify")
    rigify = pytest.importorskip("rigify")
    rigify.register_rig_parameters()  # in the background nothing has looked at them yet
    bpy.ops.object.armature_human_metarig_add()
    meta = bpy.context.object
    bpy.ops.pose.rigify_generate()
    yield next(item for item in bpy.data.objects if item.type == "ARMATURE" and item != meta)
    bpy.ops.preferences.addon_disable(module="rigify")
    for handler in set(bpy.app.handlers.load_post) - set(before):  # it leaves one behind, which fails without it
        bpy.app.handlers.load_post.remove(handler)


def test_its_controls_are_matched_and_its_lips_meet(human, scene, tmp_path):
    ada = talking.build(tmp_path)
    settings = ada.makeittalk.retarget
    settings.target = human
    names = {row.target for row in settings.rows}
    assert {"jaw_master", "lip.T", "lip.B", "lips.L", "lips.R", "brow.T.L", "lid.T.R.002", "eyes"} <= names
    assert not any(name.startswith(("DEF-", "ORG-", "MCH-")) for name in names)
    assert settings.head_target == human and settings.head_bone == "head"
    assert bpy.ops.makeittalk.bake_retarget() == {"FINISHED"}
    bones = ("DEF-lip.T.L", "DEF-lip.B.L", "DEF-lid.T.L.002", "DEF-lid.B.L.002")
    found = []
    for frame in range(1, talking.FRAMES + 1):
        scene.frame_set(frame)
        head = human.pose.bones["head"]
        turned = head.matrix @ head.bone.matrix_local.inverted()
        found.append([turned.inverted() @ human.pose.bones[name].head for name in bones])
    places = np.array(found) - [human.data.bones[name].head_local for name in bones]
    opening = (places[:, 0] - places[:, 1])[:, 2]
    assert opening.max() > 0.01
    assert np.abs(opening[SHUT]).max() < 0.12 * opening.max()
    lids = (places[:, 2] - places[:, 3])[:, 2]
    assert lids.argmin() in range(*talking.BLINK) and lids.min() < -0.003
    bpy.ops.makeittalk.remove_retarget()
    assert human.animation_data is None or not len(human.animation_data.nla_tracks)
