"""The list of edits, and taking one back."""

from __future__ import annotations

import acting
import bpy
import numpy as np
import pytest
from extension import part
from generated import changed, curve, key, shown

JAW = 'key_blocks["jawOpen"].value'
TURNS = 'pose.bones["head"].rotation_euler'
FPS = 24.0


@pytest.fixture
def ada(scene, tmp_path):
    return acting.build(tmp_path)


def listed(character):
    return part("addon.scene.edits").edits(character, FPS)


def summary(character) -> list[tuple]:
    return [(edit.source, edit.region, edit.first, edit.last) for edit in listed(character)]


def revert(character, number: int) -> None:
    part("addon.scene.edits").revert(character, listed(character)[number])


def assert_same(found, wanted, atol=2e-3):
    for path in wanted:
        np.testing.assert_allclose(found[path], wanted[path], atol=atol, err_msg=path)


def test_nothing_is_edited_at_first(ada):
    assert listed(ada) == []
    ada.makeittalk.lip = 1.6
    ada.makeittalk.head = 0.4
    assert listed(ada) == []


@pytest.mark.parametrize("gain", [1.0, 1.6])
def test_a_change_smaller_than_what_is_left_out_is_an_edit_all_the_same(ada, tmp_path, gain):
    ada.makeittalk.lip = gain
    before = shown(ada)
    found = curve(ada, "Lips", JAW)
    tolerance = part("addon.scene.bakes").tolerances(ada)[f"{JAW}[0]"]
    points = found.keyframe_points
    number = len(points) // 2
    points[number].co.y += 0.8 * tolerance
    found.update()
    (edit,) = listed(ada)
    assert edit.source == "PENDING" and edit.first <= 1 + points[number].co.x <= edit.last
    wanted = shown(ada)
    assert np.abs(wanted[f"{JAW}[0]"] - before[f"{JAW}[0]"]).max() > 0.7 * tolerance
    part("addon.scene.performance").write(ada, tmp_path / "job" / "bake.npz")
    assert_same(shown(ada), wanted, atol=0.1 * tolerance)
    revert(ada, 0)
    assert_same(shown(ada), before, atol=1e-6)
    assert listed(ada) == []


def test_each_gesture_is_an_edit_and_goes_alone(ada):
    gestures = part("addon.scene.gestures")
    before = shown(ada)
    nod = gestures.add(ada, "NOD", 10.0, FPS)
    with_nod = shown(ada)
    smile = gestures.add(ada, "SMILE", 40.0, FPS)
    far = gestures.add(ada, "NOD", 90.0, FPS)
    assert summary(ada) == [
        ("OWN", "Head", nod.first, nod.last),
        ("OWN", "Lips", smile.first, smile.last),
        ("OWN", "Head", far.first, far.last),
    ]
    assert listed(ada)[0].label == "Head: Nod"
    revert(ada, 2)
    revert(ada, 1)
    assert_same(shown(ada), with_nod)
    assert summary(ada) == [("OWN", "Head", nod.first, nod.last)]
    revert(ada, 0)
    assert listed(ada) == [] and changed(ada) == []
    assert_same(shown(ada), before)


def test_renamed_actions_are_found(ada):
    key(ada.makeittalk.rig, TURNS, 0.2, 1, 33.0)
    for action in bpy.data.actions:
        action.name = f"mine {action.name[::-1]}"
    assert summary(ada) == [("OWN", "Head", 33.0, 33.0)]
    assert listed(ada)[0].label == "Head: Turn"


def test_stillness_and_its_pose_are_one_edit(ada):
    before = shown(ada)
    part("addon.scene.gestures").hold_still(ada, 30.0, 70.0, 6.0)
    assert summary(ada) == [("OWN", "Head", 30.0, 70.0)]
    revert(ada, 0)
    assert_same(shown(ada), before)


def test_a_removed_blink_can_be_brought_back(ada):
    gestures = part("addon.scene.gestures")
    before = shown(ada)
    gestures.remove_blink(ada, gestures.blinks(ada)[0], FPS)
    (edit,) = listed(ada)
    assert edit.label == "Eyes: No Blink" and edit.first < acting.BLINKS[0][0] and edit.last > acting.BLINKS[0][1]
    revert(ada, 0)
    assert_same(shown(ada), before)


