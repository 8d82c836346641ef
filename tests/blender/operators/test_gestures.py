"""The operators that animate on top, called as a script or a button calls them."""

from __future__ import annotations

import acting
import bpy
import numpy as np
import pytest
from extension import part
from generated import shown

TURNS = 'pose.bones["head"].rotation_euler'


@pytest.fixture
def ada(scene, tmp_path):
    made = acting.build(tmp_path)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 24, 1.0
    scene.frame_set(20)
    return made


def own_frames(character, path: str, index: int = 0) -> list[float]:
    settings = character.makeittalk
    owner = settings.rig if path.startswith(("pose", "makeittalk")) else settings.body.data.shape_keys
    found = part("addon.scene.own_layer").curve(owner, path, index)
    return [point.co.x for point in found.keyframe_points] if found is not None else []


@pytest.mark.parametrize("mode", ["OBJECT", "POSE"])
def test_a_gesture_begins_at_the_playhead(ada, mode):
    if mode == "POSE":
        bpy.ops.object.mode_set(mode="POSE")
    assert bpy.ops.makeittalk.gesture(kind="NOD", strength=1.5) == {"FINISHED"}
    frames = own_frames(ada, TURNS)
    assert frames[0] == 20.0 and frames[-1] == pytest.approx(20 + 0.7 * 24, abs=1.0)
    assert bpy.context.mode == mode


def test_every_gesture_has_its_usual_length(ada):
    for number, (kind, item) in enumerate(part("addon.core.gestures").GESTURES.items()):
        start = 20 + 200 * number
        bpy.context.scene.frame_set(start)
        assert bpy.ops.makeittalk.gesture(kind=kind) == {"FINISHED"}
        (edit,) = {
            (edit.first, edit.last) for edit in part("addon.scene.edits").edits(ada, 24.0) if edit.first >= start
        }
        assert edit == (start, pytest.approx(start + item.length * 24, abs=1.0)), kind


def test_it_takes_the_preview_range_or_the_markers(ada):
    scene = bpy.context.scene
    with pytest.raises(RuntimeError, match="no preview range"):
        bpy.ops.makeittalk.gesture(kind="SMILE", span="PREVIEW")
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 40, 70
    bpy.ops.makeittalk.gesture(kind="SMILE", span="PREVIEW")
    frames = own_frames(ada, 'key_blocks["mouthSmileLeft"].value')
    assert (frames[0], frames[-1]) == (40.0, 70.0)
    for frame in (80, 110):
        scene.timeline_markers.new(f"m{frame}", frame=frame)
    bpy.ops.makeittalk.gesture(kind="FROWN", span="MARKERS")
    frames = own_frames(ada, 'key_blocks["mouthFrownLeft"].value')
    assert (frames[0], frames[-1]) == (80.0, 110.0)


def test_it_can_be_undone(ada):
    bpy.ops.ed.undo_push(message="before")
    name = ada.name
    bpy.ops.makeittalk.gesture(kind="NOD")
    bpy.ops.ed.undo_push(message="nod")
    assert own_frames(ada, TURNS)
    bpy.ops.ed.undo()
    ada = bpy.data.collections[name]
    assert own_frames(ada, TURNS) == []
    assert part("addon.scene.edits").edits(ada, 24.0) == []
    bpy.ops.ed.redo()
    assert own_frames(bpy.data.collections[name], TURNS)


def test_blinks_and_stillness(ada):
    bpy.context.scene.frame_set(33)
    assert bpy.ops.makeittalk.move_blink(frames=10) == {"FINISHED"}
    assert bpy.ops.makeittalk.hold_still(length=2.0) == {"FINISHED"}
    assert own_frames(ada, "makeittalk.still") == [33.0, 40.0, 74.0, 81.0]
    bpy.context.scene.frame_set(84)
    assert bpy.ops.makeittalk.remove_blink() == {"FINISHED"}
    with pytest.raises(RuntimeError, match="No generated blink"):
        bpy.ops.makeittalk.remove_blink()


def test_grey_buttons_say_why(scene):
    with pytest.raises(RuntimeError, match="Make a character first"):
        bpy.ops.makeittalk.gesture(kind="NOD")


def test_curves_are_brought_into_the_graph_editor(ada):
    settings = ada.makeittalk
    bpy.ops.makeittalk.gesture(kind="NOD")
    bpy.ops.makeittalk.gesture(kind="SMILE")
    assert bpy.ops.makeittalk.edit_curves(part="HEAD") == {"FINISHED"}
    assert bpy.context.mode == "POSE" and bpy.context.active_pose_bone.name == "head"
    assert [bone.name for bone in bpy.context.selected_pose_bones] == ["head"]
    assert bpy.ops.makeittalk.edit_curves(part="FACE", open_editor=True) == {"FINISHED"}
    assert bpy.context.mode == "OBJECT" and bpy.context.selected_objects == [settings.body]
    editors = [area for area in bpy.context.screen.areas if area.type == "GRAPH_EDITOR"]
    assert editors and all(area.spaces.active.dopesheet.show_only_selected for area in editors)


