"""Gestures on top of the generated layers, as Blender shows them."""

from __future__ import annotations

import acting
import bpy
import numpy as np
import pytest
from extension import part
from generated import changed, key, shown

LID, LID_RIGHT = 'key_blocks["eyeBlinkLeft"].value', 'key_blocks["eyeBlinkRight"].value'
TURNS = 'pose.bones["head"].rotation_euler'
PLACES = 'pose.bones["head"].location'
HEAD = [f"{path}[{axis}]" for path in (TURNS, PLACES) for axis in range(3)]
FPS = 24.0


@pytest.fixture
def ada(scene, tmp_path):
    return acting.build(tmp_path)


def add(character, kind, start=20.0, **options):
    return part("addon.scene.gestures").add(character, kind, start, FPS, **options)


def difference(before, after) -> dict[str, np.ndarray]:
    return {path: after[path] - before[path] for path in before}


def landmarks(character, frame: int) -> np.ndarray:
    """(68, 3) world places of the landmark vertices."""
    bpy.context.scene.frame_set(frame)
    body = character.makeittalk.body
    evaluated = body.evaluated_get(bpy.context.evaluated_depsgraph_get())
    found = evaluated.to_mesh()
    places = np.empty(len(found.vertices) * 3, np.float32)
    found.vertices.foreach_get("co", places)
    evaluated.to_mesh_clear()
    return places.reshape(-1, 3)[acting.landmark_vertices()]


def test_blinks_of_every_speech_are_found(ada, tmp_path):
    blinks, job = part("addon.scene.gestures").blinks, tmp_path / "job"
    first = blinks(ada)
    part("addon.scene.character").say_more(ada, job / "motion.npz", job / "bake.npz", 201)
    both = [(span.first, span.last) for span in blinks(ada)]
    assert len(first) == 2 and both == [(span.first + by, span.last + by) for by in (0, 200) for span in first]
    ada.makeittalk.active_speech = 0
    assert len(blinks(ada)) == 4


@pytest.mark.parametrize("kind", ["NOD", "SHAKE", "TILT", "LOOK_AWAY", "BROWS", "BLINK", "SMILE", "FROWN", "SURPRISE"])
def test_a_gesture_moves_its_span_alone(ada, kind):
    before = shown(ada)
    span = add(ada, kind, 40.0)
    changes = difference(before, shown(ada))
    moved = {path for path, values in changes.items() if np.abs(values).max() > 1e-3}
    assert moved
    for path in changes:
        outside = np.r_[0 : span.first, span.last - 1 : acting.FRAMES]
        np.testing.assert_allclose(changes[path][outside], 0.0, atol=1e-5, err_msg=path)
    assert changed(ada) == []


@pytest.mark.parametrize(
    ("kind", "direction", "axis", "seen"),
    [
        ("NOD", "DOWN", 2, -1.0),
        ("NOD", "UP", 2, 1.0),
        ("LOOK_AWAY", "LEFT", 0, -1.0),
        ("LOOK_AWAY", "RIGHT", 0, 1.0),
        ("LOOK_AWAY", "UP", 2, 1.0),
        ("TILT", "LEFT", 0, -1.0),
        ("TILT", "RIGHT", 0, 1.0),
    ],
)
def test_it_goes_where_it_says(ada, kind, direction, axis, seen):
    """In the picture: the head's middle goes down, left …, further than it swings back."""
    frames = range(20, 60)
    before = np.array([landmarks(ada, frame).mean(axis=0) for frame in frames])
    add(ada, kind, 20.0, direction=direction)
    after = np.array([landmarks(ada, frame).mean(axis=0) for frame in frames])
    moved = (after - before)[:, axis] * seen
    assert moved.max() > 0.003 and moved.max() > -1.5 * moved.min()


