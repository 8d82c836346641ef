"""Layers merged into one action, and split again: nothing moves otherwise, and no key of the animator's is lost."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from extension import part
from generated import key, layer, shown

JAW = 'key_blocks["jawOpen"].value'
NOD = 'pose.bones["head"].rotation_euler'


def owners(character):
    return part("addon.scene.bakes").owners_of(character)


def tolerances(character) -> dict[str, float]:
    return part("addon.scene.bakes").tolerances(character)


def assert_same(character, before, times: float = 1.01) -> None:
    """Everything is as it was, within what leaving keys out may cost."""
    allowed, after = tolerances(character), shown(character)
    for path, values in before.items():
        np.testing.assert_allclose(after[path], values, atol=times * allowed[path] + 1e-5, err_msg=path)


def edited(make):
    """A character with keys of the animator's own on top."""
    character = make()
    settings = character.makeittalk
    for frame, value in ((10, 0.0), (20, 0.4), (30, 0.0)):
        key(settings.body.data.shape_keys, JAW, value, frame=frame)
        key(settings.rig, NOD, value, frame=frame)
    return character


def lift(curve, by=0.3):
    """Moves every key of a curve up."""
    for point in curve.keyframe_points:
        for name in ("co", "handle_left", "handle_right"):
            getattr(point, name).y += by
    curve.update()


def keys_of(owner):
    """The keys of the animator's own action: by path and index, frame and value."""
    curves = part("addon.scene.actions").by_identifier(part("addon.compat").assigned_curves(owner))
    return {name: [tuple(point.co) for point in curve.keyframe_points] for name, curve in curves.items()}


def as_it_is(character):
    """Nothing else."""


def amounts(character):
    character.makeittalk.lip, character.makeittalk.head, character.makeittalk.turn = 1.5, 0.6, 0.2


def keyed_amounts(character):
    for frame, value in ((1, 0.0), (40, 1.5)):
        key(character.makeittalk.rig, "makeittalk.lip", value, frame=frame)
    part("addon.scene.performance").follow_keyed_amounts(character)


def muted_track(character):
    layer(character, "Nod").track.mute = True


def muted_strip(character):
    layer(character, "Turn").strip.mute = True


def solo(character):
    layer(character, "Lips").track.is_solo = True


def influence(character):
    part("addon.scene.layers").set_influence(layer(character, "Sway"), np.linspace(0.0, 1.0, 60))


def modifier(character):
    found = layer(character, "Lips").curves.fcurves.find(JAW).modifiers.new("GENERATOR")
    found.use_additive, found.coefficients = True, (0.1, 0.0)


def own_half(character):
    character.makeittalk.rig.animation_data.action_influence = 0.5


def pushed_down(character):
    """The animator's keys in a strip of their own, as Push Down leaves them, played at half the speed."""
    for owner in owners(character):
        animation = owner.animation_data
        action = animation.action
        slot = animation.action_slot if part("addon.compat").SLOTTED_ACTIONS else None
        strip = animation.nla_tracks.new().strips.new("Mine", 10, action)
        if slot is not None:
            strip.action_slot = slot
        strip.blend_type, strip.scale = part("addon.scene.layers").blending(owner), 2.0
        animation.action = None


CASES = [as_it_is, amounts, keyed_amounts, muted_track, muted_strip, solo, influence, modifier, own_half, pushed_down]


@pytest.mark.parametrize("prepare", CASES)
def test_merged_it_moves_as_before_by_one_action(make, prepare):
    character = edited(make)
    prepare(character)
    before = shown(character)
    assert bpy.ops.makeittalk.merge() == {"FINISHED"}
    assert_same(character, before)
    animations = [owner.animation_data for owner in owners(character)]
    assert not any(animation.nla_tracks for animation in animations)
    names = [animation.action.name for animation in animations]
    assert set(names) == ({"Ada"} if part("addon.compat").SLOTTED_ACTIONS else {"Ada", "Ada.001"})
    assert len(bpy.data.actions) == len(set(names))


