"""Landmarks by hand with the real backend: a drawing that nobody finds talks, and a finished character is corrected."""

from __future__ import annotations

import bpy
import drawn_face
import numpy as np
import pytest
from drawn_face import CLICKS
from extension import part
from generated import changed, curve, key, shown
from project import ASSETS

CARTOON, SPEECH = str(ASSETS / "portrait_cartoon.png"), str(ASSETS / "speech.flac")
LIPS = slice(48, 68)


@pytest.fixture
def settings(scene, backend):
    settings = scene.makeittalk
    settings.seed, settings.portrait, settings.speech = 3, CARTOON, SPEECH
    return settings


@pytest.fixture
def drawing(tmp_path) -> str:
    return str(drawn_face.write(tmp_path / "drawn.png"))


def landmarks() -> np.ndarray:
    landmark_mesh = part("addon.scene.landmark_mesh")
    return landmark_mesh.read(landmark_mesh.active(bpy.context))


def rest(character, wanted=range(68)) -> np.ndarray:
    """Where the landmarks' vertices lie in the Basis of a character, px."""
    arrays = part("addon.scene.bakes").mesh_of(character)
    basis = character.makeittalk.body.data.shape_keys.key_blocks[0]
    points = np.empty(3 * len(basis.data), np.float32)
    basis.data.foreach_get("co", points)
    places = part("addon.core.coordinates").points_from_blender(points.reshape(-1, 3), arrays.image_size)
    return places[arrays.landmark_vertices][list(wanted)]


def opening(character) -> np.ndarray:
    """How far apart the inner lips' middles are on each frame, in widths of the mouth."""
    arrays = part("addon.scene.bakes").mesh_of(character)
    upper, lower, right, left = (int(arrays.landmark_vertices[i]) for i in (62, 66, 48, 54))
    body, found = character.makeittalk.body, []
    for frame in range(character.makeittalk.start, character.makeittalk.start + character.makeittalk.frames):
        bpy.context.scene.frame_set(frame)
        points = body.evaluated_get(bpy.context.evaluated_depsgraph_get()).data.vertices
        width = (points[right].co - points[left].co).length
        found.append((points[upper].co - points[lower].co).length / width)
    return np.array(found)


def test_a_drawing_that_nobody_finds_talks_after_seven_clicks(settings, scene, drawing):
    settings.portrait = drawing
    with pytest.raises(RuntimeError, match="Edit Landmarks"):
        bpy.ops.makeittalk.make_it_talk()
    assert bpy.ops.makeittalk.edit_landmarks() == {"FINISHED"}
    session = bpy.context.window_manager.makeittalk
    assert "No face was found in drawn.png" in session.message and "Place by Clicks" in session.message
    for call in (bpy.ops.makeittalk.make_it_talk, bpy.ops.makeittalk.apply_landmarks):  # as nobody has touched it
        with pytest.raises(RuntimeError, match="Nobody has placed the landmarks yet"):
            call()
    with pytest.raises(RuntimeError, match="same point"):
        bpy.ops.makeittalk.place_landmarks(clicks=[100.0] * 14)
    assert bpy.ops.makeittalk.place_landmarks(clicks=[value for place in CLICKS for value in place]) == {"FINISHED"}
    placed = landmarks()
    for members, wanted in zip(
        (range(36, 42), range(42, 48), [30], [48], [54], [8]), (*CLICKS[:5], CLICKS[6]), strict=True
    ):
        np.testing.assert_allclose(placed[list(members), :2].mean(axis=0), wanted, atol=0.05)
    with pytest.raises(RuntimeError, match="Nothing like a face"):
        bpy.ops.makeittalk.refine_landmarks()
    np.testing.assert_allclose(landmarks(), placed, atol=1e-3)  # they stay
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}  # without Apply: what is placed counts
    character = part("addon.scene.character").active(bpy.context)
    assert part("addon.scene.landmark_mesh").active(bpy.context) is None and settings.is_placed
    np.testing.assert_allclose(rest(character, range(48, 60))[:, :2], placed[48:60, :2], atol=2.0)
    gaps = opening(character)
    assert gaps.max() > 0.1 and gaps.min() < 0.03
    assert (scene.frame_start, scene.frame_end) == (1, character.makeittalk.frames)  # the scene was set up
    # A new take keeps the placed points, though nothing is found.
    character.makeittalk.seed = 9
    assert bpy.ops.makeittalk.new_take() == {"FINISHED"}
    assert opening(character).max() > 0.1