def test_renamed_bones_and_keys_are_moved(ada):
    """By what they are now, as the first gesture after their renaming shows."""
    gestures, settings = part("addon.scene.gestures"), ada.makeittalk
    settings.rig.data.bones["head"].name = "skull"
    keys = settings.body.data.shape_keys
    keys.key_blocks["eyeBlinkLeft"].name = "wink"
    assert [(span.first, span.last) for span in gestures.blinks(ada)] == list(acting.BLINKS)
    for kind in ("NOD", "BLINK"):
        add(ada, kind, 50.0)
    gestures.hold_still(ada, 80.0, 110.0, 6.0)
    paths = {
        curve.data_path
        for owner in part("addon.scene.bakes").owners_of(ada)
        for curve in part("addon.compat").assigned_curves(owner).fcurves
    }
    turns, places = (f'pose.bones["skull"].{name}' for name in ("rotation_euler", "location"))
    assert paths == {turns, places, 'key_blocks["wink"].value', LID_RIGHT, "makeittalk.still"}


def test_a_second_nod_leaves_the_first_alone(ada):
    before = shown(ada)
    first = add(ada, "NOD", 10.0)
    once = difference(before, shown(ada))
    second = add(ada, "NOD", 60.0, strength=1.5)
    twice = difference(before, shown(ada))
    path = f"{TURNS}[0]"
    np.testing.assert_allclose(twice[path][: first.last + 5], once[path][: first.last + 5], atol=1e-6)
    assert twice[path][60:].max() == pytest.approx(1.5 * once[path].max(), rel=0.02)
    third = add(ada, "NOD", second.first)  # on top of the second
    both = difference(before, shown(ada))
    assert third == second
    np.testing.assert_allclose(both[path][58:], twice[path][58:] * 2.5 / 1.5, atol=2e-3)


@pytest.mark.parametrize("handles", ["AUTO", "AUTO_CLAMPED", "VECTOR", "ALIGNED", "FREE"])
@pytest.mark.parametrize("interpolation", ["BEZIER", "LINEAR", "CONSTANT", "ELASTIC"])
def test_keys_elsewhere_never_move(ada, handles, interpolation):
    own = None
    for frame, value in ((4, 0.1), (12, -0.2), (28, 0.25), (52, 0.3), (70, -0.1), (95, 0.2)):
        own = key(ada.makeittalk.rig, TURNS, value, 0, frame)
    for point in own.keyframe_points:
        point.handle_left_type = point.handle_right_type = handles
        point.interpolation = interpolation
    own.update()
    keys = {point.co.x: point.co.y for point in own.keyframe_points}
    frames = np.arange(-10.0, 130.0, 0.25)
    before = np.array([own.evaluate(frame) for frame in frames])
    span = add(ada, "NOD", 30.0)
    assert span.first == 30 and span.last < 52
    own = part("addon.scene.own_layer").curve(ada.makeittalk.rig, TURNS, 0)
    after = np.array([own.evaluate(frame) for frame in frames])
    outside = (frames <= span.first) | (frames >= span.last)
    eased = interpolation == "ELASTIC"  # a key a frame stands for it between two keys
    if eased:
        outside &= frames == np.round(frames)
    np.testing.assert_allclose(after[outside], before[outside], atol=2e-4)
    assert {point.co.x: point.co.y for point in own.keyframe_points}.items() >= keys.items()
    assert np.abs(after - before).max() > 0.1


def test_it_works_where_the_own_action_was_removed(ada):
    for owner in (ada.makeittalk.rig, ada.makeittalk.body.data.shape_keys):
        owner.animation_data.action = None
    before = shown(ada)
    add(ada, "NOD")
    add(ada, "SMILE")
    changes = difference(before, shown(ada))
    assert changes[f"{TURNS}[0]"].max() > 0.1 and changes['key_blocks["mouthSmileLeft"].value[0]'].max() > 0.5


def test_it_works_while_a_generated_strip_is_edited(ada):
    layers, root = part("addon.scene.layers"), ada.makeittalk.rig
    before = shown(ada)
    found = next(layer for layer in layers.layers(root) if layer.part == "Nod")
    root.animation_data.nla_tracks.active = found.track
    found.strip.select = True
    root.animation_data.use_tweak_mode = True
    assert root.animation_data.action == found.strip.action
    add(ada, "NOD")
    assert difference(before, shown(ada))[f"{TURNS}[0]"].max() > 0.1 and changed(ada) == []