@pytest.mark.parametrize("frame", [np.nan, np.inf, 3e38])
def test_a_key_at_a_moment_that_no_timeline_has_is_no_edit(ada, frame):
    key(ada.makeittalk.rig, "location", 0.4, frame=10)
    key(ada.makeittalk.rig, "location", 0.4, frame=30)
    before = summary(ada)
    for found in part("addon.compat").assigned_curves(ada.makeittalk.rig).fcurves:
        found.keyframe_points[-1].co.x = frame
    assert [(*row[:3], 10.0) for row in before] == summary(ada)
    part("addon.scene.edit_list").refresh(bpy.context.scene)
    for edit in listed(ada):
        assert bpy.ops.makeittalk.jump_to_edit(item=edit.uid) == {"FINISHED"}
    assert bpy.context.scene.frame_current == 10


def edit_generated(ada) -> None:
    """Changes the jaw's generated curve around two frames, far apart."""
    found = curve(ada, "Lips", JAW)
    for point in found.keyframe_points:
        if abs(point.co.x - 20) < 3 or abs(point.co.x - 90) < 3:
            point.co.y += 0.3
            point.handle_left.y += 0.3
            point.handle_right.y += 0.3
    found.update()


def test_a_change_of_a_generated_curve_is_listed_and_goes_span_by_span(ada):
    before = shown(ada)
    edit_generated(ada)
    edited = shown(ada)
    first, second = listed(ada)
    assert {first.source, second.source} == {"PENDING"} and {first.region, second.region} == {"Jaw and Mouth"}
    assert first.first < 21 < first.last < 45 and 60 < second.first < 91 < second.last
    revert(ada, 0)
    after = shown(ada)[f"{JAW}[0]"]
    np.testing.assert_allclose(after[:50], before[f"{JAW}[0]"][:50], atol=0.03)
    np.testing.assert_allclose(after[60:], edited[f"{JAW}[0]"][60:], atol=0.03)
    assert len(listed(ada)) == 1
    revert(ada, 0)
    assert listed(ada) == [] and changed(ada) == []
    assert_same(shown(ada), before)


def test_what_was_brought_up_is_listed_and_goes_span_by_span(ada):
    before = shown(ada)
    edit_generated(ada)
    edited = shown(ada)
    part("addon.scene.brought_up").bring_up(ada)
    first, second = listed(ada)
    assert {first.source, second.source} == {"BROUGHT_UP"}
    assert first.first < 21 < first.last < 45 and 60 < second.first < 91 < second.last
    revert(ada, 1)
    after = shown(ada)[f"{JAW}[0]"]
    np.testing.assert_allclose(after[60:], before[f"{JAW}[0]"][60:], atol=0.03)
    np.testing.assert_allclose(after[:50], edited[f"{JAW}[0]"][:50], atol=0.03)
    revert(ada, 0)
    assert listed(ada) == []
    assert_same(shown(ada), before, 0.02)
    layers = part("addon.scene.layers")
    assert "Edits of Generated Curves" not in {
        layer.part for layer in layers.layers(ada.makeittalk.body.data.shape_keys)
    }


def test_drawing_costs_nothing(scene, tmp_path):
    """A minute of speech: the panel takes the list as it is; it is made when something has changed."""
    ada, cache = acting.build(tmp_path, frames=1440), part("addon.scene.edit_list")
    for start in range(10, 1400, 60):
        part("addon.scene.gestures").add(ada, "NOD", float(start), FPS)
    cache.forget()
    cache.refresh(bpy.context.scene)
    found = cache.shown(ada)
    assert len(found) == 24 and all(cache.shown(ada) is found for _ in range(100))
    key(ada.makeittalk.rig, TURNS, 0.2, 1, 33.0)
    ada.makeittalk.rig.animation_data.action.update_tag()
    bpy.context.view_layer.update()
    cache.refresh(bpy.context.scene)
    assert sum(len(edit.touches) for edit in cache.shown(ada)) == 25