def test_refined_clicks_are_what_the_detector_sees(settings):
    assert bpy.ops.makeittalk.edit_landmarks() == {"FINISHED"}
    found = landmarks()
    landmark_mesh = part("addon.scene.landmark_mesh")
    points = landmark_mesh.active(bpy.context)
    landmark_mesh.write(points, found + np.random.default_rng(0).normal(0, 6, (68, 3)))
    assert bpy.ops.makeittalk.refine_landmarks() == {"FINISHED"}
    width = np.linalg.norm(found[16] - found[0])
    assert np.linalg.norm(landmarks() - found, axis=1).mean() < 0.02 * width
    assert points.mode == "EDIT" and landmark_mesh.face_of(points).irises is not None


def test_a_finished_character_is_corrected_in_place(settings, scene, tmp_path):
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    character = part("addon.scene.character").active(bpy.context)
    made = character.makeittalk
    body, keys, data, root = made.body, made.body.data.shape_keys, made.body.data, made.rig
    # What the animator has done with it: keys on top, a changed generated curve, a shape and a group of their own.
    key(keys, 'key_blocks["jawOpen"].value', 0.4, frame=20)
    key(root, 'pose.bones["head"].rotation_euler', 0.2, frame=20)
    generated = curve(character, "Lips", 'key_blocks["jawOpen"].value')
    generated.keyframe_points[1].co.y += 0.3
    generated.update()
    block = body.shape_key_add(name="Dimple", from_mix=False)
    corner = int(part("addon.scene.bakes").mesh_of(character).landmark_vertices[48])
    block.data[corner].co.z += 0.02
    block.value = 0.5
    body.vertex_groups.new(name="Mine").add([corner], 1.0, "REPLACE")
    made.lip = 0.8
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "ada.blend"))
    before, edited, session_uid = shown(character), changed(character), (data.session_uid, keys.session_uid)
    actions = [item.animation_data.action for item in (keys, root)]
    materials, drivers = list(data.materials), len(keys.animation_data.drivers)
    names = [item.name for item in keys.key_blocks]
    lips, before_gaps = rest(character), opening(character)

    assert bpy.ops.makeittalk.edit_character_landmarks() == {"FINISHED"}
    points = part("addon.scene.landmark_mesh").active(bpy.context)
    placed = landmarks()
    placed[LIPS] = placed[LIPS].mean(axis=0) + (placed[LIPS] - placed[LIPS].mean(axis=0)) * (1.2, 1.0, 1.0)
    placed[LIPS, 1] += 12.0
    part("addon.scene.landmark_mesh").write(points, placed)
    # Saved and opened again in the middle.
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "half.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "half.blend"))
    np.testing.assert_allclose(landmarks(), placed, atol=0.01)
    character = part("addon.scene.character").characters(bpy.context.scene)[0]
    made = character.makeittalk
    body, keys, data, root = made.body, made.body.data.shape_keys, made.body.data, made.rig
    session_uid = (data.session_uid, keys.session_uid)
    actions = [item.animation_data.action for item in (keys, root)]
    materials = list(data.materials)
    assert bpy.ops.makeittalk.apply_landmarks() == {"FINISHED"}

    assert part("addon.scene.landmark_mesh").active(bpy.context) is None
    assert (made.body.data.session_uid, made.body.data.shape_keys.session_uid) == session_uid
    assert made.body.data.shape_keys == keys and list(data.materials)[: len(materials)] == materials
    moved = rest(character)[LIPS] - lips[LIPS]
    assert moved[:, 1].mean() == pytest.approx(12.0, abs=1.5)
    np.testing.assert_allclose(rest(character)[:17, :2], lips[:17, :2], atol=1.0)
    assert [item.name for item in keys.key_blocks] == names and len(keys.animation_data.drivers) == drivers
    counts = {len(item.data) for item in keys.key_blocks}
    assert counts == {len(data.vertices)} == {len(part("addon.scene.bakes").mesh_of(character).vertices)}
    # The animator's work: the same actions with the same keys, the changed curve as a difference.
    assert [item.animation_data.action for item in (keys, root)] == actions
    curves = part("addon.compat").assigned_curves
    for owner, path, value in (
        (keys, 'key_blocks["jawOpen"].value', 0.4),
        (root, 'pose.bones["head"].rotation_euler', 0.2),
    ):
        (point,) = curves(owner).fcurves.find(path, index=0).keyframe_points
        assert point.co[:] == pytest.approx((20.0, value))
    assert edited and not changed(character)
    after = shown(character)
    assert after.keys() == before.keys()
    for path in before:
        if path.startswith("pose"):
            np.testing.assert_allclose(after[path], before[path], atol=0.02, err_msg=path)
    jaw = 'key_blocks["jawOpen"].value[0]'
    assert np.corrcoef(before[jaw], after[jaw])[0, 1] > 0.97
    # Their own shape and group went with the corner of the mouth.
    corner = int(part("addon.scene.bakes").mesh_of(character).landmark_vertices[48])
    basis, dimple = (keys.key_blocks[name].data[corner].co.z for name in (names[0], "Dimple"))
    assert dimple - basis == pytest.approx(0.02, abs=0.004) and keys.key_blocks["Dimple"].value == 0.5
    assert body.vertex_groups["Mine"].weight(corner) > 0.8 and made.lip == pytest.approx(0.8)
    gaps = opening(character)
    # The mouth is wider and opens as far; a frame in a hundred may be drawn onto another moment of a closure.
    assert np.quantile(np.abs(1.2 * gaps - before_gaps), 0.98) < 0.01
    # And it is a whole character: it re-bakes, takes anew, and is kept.
    assert bpy.ops.makeittalk.rebake() == {"FINISHED"}
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "done.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "done.blend"))
    character = part("addon.scene.character").characters(bpy.context.scene)[0]
    assert np.abs(opening(character) - gaps).max() < 0.01
    character.makeittalk.seed = 11
    assert bpy.ops.makeittalk.new_take() == {"FINISHED"}
    assert rest(character)[LIPS, 1].mean() == pytest.approx(lips[LIPS, 1].mean() + 12.0, abs=1.5)


