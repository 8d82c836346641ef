"""A performance on other people's shape keys: matched, baked, driven, taken off again."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
import second_head
import talking
from extension import part
from generated import key
from makeittalk.exchange.cues import Cue

JAW = 'key_blocks["jawOpen"].value'
FRAMES = range(1, talking.FRAMES + 1)
SHUT = [frame for first, last in talking.CLOSURES for frame in range(first + 1, last + 2)]


@pytest.fixture
def ada(scene, tmp_path):
    return talking.build(tmp_path)


@pytest.fixture
def settings(ada):
    return ada.makeittalk.retarget


def arkit(settings):
    settings.target = second_head.add("Egg", second_head.arkit())
    return settings.target


def vrm(settings):
    settings.target = second_head.add("Avatar", second_head.VRM)
    return settings.target


def oculus(settings):
    settings.target = second_head.add("Avatar", second_head.of("oculus"))
    return settings.target


def rhubarb(settings):
    settings.target = second_head.add("Cartoon", second_head.of("rhubarb"))
    return settings.target


def shown(item, name: str, frames=FRAMES) -> np.ndarray:
    """What Blender shows of a key, frame by frame."""
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        graph = bpy.context.evaluated_depsgraph_get()
        found.append(item.evaluated_get(graph).data.shape_keys.key_blocks[name].value)
    return np.array(found)


def gaps(item, frames=FRAMES) -> np.ndarray:
    """How far the middle of a head's lips is apart, frame by frame, as its mesh shows it; 0 where nothing moves it."""
    quarter = second_head.SEGMENTS // 4
    upper, lower = 3 * second_head.SEGMENTS + 3 * quarter, 3 * second_head.SEGMENTS + quarter
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        mesh = item.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
        found.append(mesh.vertices[upper].co.z - mesh.vertices[lower].co.z)
    rest = item.data.shape_keys.reference_key.data
    return np.array(found) - (rest[upper].co.z - rest[lower].co.z)


def bake() -> None:
    assert bpy.ops.makeittalk.bake_retarget() == {"FINISHED"}


def test_a_chosen_target_is_matched(settings):
    arkit(settings)
    found = {row.target: row.meaning for row in settings.rows}
    assert found["jawOpen"] == "arkit:jawOpen" and len(found) > 30
    vrm(settings)
    assert {row.target: row.meaning for row in settings.rows} == second_head.VRM


def test_match_keeps_what_was_set_and_drops_what_was_added(settings):
    vrm(settings)
    row = next(row for row in settings.rows if row.target == "Fcl_MTH_A")
    row.gain, row.offset, row.use = 0.5, 0.1, False
    assert bpy.ops.makeittalk.add_mapping(target="Fcl_MTH_A", meaning="vrm:oh") == {"FINISHED"}
    assert len(settings.rows) == 7 and settings.active_row == 6
    assert bpy.ops.makeittalk.remove_mapping() == {"FINISHED"}
    bpy.ops.makeittalk.match_retarget()
    row = next(row for row in settings.rows if row.target == "Fcl_MTH_A")
    assert (round(row.gain, 3), round(row.offset, 3), row.use) == (0.5, 0.1, False)


def test_a_head_with_the_same_keys_does_the_same(ada, settings):
    head, own = arkit(settings), ada.makeittalk.body
    bake()
    for name, most in (("jawOpen", 0.12), ("eyeBlinkLeft", 0.01), ("mouthPucker", 0.25), ("browInnerUp", 0.01)):
        np.testing.assert_allclose(shown(head, name), shown(own, name), atol=most, err_msg=name)
    assert shown(head, "eyeBlinkRight").max() > 0.9


@pytest.mark.parametrize("who", [arkit, vrm, oculus, rhubarb])
def test_lips_shut_when_ours_do(settings, who):
    head = who(settings)
    bake()
    opening = gaps(head)
    assert opening.max() > 0.05
    at_closures = opening[np.array(SHUT) - 1]
    assert np.abs(at_closures).max() < 0.1 * opening.max()


def test_marked_phones_are_kept(ada, settings, scene):
    head = oculus(settings)
    bake()
    before = [shown(head, name) for name in ("PP", "FF")]
    open_at = 6 + int(gaps(head, range(7, 12)).argmax())  # no closure is there
    cues = [
        Cue(0.0, open_at / 24, "SIL"),
        Cue(open_at / 24, (open_at + 2) / 24, "M"),
        Cue((open_at + 2) / 24, 1.0, "AA1"),
    ]
    cues += [Cue(1.0, 1.2, "V"), Cue(1.2, 4.0, "AH0")]
    part("addon.scene.markers").write(scene, ada.makeittalk.current, "PHONES", cues, 24.0)
    bake()
    assert np.abs(gaps(head, range(open_at + 1, open_at + 4))).min() < 0.1 * gaps(head).max()
    after = shown(head, "FF")
    assert after[24:29].max() > before[1][24:29].max() + 0.2 and abs(after[60:] - before[1][60:]).max() < 0.01