@pytest.mark.parametrize("prepare", CASES)
def test_split_again_it_moves_as_before(make, prepare):
    character = edited(make)
    prepare(character)
    before = shown(character)
    assert bpy.ops.makeittalk.merge() == {"FINISHED"}
    assert bpy.ops.makeittalk.split() == {"FINISHED"}
    assert_same(character, before, times=5.0)
    assert not character.makeittalk.merged
    assert bpy.ops.makeittalk.split.poll() is False


def test_split_again_nothing_counts_as_an_edit_that_was_none(make):
    character, edits = make(), part("addon.scene.edits").edits
    for name, first in (("jawOpen", 8), ("eyeBlinkLeft", 30)):
        for frame, value in ((first, 0.0), (first + 4, 0.4), (first + 8, 0.0)):
            key(character.makeittalk.body.data.shape_keys, f'key_blocks["{name}"].value', value, frame=frame)
    bpy.ops.makeittalk.merge()
    bpy.ops.makeittalk.split()
    found = edits(character, 4.0)  # so slow that the two lie apart
    assert [edit.label for edit in found] == ["jawOpen", "eyeBlinkLeft"]
    for edit, first in zip(found, (8, 30), strict=True):
        assert abs(edit.first - first) <= 3 and abs(edit.last - first - 8) <= 3


def test_few_keys(make):
    character = make()
    wanted = sum(len(found.keyframe_points) for found in layer(character, "Lips").curves.fcurves)
    bpy.ops.makeittalk.merge()
    curves = part("addon.compat").assigned_curves(owners(character)[1]).fcurves
    assert sum(len(found.keyframe_points) for found in curves) <= wanted + len(curves)


def test_a_curve_of_nobody_elses_is_taken_over_key_by_key(make):
    character = make()
    for frame, value in ((10.5, 0.0), (20, 1.0)):
        key(character.makeittalk.rig, "location", value, frame=frame)
    bpy.ops.makeittalk.merge()
    found = part("addon.compat").assigned_curves(character.makeittalk.rig).fcurves.find("location")
    assert [tuple(point.co) for point in found.keyframe_points] == [(10.5, 0.0), (20.0, 1.0)]


def test_changes_of_the_merged_action_come_up_as_own_keys(make, job):
    character = make()
    before = shown(character)
    bpy.ops.makeittalk.merge()
    curve = part("addon.compat").assigned_curves(owners(character)[1]).fcurves.find(JAW)
    lift(curve)
    character.makeittalk.lip = 0.0  # acts when there are layers again
    assert bpy.ops.makeittalk.split() == {"FINISHED"}
    own = part("addon.compat").assigned_curves(owners(character)[1]).fcurves
    assert [found.data_path for found in own] == [JAW]
    np.testing.assert_allclose(shown(character)[f"{JAW}[0]"], 0.3, atol=0.02)
    character.makeittalk.lip = 1.0
    np.testing.assert_allclose(shown(character)[f"{JAW}[0]"], before[f"{JAW}[0]"] + 0.3, atol=0.02)


def test_the_animators_keys_come_back_as_they_were(make):
    character = edited(make)
    keyed_amounts(character)
    before = [keys_of(owner) for owner in owners(character)]
    assert all(before)
    bpy.ops.makeittalk.merge()
    bpy.ops.makeittalk.split()
    assert [keys_of(owner) for owner in owners(character)] == before
    assert not character.makeittalk.own_curves


def test_only_what_was_changed_in_the_merged_action_becomes_other_keys(make):
    character = edited(make)
    before = keys_of(owners(character)[1])
    bpy.ops.makeittalk.merge()
    lift(part("addon.compat").assigned_curves(owners(character)[0]).fcurves.find(NOD))
    aim = shown(character)
    bpy.ops.makeittalk.split()
    assert_same(character, aim, times=5.0)
    assert keys_of(owners(character)[1]) == before