def test_a_blink_shuts_the_eyes_and_no_further(ada):
    for start in (20.0, 31.0):  # alone, and into a generated one
        add(ada, "BLINK", start)
    lids = shown(ada)[f"{LID}[0]"]
    assert lids[18:28].max() == pytest.approx(1.0, abs=0.01) and lids.max() < 1.1


def rewrite(character, path) -> None:
    part("addon.scene.performance").write(character, path)


def test_a_removed_blink_stays_away(ada, tmp_path):
    gestures = part("addon.scene.gestures")
    before = shown(ada)
    first, second = gestures.blinks(ada)
    assert (first.first, first.last) == acting.BLINKS[0] and (second.first, second.last) == acting.BLINKS[1]
    gestures.remove_blink(ada, gestures.blink_at(ada, 40.0, FPS), FPS)
    assert gestures.blinks(ada) == [second]
    after = shown(ada)
    for path in (f"{LID}[0]", f"{LID_RIGHT}[0]"):
        np.testing.assert_allclose(after[path][25:40], 0.0, atol=1e-5)
        np.testing.assert_allclose(after[path][60:], before[path][60:], atol=2e-3)
    rewrite(ada, acting.write_bake(tmp_path / "again.npz", shift=1))
    assert shown(ada)[f"{LID}[0]"][20:50].max() < 0.02  # smoothed or shifted a little, it is still that blink
    rewrite(ada, acting.write_bake(tmp_path / "other.npz", shift=20))  # another take blinks elsewhere
    found = shown(ada)[f"{LID}[0]"]
    assert found.min() > -1e-5 and found[45:60].max() == pytest.approx(1.0, abs=0.02)
    ada.makeittalk.blink = 0.5
    assert shown(ada)[f"{LID}[0]"].max() == pytest.approx(0.5, abs=0.02)


def test_a_moved_blink_comes_elsewhere(ada):
    gestures = part("addon.scene.gestures")
    before = shown(ada)[f"{LID}[0]"]
    gestures.move_blink(ada, gestures.blink_at(ada, 33.0, FPS), 12, FPS)
    after = shown(ada)[f"{LID}[0]"]
    np.testing.assert_allclose(after[28 + 12 : 38 + 12], before[28:38], atol=0.03)
    np.testing.assert_allclose(after[25:38], 0.0, atol=1e-3)
    np.testing.assert_allclose(after[60:], before[60:], atol=2e-3)


def test_the_head_holds_still(ada, tmp_path):
    before = shown(ada)
    part("addon.scene.gestures").hold_still(ada, 30.0, 70.0, 6.0)
    after = shown(ada)
    for path in HEAD:
        np.testing.assert_allclose(after[path][35:63], before[path][29], atol=2e-3, err_msg=path)
        np.testing.assert_allclose(after[path][:30], before[path][:30], atol=1e-3)
        np.testing.assert_allclose(after[path][70:], before[path][70:], atol=1e-3)
        assert np.abs(np.diff(after[path])).max() < 2.0 * np.abs(np.diff(before[path])).max()
    ada.makeittalk.head = 0.3
    rewrite(ada, acting.write_bake(tmp_path / "again.npz"))
    still = shown(ada)[f"{TURNS}[0]"][35:63]
    np.testing.assert_allclose(still, before[f"{TURNS}[0]"][29], atol=2e-3)
    assert np.ptp(shown(ada)[f"{TURNS}[0]"][75:]) == pytest.approx(0.3 * np.ptp(before[f"{TURNS}[0]"][75:]), rel=0.05)


def test_gestures_survive_every_rewrite(ada, tmp_path):
    before = shown(ada)
    for kind in ("NOD", "SMILE", "BROWS"):
        add(ada, kind, 50.0)
    added = difference(before, shown(ada))
    rewrite(ada, acting.write_bake(tmp_path / "again.npz"))
    again = difference(before, shown(ada))
    for path in before:
        np.testing.assert_allclose(again[path], added[path], atol=2e-3, err_msg=path)