def test_edits_of_the_source_come_along(ada, settings):
    head = arkit(settings)
    for frame, value in ((1, 0.0), (20, 0.7), (40, 0.0)):
        key(ada.makeittalk.body.data.shape_keys, 'key_blocks["browInnerUp"].value', value, frame=frame)
    bake()
    np.testing.assert_allclose(shown(head, "browInnerUp"), shown(ada.makeittalk.body, "browInnerUp"), atol=0.01)
    assert shown(head, "browInnerUp").max() > 0.65


def test_gain_offset_and_switch(settings):
    head = arkit(settings)
    bake()
    before = shown(head, "eyeBlinkLeft")
    rows = {row.target: row for row in settings.rows}
    rows["eyeBlinkLeft"].gain, rows["eyeBlinkLeft"].offset, rows["eyeBlinkRight"].use = 0.5, 0.2, False
    bake()
    np.testing.assert_allclose(shown(head, "eyeBlinkLeft"), 0.5 * before + 0.2, atol=5e-3)
    assert not shown(head, "eyeBlinkRight").any()


def test_its_own_action_is_added_and_stays(settings):
    head = arkit(settings)
    keys = head.data.shape_keys
    for frame, value in ((1, 0.3), (60, 0.1)):
        keys.key_blocks["eyeBlinkLeft"].value = value
        keys.keyframe_insert('key_blocks["eyeBlinkLeft"].value', frame=frame)
        keys.key_blocks["cheekPuff"].value = value
        keys.keyframe_insert('key_blocks["cheekPuff"].value', frame=frame)
    own, action = shown(head, "eyeBlinkLeft"), keys.animation_data.action
    puffed = shown(head, "cheekPuff")
    copies = [np.array([point.co[:] for point in curve.keyframe_points]) for curve in curves(keys)]
    for row in [row for row in settings.rows if row.target == "cheekPuff"]:
        row.use = False
    bake()
    alone = shown(settings.id_data.makeittalk.body, "eyeBlinkLeft")
    np.testing.assert_allclose(shown(head, "eyeBlinkLeft"), np.clip(own + alone, 0.0, 1.0), atol=0.01)
    np.testing.assert_allclose(shown(head, "cheekPuff"), puffed, atol=1e-3)
    assert keys.animation_data.action == action
    for before, curve in zip(copies, curves(keys), strict=True):
        np.testing.assert_array_equal(before, np.array([point.co[:] for point in curve.keyframe_points]))
    bpy.ops.makeittalk.remove_retarget()
    np.testing.assert_allclose(shown(head, "eyeBlinkLeft"), own, atol=1e-6)
    assert keys.animation_data.action_blend_type == "REPLACE" and not len(keys.animation_data.nla_tracks)


def curves(keys):
    return list(part("addon.compat").assigned_curves(keys).fcurves)


@pytest.mark.parametrize("blend", ["REPLACE", "ADD"])
def test_its_own_strips_stay(settings, blend):
    head = arkit(settings)
    keys = head.data.shape_keys
    keys.key_blocks["cheekPuff"].value = 0.4
    keys.keyframe_insert('key_blocks["cheekPuff"].value', frame=1)
    animation = keys.animation_data
    track = animation.nla_tracks.new()
    strip = track.strips.new("Mine", 1, animation.action)
    strip.blend_type = blend
    if hasattr(strip, "action_slot"):
        strip.action_slot = animation.action_slot
    animation.action = None
    before = shown(head, "cheekPuff", [1, 30])
    for row in [row for row in settings.rows if row.target == "cheekPuff"]:
        row.use = False
    bake()
    np.testing.assert_allclose(shown(head, "cheekPuff", [1, 30]), before, atol=1e-4)
    alone = shown(settings.id_data.makeittalk.body, "eyeBlinkLeft")
    np.testing.assert_allclose(shown(head, "eyeBlinkLeft"), alone, atol=0.01)
    bpy.ops.makeittalk.remove_retarget()
    assert [item.name for item in animation.nla_tracks] == [track.name]
    np.testing.assert_allclose(shown(head, "cheekPuff", [1, 30]), before, atol=1e-6)


def test_again_it_replaces_only_what_it_made(settings):
    head = arkit(settings)
    bake()
    tracks, actions = len(head.data.shape_keys.animation_data.nla_tracks), set(bpy.data.actions)
    before = shown(head, "jawOpen")
    bake()
    assert len(head.data.shape_keys.animation_data.nla_tracks) == tracks and len(bpy.data.actions) == len(actions)
    np.testing.assert_allclose(shown(head, "jawOpen"), before, atol=1e-6)