def test_a_merged_character_is_corrected_and_the_correction_is_undone_and_redone(settings):
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    character = part("addon.scene.character").active(bpy.context)
    assert bpy.ops.makeittalk.merge() == {"FINISHED"}
    before, gaps = rest(character), opening(character)
    bpy.ops.ed.undo_push(message="Merge")
    assert bpy.ops.makeittalk.edit_character_landmarks() == {"FINISHED"}
    placed = landmarks()
    placed[LIPS, 1] += 10.0
    part("addon.scene.landmark_mesh").write(part("addon.scene.landmark_mesh").active(bpy.context), placed)
    bpy.ops.ed.undo_push(message="Move Landmarks")
    assert bpy.ops.makeittalk.apply_landmarks() == {"FINISHED"}
    bpy.ops.ed.undo_push(message="Apply Landmarks")
    after, corrected = rest(character), opening(character)
    assert after[LIPS, 1].mean() == pytest.approx(before[LIPS, 1].mean() + 10.0, abs=1.5)
    assert np.quantile(np.abs(corrected - gaps), 0.98) < 0.02  # it speaks as before

    def now() -> bpy.types.Collection:
        return part("addon.scene.character").characters(bpy.context.scene)[0]

    bpy.ops.ed.undo()
    assert part("addon.scene.landmark_mesh").active(bpy.context) is not None  # still moved
    np.testing.assert_allclose(landmarks(), placed, atol=0.01)
    np.testing.assert_allclose(rest(now()), before, atol=1e-3)
    bpy.ops.ed.undo()
    assert part("addon.scene.landmark_mesh").active(bpy.context) is None
    np.testing.assert_allclose(opening(now()), gaps, atol=1e-3)
    for _step in range(2):
        bpy.ops.ed.redo()
    np.testing.assert_allclose(rest(now()), after, atol=1e-3)
    np.testing.assert_allclose(opening(now()), corrected, atol=1e-3)