def test_amounts_that_were_keyed_in_the_merged_action_act_when_it_is_split(make):
    character = edited(make)
    wanted = shown(character)
    key(character.makeittalk.rig, "makeittalk.lip", 1.0, frame=1)
    bpy.ops.makeittalk.merge()
    curve = part("addon.compat").assigned_curves(character.makeittalk.rig).fcurves.find("makeittalk.lip")
    lift(curve, -1.0)
    character.makeittalk.gaze = 0.5
    bpy.ops.makeittalk.split()
    own = part("addon.compat").assigned_curves(character.makeittalk.rig).fcurves.find("makeittalk.lip")
    assert [point.co.y for point in own.keyframe_points] == [0.0] and character.makeittalk.gaze == 0.5
    lips = layer(character, "Lips").curves.fcurves.find(JAW)
    spoken = np.array([lips.evaluate(frame) for frame in range(len(wanted[f"{JAW}[0]"]))])
    np.testing.assert_allclose(shown(character)[f"{JAW}[0]"], wanted[f"{JAW}[0]"] - spoken, atol=0.02)


@pytest.mark.parametrize("text", ["?", "[3]", '[[{"path": "makeittalk.lip"}]]', "[[{}], []]"])
def test_kept_curves_that_were_tampered_with_count_for_nothing(make, text):
    character = edited(make)
    before = shown(character)
    bpy.ops.makeittalk.merge()
    character.makeittalk.own_curves = text
    bpy.ops.makeittalk.split()
    assert_same(character, before, times=5.0)


def test_a_bake_of_a_merged_character_splits_it_first(make, job):
    """Nothing moves twice, and what the animator keyed is still there."""
    character = edited(make)
    before = shown(character)
    bpy.ops.makeittalk.merge()
    part("addon.scene.performance").write(character, job / "bake.npz")
    assert_same(character, before, times=5.0)
    assert layer(character, "Lips")


def test_a_deleted_curve_stays_still(make):
    character = make()
    bpy.ops.makeittalk.merge()
    bpy.context.scene.frame_set(30)
    curves = part("addon.compat").assigned_curves(owners(character)[1]).fcurves
    curves.remove(curves.find(JAW))
    still = character.makeittalk.body.data.shape_keys.key_blocks["jawOpen"].value
    bpy.ops.makeittalk.split()
    np.testing.assert_allclose(shown(character)[f"{JAW}[0]"], still, atol=0.02)


def test_the_playhead_stays_and_no_scene_is_left(make, scene):
    make()
    scene.frame_set(17, subframe=0.25)
    bpy.ops.makeittalk.merge()
    assert (scene.frame_current, scene.frame_subframe) == (17, 0.25)
    assert list(bpy.data.scenes) == [scene]


def test_hidden_it_merges_all_the_same(make):
    character = make()
    before = shown(character)
    character.makeittalk.body.hide_viewport = character.makeittalk.rig.hide_viewport = True
    assert bpy.ops.makeittalk.merge() == {"FINISHED"}
    character.makeittalk.body.hide_viewport = character.makeittalk.rig.hide_viewport = False
    assert_same(character, before)


def test_another_character_is_left_alone(make):
    first, second = make(), make(start=100)
    before = shown(first)
    bpy.ops.makeittalk.merge()
    assert second.makeittalk.merged and not first.makeittalk.merged
    assert_same(first, before, times=0.0)


@pytest.mark.parametrize("index", [64, 10**9, -1, 0.0, True, float("inf")])
def test_a_kept_curve_of_an_axis_that_nothing_has_is_refused(make, index):
    """Blender 4.5 writes over its own memory when one is played whose index lies far beyond its array."""
    character = edited(make)
    curves = part("addon.compat").assigned_curves(character.makeittalk.rig)
    found = curves.fcurves.find(NOD, index=0)
    module = part("addon.scene.curve_data")
    data = module.read(found)
    with pytest.raises(ValueError, match="no such axis"):
        module.write(curves, data | {"index": index})
    assert curves.fcurves.find(NOD, index=0) is not None