def test_it_goes_without_a_trace(settings):
    head = arkit(settings)
    keys, known = head.data.shape_keys, set(bpy.data.actions)
    keys.key_blocks["mouthSmileLeft"].value = 0.35
    bake()
    bpy.context.scene.frame_set(33)
    assert bpy.ops.makeittalk.remove_retarget() == {"FINISHED"}
    bpy.context.scene.frame_set(34)
    assert keys.animation_data is None and set(bpy.data.actions) == known and not keys.keys()
    values = {block.name: block.value for block in keys.key_blocks[1:] if block.value}
    assert values == {"mouthSmileLeft": pytest.approx(0.35)}
    with pytest.raises(RuntimeError, match="Nothing is on the target"):
        bpy.ops.makeittalk.remove_retarget()


def test_it_is_one_step_of_undo(ada, settings):
    arkit(settings)
    bpy.ops.ed.undo_push(message="before")
    bake()
    bpy.ops.ed.undo_push(message="baked")
    bpy.ops.ed.undo()
    head = bpy.data.objects["Egg"]
    assert head.data.shape_keys.animation_data is None
    bpy.ops.ed.redo()
    assert shown(bpy.data.objects["Egg"], "eyeBlinkLeft").max() > 0.9


def test_it_is_saved_with_the_file(ada, settings, tmp_path):
    head = arkit(settings)
    bake()
    before = shown(head, "jawOpen")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    head = bpy.data.objects["Egg"]
    np.testing.assert_allclose(shown(head, "jawOpen"), before, atol=1e-6)
    settings = bpy.data.collections["Ada"].makeittalk.retarget
    assert settings.target == head and len(settings.rows) > 30
    bake()
    assert bpy.ops.makeittalk.remove_retarget() == {"FINISHED"}
    assert head.data.shape_keys.animation_data is None


def test_what_cannot_take_it_says_why(ada, settings, scene):
    retarget = part("addon.scene.retarget")
    with pytest.raises(RuntimeError, match="Choose a target first"):
        bpy.ops.makeittalk.bake_retarget()
    assert not retarget.can_take(ada.makeittalk.body) and not retarget.can_take(scene.camera)
    settings.target = second_head.add("Odd", {"Lump": "arkit:jawOpen", "Bump": "arkit:mouthPucker"})
    with pytest.raises(RuntimeError, match="No name of Odd is known"):
        bpy.ops.makeittalk.bake_retarget()
    bpy.ops.makeittalk.add_mapping(target="Lump", meaning="arkit:nonsense")
    with pytest.raises(RuntimeError, match="meaning that is not known"):
        bpy.ops.makeittalk.bake_retarget()
    settings.rows[0].meaning = "arkit:jawOpen"
    bake()


def test_a_deleted_target_is_told_of(settings, scene):
    head = arkit(settings)
    with bpy.context.temp_override(selected_objects=[head]):
        bpy.ops.object.delete()
    if settings.target is not None:
        with pytest.raises(RuntimeError, match="Egg was deleted"):
            bpy.ops.makeittalk.bake_retarget()
    else:
        with pytest.raises(RuntimeError, match="Choose a target first"):
            bpy.ops.makeittalk.bake_retarget()


def test_fewest_keys_or_one_a_frame(ada, settings):
    head = arkit(settings)
    bake()

    def count() -> int:
        made = part("addon.scene.retarget_layer")
        (layer,) = made.found(head.data.shape_keys, made.FACE)
        assert layer.track.name == "MakeItTalk Retarget" and layer.strip.blend_type == "ADD"
        return len(layer.curves.fcurves.find(JAW).keyframe_points)

    few = count()
    assert few < 0.7 * talking.FRAMES
    ada.makeittalk.every_frame = True
    bake()
    assert count() == talking.FRAMES


def test_a_linked_target_is_refused(settings, scene, tmp_path):
    head = second_head.add("Linked", second_head.VRM)
    bpy.data.libraries.write(str(tmp_path / "lib.blend"), {head})
    bpy.data.objects.remove(head)
    with bpy.data.libraries.load(str(tmp_path / "lib.blend"), link=True) as (_source, wanted):
        wanted.objects = ["Linked"]
    scene.collection.objects.link(wanted.objects[0])
    settings.target = wanted.objects[0]
    for operator in (bpy.ops.makeittalk.bake_retarget, bpy.ops.makeittalk.drive_retarget):
        with pytest.raises(RuntimeError, match=r"is linked from lib\.blend"):
            operator()