def test_ghosts_show_what_is_generated_and_leave_nothing_behind(ada):
    ghosts, owner = part("addon.scene.ghost_curves"), ada.makeittalk.rig
    bpy.ops.makeittalk.gesture(kind="NOD")
    bpy.ops.makeittalk.edit_curves(part="HEAD", open_editor=True)
    first, channels = ghosts.generated(owner)
    layer = next(layer for layer in part("addon.scene.layers").layers(owner) if layer.part == "Nod")
    nod = next(channel.samples for channel in channels if (channel.path, channel.index) == (TURNS, 0))
    begin = layer.strip.frame_start - layer.strip.action_frame_start
    assert nod[40 - first] == pytest.approx(layer.curves.fcurves.find(TURNS, index=0).evaluate(40 - begin), abs=1e-5)
    area = next(area for area in bpy.context.screen.areas if area.type == "GRAPH_EDITOR")
    region = next(region for region in area.regions if region.type == "WINDOW")
    own, known = owner.animation_data.action, [list(found) for found in (bpy.data.objects, bpy.data.actions)]
    ghosts.draw(area, region, owner)
    assert owner.animation_data.action == own
    assert [list(found) for found in (bpy.data.objects, bpy.data.actions)] == known
    assert area.spaces.active.dopesheet.show_only_selected and area.spaces.active.dopesheet.filter_collection is None


@pytest.mark.parametrize("name", ["Lips", "Blinks", "Turn"])
def test_a_generated_layer_is_edited_and_left_again(ada, name):
    bpy.ops.makeittalk.gesture(kind="NOD")
    wanted = shown(ada)
    assert bpy.ops.makeittalk.edit_generated(layer=name) == {"FINISHED"}
    owner = ada.makeittalk.rig if name == "Turn" else ada.makeittalk.body.data.shape_keys
    assert owner.animation_data.use_tweak_mode
    assert owner.animation_data.action[part("addon.scene.layers").PART] == name
    assert bpy.ops.makeittalk.edit_curves(part="HEAD" if name == "Turn" else "FACE") == {"FINISHED"}
    assert not owner.animation_data.use_tweak_mode
    found = shown(ada)
    for path in wanted:
        np.testing.assert_allclose(found[path], wanted[path], atol=1e-5)


def test_curves_lie_in_groups_by_region(ada):
    layers, owners = part("addon.scene.layers"), part("addon.scene.bakes").owners_of(ada)
    groups = {layer.part: [group.name for group in layer.curves.groups] for o in owners for layer in layers.layers(o)}
    assert groups["Lips"] == ["Jaw and Mouth", "Detail"] and groups["Nod"] == ["Head"] and groups["Blinks"] == ["Eyes"]
    lips = next(layer for layer in layers.layers(owners[1]) if layer.part == "Lips").curves
    assert (
        not lips.groups["Detail"].show_expanded_graph
        and lips.groups["Jaw and Mouth"].channels[0].color_mode == "CUSTOM"
    )
    bpy.ops.makeittalk.gesture(kind="SMILE")
    own = part("addon.compat").assigned_curves(owners[1])
    assert {curve.group.name for curve in own.fcurves} == {"Lips"}


def test_an_edit_is_taken_back_by_its_button(ada):
    before = shown(ada)
    bpy.ops.makeittalk.gesture(kind="NOD")
    (edit,) = part("addon.scene.edits").edits(ada, 24.0)
    bpy.context.scene.frame_set(90)
    assert bpy.ops.makeittalk.jump_to_edit(item=edit.uid) == {"FINISHED"}
    assert bpy.context.scene.frame_current == 20
    assert bpy.ops.makeittalk.revert_edit(item=edit.uid) == {"FINISHED"}
    with pytest.raises(RuntimeError, match="has changed"):
        bpy.ops.makeittalk.revert_edit(item=edit.uid)
    after = shown(ada)
    for path in before:
        np.testing.assert_allclose(after[path], before[path], atol=1e-5)


def test_a_mesh_of_another_has_no_generated_layers(ada, capfd):
    many = bpy.data.meshes.new("Many")
    many.vertices.add(part("addon.scene.bakes").MOST_VERTICES + 1)
    ada.makeittalk.body.data = many
    ada.makeittalk.body.shape_key_add(name="Basis")
    with pytest.raises(RuntimeError, match="no longer the one it was made with"):
        bpy.ops.makeittalk.edit_generated()
    assert "Traceback" not in capfd.readouterr().err