def test_landmarks_that_fold_change_nothing(settings):
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    character = part("addon.scene.character").active(bpy.context)
    before, vertices = rest(character), len(character.makeittalk.body.data.vertices)
    character.makeittalk.rig.hide_set(True)
    with pytest.raises(RuntimeError, match="is hidden"):
        bpy.ops.makeittalk.edit_character_landmarks()
    character.makeittalk.rig.hide_set(False)
    known = part("addon.core.placed_face").from_text(character.makeittalk.landmarks).landmarks
    character.makeittalk.landmarks = ""  # as a file from before says it
    assert bpy.ops.makeittalk.edit_character_landmarks() == {"FINISHED"}
    landmark_mesh = part("addon.scene.landmark_mesh")
    points = landmark_mesh.active(bpy.context)
    folded = landmarks()
    np.testing.assert_allclose(folded, known, atol=0.01)
    folded[:] = folded[np.random.default_rng(5).permutation(68)]
    landmark_mesh.write(points, folded)
    with pytest.raises(RuntimeError):
        bpy.ops.makeittalk.apply_landmarks()
    assert landmark_mesh.active(bpy.context) == points
    np.testing.assert_array_equal(rest(character), before)
    assert len(character.makeittalk.body.data.vertices) == vertices
    assert bpy.ops.makeittalk.cancel_landmarks() == {"FINISHED"}
    assert bpy.context.view_layer.objects.active == character.makeittalk.rig


def test_every_speech_goes_over_to_the_corrected_face(settings, scene):
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    character = part("addon.scene.character").active(bpy.context)
    scene.frame_set(character.makeittalk.frames + 20)
    assert bpy.ops.makeittalk.add_speech(filepath=SPEECH) == {"FINISHED"}
    before = [(item.uid, item.start, item.frames, item.bake_data) for item in character.makeittalk.speeches]
    assert bpy.ops.makeittalk.edit_character_landmarks() == {"FINISHED"}
    landmark_mesh = part("addon.scene.landmark_mesh")
    placed = landmarks()
    placed[17:27, 1] -= 15.0
    landmark_mesh.write(landmark_mesh.active(bpy.context), placed)
    assert bpy.ops.makeittalk.apply_landmarks() == {"FINISHED"}
    after = [(item.uid, item.start, item.frames, item.bake_data) for item in character.makeittalk.speeches]
    assert [item[:3] for item in after] == [item[:3] for item in before] and len(after) == 2
    read = part("backend.makeittalk.exchange.formats.motion").read_motion_arrays
    for old, item in zip(before, character.makeittalk.speeches, strict=True):
        motion, _mesh = part("addon.scene.character").kept_files(character, item)
        np.testing.assert_allclose(read(motion)["neutral"], placed, atol=0.01)
        assert item.bake_data != old[3]
    found = part("addon.scene.layers").layers(character.makeittalk.body.data.shape_keys)
    assert sum(layer.part == "Lips" for layer in found) == 2