def test_a_preset_goes_round(settings, tmp_path):
    vrm(settings)
    settings.rows[0].gain, settings.rows[1].use = 0.75, False
    before = [(row.target, row.meaning, row.gain, row.offset, row.use) for row in settings.rows]
    path = tmp_path / "avatar.json"
    assert bpy.ops.makeittalk.save_retarget_preset(filepath=str(path)) == {"FINISHED"}
    settings.rows.clear()
    assert bpy.ops.makeittalk.load_retarget_preset(filepath=str(path)) == {"FINISHED"}
    assert [(row.target, row.meaning, row.gain, row.offset, row.use) for row in settings.rows] == before
    path.write_text('{"format": 1, "kind": "makeittalk retarget", "rows": [{"target": 3}]}')
    with pytest.raises(RuntimeError, match="no preset of Retarget"):
        bpy.ops.makeittalk.load_retarget_preset(filepath=str(path))
    assert len(settings.rows) == len(before)
    path.write_text('{"format": 1, "kind": "makeittalk retarget", "rows": [{"target": "Gone", "meaning": "vrm:aa"}]}')
    bpy.ops.makeittalk.load_retarget_preset(filepath=str(path))
    assert "nothing for 1 of them" in bpy.context.window_manager.makeittalk.message


def drive() -> None:
    assert bpy.ops.makeittalk.drive_retarget() == {"FINISHED"}


@pytest.mark.parametrize("who", [arkit, vrm, oculus, rhubarb])
def test_driven_lips_move_and_shut(settings, who):
    head = who(settings)
    bake()
    baked = gaps(head)
    drive()
    drivers = head.data.shape_keys.animation_data.drivers
    assert not len(head.data.shape_keys.animation_data.nla_tracks) and len(drivers) >= 4
    for curve in drivers:
        assert curve.driver.is_valid and curve.driver.is_simple_expression, curve.driver.expression
    opening = gaps(head)
    assert np.corrcoef(opening, baked)[0, 1] > 0.9 and opening.max() > 0.6 * baked.max()
    assert np.abs(opening[np.array(SHUT) - 1]).max() < 0.1 * opening.max()


def test_a_drive_follows_an_edit_at_once(ada, settings):
    head = arkit(settings)
    drive()
    assert shown(head, "browInnerUp", [20])[0] == pytest.approx(0.0, abs=0.02)
    key(ada.makeittalk.body.data.shape_keys, 'key_blocks["browInnerUp"].value', 0.6, frame=20.0)
    assert shown(head, "browInnerUp", [20])[0] == pytest.approx(0.6, abs=0.05)


def test_a_drive_goes_without_a_trace(settings):
    head = arkit(settings)
    keys = head.data.shape_keys
    keys.key_blocks["jawOpen"].value = 0.2
    drive()
    drive()
    bpy.context.scene.frame_set(20)
    bpy.ops.makeittalk.remove_retarget()
    assert keys.animation_data is None and not keys.keys()
    assert keys.key_blocks["jawOpen"].value == pytest.approx(0.2)


def test_a_character_that_goes_drives_no_longer_and_leaves_what_it_baked(ada, settings, scene):
    head, second = arkit(settings), second_head.add("Second", second_head.VRM)
    bake()
    settings.target = second
    drive()
    assert bpy.ops.makeittalk.remove_character() == {"FINISHED"}
    assert second.data.shape_keys.animation_data is None
    assert shown(head, "eyeBlinkLeft").max() > 0.9


def test_a_driver_of_somebody_else_s_is_left_alone(settings):
    head = arkit(settings)
    keys = head.data.shape_keys
    keys.name = "Egg"
    keys.driver_add(JAW).driver.expression = "0.5"
    for operator in (bpy.ops.makeittalk.drive_retarget, bpy.ops.makeittalk.bake_retarget):
        with pytest.raises(RuntimeError, match="jawOpen of Egg has a driver already"):
            operator()
    assert len(keys.animation_data.drivers) == 1
    next(row for row in settings.rows if row.target == "jawOpen").use = False
    drive()
    bpy.ops.makeittalk.remove_retarget()
    assert len(keys.animation_data.drivers) == 1


@pytest.mark.parametrize("nowhere", [np.nan, np.inf])
@pytest.mark.parametrize("whose", ["ours", "theirs"])
def test_points_that_lie_nowhere_are_a_sentence(ada, settings, nowhere, whose):
    target = arkit(settings)
    bpy.ops.makeittalk.match_retarget()
    for block in (ada.makeittalk.body if whose == "ours" else target).data.shape_keys.key_blocks:
        for point in block.points:
            point.co.x = nowhere
    with pytest.raises(RuntimeError, match="lie nowhere"):
        bpy.ops.makeittalk.bake_retarget()
    with pytest.raises(RuntimeError, match="lie nowhere"):
        bpy.ops.makeittalk.drive_retarget()
