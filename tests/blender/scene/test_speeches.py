"""Several recordings, one character: one after another, each a span of the generated layers, at rest between them."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
import samples
from extension import part
from generated import key
from sounding import SOUND

JAW = 'key_blocks["jawOpen"].value'


def values(character, frames) -> np.ndarray:
    """(N, 3) jaw, nod and sway on frames of the scene."""
    settings, found = character.makeittalk, []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        head = settings.rig.pose.bones["head"]
        jaw = settings.body.data.shape_keys.key_blocks["jawOpen"].value
        found.append((jaw, head.rotation_euler[0], head.location[0]))
    return np.array(found)


@pytest.fixture
def talking(make, job):
    """A character that speaks from frame 1 to 60 and from 121 to 180, and what it did before the second was added."""
    character = make()
    before = values(character, range(1, 61))
    part("addon.scene.character").say_more(character, job / "motion.npz", job / "bake.npz", 121)
    return character, before


def test_each_is_spoken_in_its_span_and_rests_between(talking):
    character, before = talking
    settings = character.makeittalk
    assert [(item.start, item.frames) for item in settings.speeches] == [(1, 60), (121, 60)]
    np.testing.assert_allclose(values(character, range(1, 61)), before, atol=2e-3)
    np.testing.assert_allclose(values(character, range(121, 181)), before, atol=2e-3)
    np.testing.assert_allclose(values(character, [-20, 80, 90, 100, 220]), 0.0, atol=1e-5)
    # It comes from rest and goes there without a jump.
    steps = np.abs(np.diff(values(character, range(-10, 200)), axis=0)).max(axis=0)
    inside = np.abs(np.diff(before, axis=0)).max(axis=0)
    assert (steps <= np.maximum(3 * inside, 0.35 * np.abs(before).max(axis=0))).all()


def test_the_scene_and_pictures_cover_both(talking):
    character, _before = talking
    assert part("addon.scene.speech").span(character) == (1, 180)
    assert bpy.ops.makeittalk.set_up_scene() == {"FINISHED"}
    assert bpy.context.scene.frame_end >= 180


def test_amounts_act_on_both(talking):
    character, before = talking
    character.makeittalk.head = 0.5
    for start in (1, 121):
        found = values(character, range(start, start + 60))
        np.testing.assert_allclose(found[:, 1:], 0.5 * before[:, 1:], atol=2e-3)


def test_one_moves_without_the_other(talking):
    character, before = talking
    keys = character.makeittalk.body.data.shape_keys
    first, second = key(keys, JAW, 0.05, frame=20), key(keys, JAW, 0.1, frame=130)
    assert first == second
    character.makeittalk.start = 201
    assert sorted(point.co[0] for point in second.keyframe_points) == [20.0, 210.0]
    np.testing.assert_allclose(values(character, range(1, 61))[:, 1:], before[:, 1:], atol=2e-3)
    np.testing.assert_allclose(values(character, range(201, 261))[:, 1:], before[:, 1:], atol=2e-3)
    np.testing.assert_allclose(values(character, [130])[:, 1:], 0.0, atol=1e-5)
    character.makeittalk.active_speech = 0
    assert character.makeittalk.start == 1


def test_a_key_that_moves_onto_another_one_replaces_it(talking):
    character, _before = talking
    keys = character.makeittalk.body.data.shape_keys
    key(keys, JAW, 0.1, frame=130)
    own = key(keys, JAW, 0.05, frame=210)
    character.makeittalk.start = 201
    assert [tuple(point.co) for point in own.keyframe_points] == [(210.0, pytest.approx(0.1))]


def test_a_recording_without_a_blink_takes_the_old_ones_away(make, job):
    blinking, still = samples.bake_arrays(60), samples.bake_arrays(60)
    blinking["blink_values"][20:30, 2] = 1.0
    np.savez_compressed(job / "bake.npz", **blinking)
    character = make()
    assert "Blinks" in names(character)
    np.savez_compressed(job / "bake.npz", **still)
    part("addon.scene.performance").write(character, job / "bake.npz")
    assert "Blinks" not in names(character)
    character.makeittalk.blink = 1.5
    assert not any("Blinks" in action.name for action in bpy.data.actions)


def names(character) -> set[str]:
    """The generated layers of the face."""
    keys = character.makeittalk.body.data.shape_keys
    return {layer.part for layer in part("addon.scene.layers").layers(keys)}


def test_edits_of_one_survive_a_bake_of_both(talking, job):
    character, _before = talking
    layers, performance = part("addon.scene.layers"), part("addon.scene.performance")
    keys, uid = character.makeittalk.body.data.shape_keys, character.makeittalk.current.uid
    lips = next(item for item in layers.layers(keys) if item.part == "Lips" and item.speech == uid)
    curve = lips.curves.fcurves.find(JAW)
    for point in curve.keyframe_points:
        point.co[1] += 0.2
    curve.update()
    edited = values(character, range(121, 181))
    for spoken in character.makeittalk.speeches:
        performance.write(character, job / "bake.npz", spoken)
    np.testing.assert_allclose(values(character, range(121, 181)), edited, atol=0.02)


def test_removing_one_leaves_the_other_as_it_was(talking):
    character, before = talking
    count = len(bpy.data.actions)
    part("addon.scene.character").say_less(bpy.context.scene, character)
    assert len(character.makeittalk.speeches) == 1 and len(bpy.data.actions) < count
    np.testing.assert_allclose(values(character, range(1, 61)), before, atol=1e-4)
    np.testing.assert_allclose(values(character, [200]), before[-1:], atol=1e-4)  # it stays where it ended
    assert not bpy.ops.makeittalk.remove_speech.poll()


def test_a_motion_of_another_character_adds_nothing(make, job, tmp_path):
    character = make()
    other = samples.write_job(tmp_path / "other")
    samples.spoil_array(other / "bake.npz", "key_names", lambda names: np.array([f"{name}x" for name in names]))
    with pytest.raises(part("backend.makeittalk.exchange.errors").MakeItTalkError, match="another character"):
        part("addon.scene.character").say_more(character, other / "motion.npz", other / "bake.npz", 121)
    assert len(character.makeittalk.speeches) == 1 and character.makeittalk.active_speech == 0


def test_keyed_amounts_act_after_push_down(make):
    """As strips that add up, whatever the slider says then."""
    character, compat = make(), part("addon.compat")
    rig = character.makeittalk.rig
    jaw = values(character, range(1, 61))[:, 0]
    for frame, value in ((20, 1.0), (21, 0.0)):
        key(rig, "makeittalk.lip", value, frame=frame)
    animation = rig.animation_data
    action, slot = animation.action, animation.action_slot if compat.SLOTTED_ACTIONS else None
    strip = animation.nla_tracks.new().strips.new("Lip", 20, action)
    if slot is not None:
        strip.action_slot = slot
    strip.blend_type = animation.action_blend_type
    animation.action = None
    part("addon.scene.performance").follow_keyed_amounts(character)
    character.makeittalk.blink = 0.5
    found = values(character, range(1, 61))[:, 0]
    np.testing.assert_allclose(found[:19], jaw[:19], atol=5e-3)
    np.testing.assert_allclose(found[21:], 0.0, atol=5e-3)


def test_shape_keys_begin_at_0_in_a_file_of_another_blender(make, tmp_path):
    """In Blender 5.0 what strips add is added to 1, unless something lies below them."""
    character, layers = make(), part("addon.scene.layers")
    before = values(character, range(1, 61))
    keys = character.makeittalk.body.data.shape_keys
    for layer in [layer for layer in layers.layers(keys) if layer.part == layers.BASE.name]:
        keys.animation_data.nla_tracks.remove(layer.track)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "one.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "one.blend"))
    character = part("addon.scene.character").active(bpy.context)
    np.testing.assert_allclose(values(character, range(1, 61)), before, atol=1e-5)
    part("addon.scene.base_layer").ensure(character, 1)  # again: nothing happens
    np.testing.assert_allclose(values(character, range(1, 61)), before, atol=1e-5)


def test_a_key_of_the_animators_own_keeps_its_value_until_it_is_keyed(make, job):
    character = make()
    body = character.makeittalk.body
    keys = body.data.shape_keys
    block = body.shape_key_add(name="Dimple", from_mix=False)
    block.value = 0.5
    part("addon.scene.character").retake(character, job / "motion.npz", job / "bake.npz")
    for frame in (1, 20, 60):
        bpy.context.scene.frame_set(frame)
        assert keys.key_blocks["Dimple"].value == pytest.approx(0.5)
    before = values(character, range(1, 61))
    block = keys.key_blocks["Dimple"]
    block.value = 0.3
    block.keyframe_insert("value", frame=20)
    bpy.context.view_layer.update()
    for frame in (1, 20, 60):
        bpy.context.scene.frame_set(frame)
        assert keys.key_blocks["Dimple"].value == pytest.approx(0.3)
    np.testing.assert_allclose(values(character, range(1, 61)), before, atol=1e-5)


@pytest.mark.skipif(not SOUND, reason="this Blender has no sound")
@pytest.mark.parametrize("seconds", [1.0, 9.0])
def test_another_recording_sounds_where_it_is_spoken_however_long_it_is(talking, tmp_path, seconds):
    """One that reaches into the next speech finds no room on the channel that the old one had."""
    character, _before = talking
    speech, compat = part("addon.scene.speech"), part("addon.compat")
    scene = bpy.context.scene
    for number, spoken in enumerate(character.makeittalk.speeches):
        samples.write_tone(tmp_path / f"{number}.wav", 2.0)
        speech.add(scene, spoken, tmp_path / f"{number}.wav", False)
    first, second = character.makeittalk.speeches
    other, channel = speech.strip_of(scene, second), speech.strip_of(scene, first).channel
    other.channel = channel
    place = channel, compat.strip_begin(other)
    samples.write_tone(tmp_path / "other.wav", seconds)
    speech.replace(scene, first, tmp_path / "other.wav", False)
    strip = speech.strip_of(scene, first)
    assert compat.strip_begin(strip) == first.start == 1
    assert (strip.channel == channel) == (seconds < 5.0)
    other = speech.strip_of(scene, second)
    assert (other.channel, compat.strip_begin(other)) == place
