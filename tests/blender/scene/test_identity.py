"""A character is known by what it is: renamed, copied, appended, moved to other collections, with parts deleted."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
import samples
from extension import part
from generated import key, layer, shown
from sounding import SOUND

needs_sound = pytest.mark.skipif(not SOUND, reason="this Blender was built without sound")


def speech_of(character):
    return part("addon.scene.speech").strip_of(bpy.context.scene, character.makeittalk.current)


def begin(strip) -> int:
    return part("addon.compat").strip_span(strip)[0]


def characters() -> list[bpy.types.Collection]:
    return part("addon.scene.character").characters(bpy.context.scene)


def shift_d(*objects: bpy.types.Object, linked: bool = False) -> None:
    """Duplicates objects as Shift-D does, or Alt-D; the copies are selected afterwards."""
    for item in bpy.context.view_layer.objects:
        item.select_set(item in objects)
    bpy.context.view_layer.objects.active = objects[0]
    assert bpy.ops.object.duplicate(linked=linked) == {"FINISHED"}
    bpy.context.view_layer.update()


def is_lit(character) -> bool:
    """Whether lamps act on a character's materials, on all or on none."""
    found = set()
    for material in character.makeittalk.body.data.materials:
        (output,) = (node for node in material.node_tree.nodes if node.type == "OUTPUT_MATERIAL")
        found.add(output.inputs["Surface"].links[0].from_node.type == "BSDF_PRINCIPLED")
    (lit,) = found
    return lit


def assert_works_alone(copy, original, job) -> None:
    """Amounts, start and bake of a copy change nothing of the original."""
    before = shown(original)
    copy.makeittalk.lip = 0.0
    assert np.ptp(shown(copy)['key_blocks["jawOpen"].value[0]']) < 0.1
    copy.makeittalk.lip = 1.5
    copy.makeittalk.start = 21
    part("addon.scene.performance").write(copy, job / "bake.npz")
    for path, values in shown(original).items():
        np.testing.assert_allclose(values, before[path], atol=1e-5, err_msg=path)
    assert original.makeittalk.start == 1


class TestRenamed:
    def test_the_strip(self, make):
        if not SOUND:
            pytest.skip("this Blender was built without sound")
        character = make()
        speech_of(character).name = "Line 1"
        character.makeittalk.start = 51
        assert begin(speech_of(character)) == 51
        assert bpy.ops.makeittalk.remove_character() == {"FINISHED"}
        assert not list(part("addon.compat").sequencer_strips(bpy.context.scene))

    def test_objects_and_collection(self, make, job):
        character = make()
        settings = character.makeittalk
        before = shown(character)
        character.name, settings.rig.name, settings.body.name = "Neu", "Skelett", "Gesicht"
        settings.body.data.name, settings.body.data.shape_keys.name = "Netz", "Formen"
        part("addon.scene.performance").write(character, job / "bake.npz")
        for path, values in shown(character).items():
            np.testing.assert_allclose(values, before[path], atol=1e-5)

    def test_a_shape_key(self, make, job):
        character = make()
        blocks = character.makeittalk.body.data.shape_keys.key_blocks
        before = shown(character)['key_blocks["jawOpen"].value[0]']
        blocks["jawOpen"].name = "Kiefer auf"
        part("addon.scene.performance").write(character, job / "bake.npz")
        np.testing.assert_allclose(shown(character)['key_blocks["Kiefer auf"].value[0]'], before, atol=1e-5)
        character.makeittalk.lip = 0.0
        assert np.ptp(shown(character)['key_blocks["Kiefer auf"].value[0]']) < 0.1

    def test_the_head_bone(self, make, job):
        character = make()
        rig = character.makeittalk.rig
        rig.data.bones["head"].name = "Kopf"
        part("addon.scene.performance").write(character, job / "bake.npz")
        turns = []
        for frame in range(1, 61):
            bpy.context.scene.frame_set(frame)
            turns.append(rig.pose.bones["Kopf"].rotation_euler[1])
        assert np.ptp(turns) > 0.1
        assert {curve.data_path for curve in layer(character, "Nod").curves.fcurves} == {
            'pose.bones["Kopf"].rotation_euler'
        }


class TestDeleted:
    def test_a_shape_key_is_left_out(self, make, job):
        character = make()
        body = character.makeittalk.body
        body.shape_key_remove(body.data.shape_keys.key_blocks["mouthPucker"])
        part("addon.scene.performance").write(character, job / "bake.npz")
        assert np.ptp(shown(character)['key_blocks["jawOpen"].value[0]']) > 0.3

    @pytest.mark.parametrize(("which", "said"), [("rig", "rig"), ("body", "mesh")])
    def test_an_object_names_the_way_out(self, make, which, said):
        character = make()
        bpy.data.objects.remove(getattr(character.makeittalk, which))
        reason = part("addon.operators.reasons").character_reason(bpy.context)
        assert f"The {said} of Ada is gone" in reason and "Make It Talk" in reason
        with pytest.raises(RuntimeError, match="poll"):
            bpy.ops.makeittalk.rebake()
        assert bpy.ops.makeittalk.remove_character.poll()

    def test_one_deleted_in_the_viewport_counts_as_gone(self, make):
        character = make()
        rig = character.makeittalk.rig
        for item in bpy.context.view_layer.objects:
            item.select_set(item == rig)
        assert bpy.ops.object.delete() == {"FINISHED"}
        assert character.makeittalk.rig is None

    def test_the_head_bone_names_the_way_out(self, make, job):
        character = make()
        rig = character.makeittalk.rig
        bpy.context.view_layer.objects.active = rig
        bpy.ops.object.mode_set(mode="EDIT")
        rig.data.edit_bones.remove(rig.data.edit_bones["head"])
        bpy.ops.object.mode_set(mode="OBJECT")
        with pytest.raises(part("backend.makeittalk.exchange.errors").MakeItTalkError, match="has lost its bone head"):
            part("addon.scene.performance").write(character, job / "bake.npz")


def test_a_rig_in_another_collection_is_still_the_rig(make, job):
    character = make()
    rig = character.makeittalk.rig
    other = bpy.data.collections.new("Rigs")
    bpy.context.scene.collection.children.link(other)
    other.objects.link(rig)
    character.objects.unlink(rig)
    assert character.makeittalk.rig == rig
    character.makeittalk.lip = 0.0
    part("addon.scene.performance").write(character, job / "bake.npz")


class TestTiming:
    @needs_sound
    def test_start_brings_a_dragged_strip_back(self, make):
        character, speech = make(), part("addon.scene.speech")
        part("addon.compat").move_strip(speech_of(character), 50)
        assert speech.is_apart(bpy.context.scene, character.makeittalk.current)
        character.makeittalk.start = 51
        assert begin(speech_of(character)) == 51
        assert not speech.is_apart(bpy.context.scene, character.makeittalk.current)

    @needs_sound
    def test_lips_follow_a_dragged_strip(self, make):
        character = make()
        before = shown(character)
        own = key(character.makeittalk.body.data.shape_keys, 'key_blocks["jawOpen"].value', 0.25, frame=10)
        edited = shown(character)
        part("addon.compat").move_strip(speech_of(character), 33)
        assert bpy.ops.makeittalk.timing_from_strip() == {"FINISHED"}
        assert character.makeittalk.start == 34 and begin(speech_of(character)) == 34
        assert own.keyframe_points[0].co[0] == 43
        for path, values in shown(character).items():
            np.testing.assert_allclose(values, edited[path], atol=1e-4)
        assert edited.keys() == before.keys()

    @needs_sound
    def test_lips_rest_where_the_strip_was_cut(self, make):
        character, speech = make(), part("addon.scene.speech")
        before = shown(character)
        assert not speech.is_apart(bpy.context.scene, character.makeittalk.current)
        strip = speech_of(character)
        part("addon.compat").set_strip_length(strip, 30)
        assert speech.is_apart(bpy.context.scene, character.makeittalk.current)
        assert bpy.ops.makeittalk.timing_from_strip() == {"FINISHED"}
        assert not speech.is_apart(bpy.context.scene, character.makeittalk.current)
        after = shown(character)
        for path, values in after.items():
            np.testing.assert_allclose(values[:29], before[path][:29], atol=2e-3, err_msg=path)
            if "blink" not in path.lower():
                np.testing.assert_allclose(values[40:], 0.0, atol=2e-3, err_msg=path)
        part("addon.compat").set_strip_length(strip, 60)
        assert bpy.ops.makeittalk.timing_from_strip() == {"FINISHED"}
        for path, values in shown(character).items():
            np.testing.assert_allclose(values, before[path], atol=2e-3, err_msg=path)

    @needs_sound
    def test_a_deleted_strip_is_put_back(self, make):
        character, speech = make(start=12), part("addon.scene.speech")
        part("addon.scene.strips").remove(bpy.context.scene, speech_of(character))
        assert speech.is_missing(bpy.context.scene, character.makeittalk.current)
        assert bpy.ops.makeittalk.restore_speech() == {"FINISHED"}
        assert begin(speech_of(character)) == 12
        assert not speech.is_missing(bpy.context.scene, character.makeittalk.current)
        assert len(bpy.data.sounds) == 1
        assert not bpy.ops.makeittalk.restore_speech.poll()


class TestCopies:
    def test_shift_d_makes_a_character(self, make, job):
        original = make()
        own = key(original.makeittalk.body.data.shape_keys, 'key_blocks["jawOpen"].value', 0.25, frame=10)
        before = shown(original)
        shift_d(*original.objects)
        assert len(characters()) == 2
        copy = next(item for item in characters() if item != original)
        assert {item.name for item in copy.objects}.isdisjoint(item.name for item in original.objects)
        assert copy.makeittalk.rig in list(copy.objects) and copy.makeittalk.body.parent == copy.makeittalk.rig
        assert part("addon.scene.character").active(bpy.context) == copy
        for path, values in shown(copy).items():
            np.testing.assert_allclose(values, before[path], atol=1e-5, err_msg=path)
        assert_works_alone(copy, original, job)
        assert own.keyframe_points[0].co[:] == (10.0, 0.25)

    def test_a_copied_mesh_alone_is_an_object_like_any_other(self, make):
        original = make()
        body = original.makeittalk.body
        shift_d(body)
        assert len(characters()) == 1 and original.makeittalk.body == body

    def test_alt_d_makes_a_character_as_well(self, make, job):
        original = make()
        own = key(original.makeittalk.body.data.shape_keys, 'key_blocks["jawOpen"].value', 0.25, frame=10)
        before = shown(original)
        shift_d(*original.objects, linked=True)
        copy = next(item for item in characters() if item != original)
        for path, values in shown(copy).items():
            np.testing.assert_allclose(values, before[path], atol=1e-5, err_msg=path)
        key(copy.makeittalk.body.data.shape_keys, 'key_blocks["jawOpen"].value', 0.5, frame=10)
        assert own.keyframe_points[0].co[:] == (10.0, 0.25)
        assert_works_alone(copy, original, job)

    def test_lamps_act_on_the_lit_one_alone(self, make):
        original = make()
        shift_d(*original.objects)
        copy = next(item for item in characters() if item != original)
        copy.makeittalk.lit = True
        assert (is_lit(copy), is_lit(original)) == (True, False)
        original.makeittalk.lit, copy.makeittalk.lit = True, False
        assert (is_lit(copy), is_lit(original)) == (False, True)
        bpy.context.view_layer.objects.active = copy.makeittalk.rig
        assert bpy.ops.makeittalk.remove_character() == {"FINISHED"}
        assert all(material.users for material in bpy.data.materials if material.name.startswith("Ada"))

    @needs_sound
    def test_a_copy_never_moves_the_originals_sound(self, make):
        original = make()
        shift_d(*original.objects)
        copy = next(item for item in characters() if item != original)
        copy.makeittalk.start = 41
        assert begin(speech_of(original)) == 1 and begin(speech_of(copy)) == 41
        original.makeittalk.start = 11
        assert begin(speech_of(original)) == 11 and begin(speech_of(copy)) == 41
        bpy.context.view_layer.objects.active = copy.makeittalk.rig
        assert bpy.ops.makeittalk.remove_character() == {"FINISHED"}
        assert begin(speech_of(original)) == 11

    @needs_sound
    def test_the_original_leaves_a_copy_its_sound(self, make):
        original = make()
        shift_d(*original.objects)
        copy = next(item for item in characters() if item != original)
        original.makeittalk.start = 31
        assert begin(speech_of(copy)) == 1 and begin(speech_of(original)) == 31

    def test_a_full_copy_of_the_scene(self, make, job):
        original = make()
        first = bpy.context.scene
        assert bpy.ops.scene.new(type="FULL_COPY") == {"FINISHED"}
        second = next(item for item in bpy.data.scenes if item != first)
        bpy.context.window.scene = second
        (copy,) = part("addon.scene.character").characters(second)
        assert copy != original and copy.makeittalk.rig in list(copy.objects)
        copy.makeittalk.start = 21
        if SOUND:
            assert begin(speech_of(copy)) == 21
        copy.makeittalk.lip = 0.0
        part("addon.scene.performance").write(copy, job / "bake.npz")
        bpy.context.window.scene = first
        assert shown(original)['key_blocks["jawOpen"].value[0]'].max() > 0.5
        if SOUND:
            assert begin(speech_of(original)) == 1


def appended(path) -> bpy.types.Collection:
    """The character Ada of a file, appended to a new scene."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=False)
    with bpy.data.libraries.load(str(path), link=False) as (_source, wanted):
        wanted.collections = ["Ada"]
    bpy.context.scene.collection.children.link(wanted.collections[0])
    return wanted.collections[0]


def test_an_appended_character_works_and_gets_its_speech_back(make, job, tmp_path):
    original = make(pack_sound=True)
    before = shown(original)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "one.blend"))
    (job / "speech.wav").unlink()
    character = appended(tmp_path / "one.blend")
    for path, values in shown(character).items():
        np.testing.assert_allclose(values, before[path], atol=1e-5)
    if SOUND:
        assert part("addon.scene.speech").is_missing(bpy.context.scene, character.makeittalk.current)
        assert bpy.ops.makeittalk.restore_speech() == {"FINISHED"}
        strip = speech_of(character)
        assert begin(strip) == 1 and strip.sound.packed_file is not None
        assert part("addon.compat").strip_length(strip) >= character.makeittalk.frames - 1
    character.makeittalk.start = 5
    samples.write_job(job)
    part("addon.scene.performance").write(character, job / "bake.npz")
    np.testing.assert_allclose(
        shown(character)['key_blocks["jawOpen"].value[0]'], before['key_blocks["jawOpen"].value[0]'], atol=1e-5
    )


def test_a_recording_that_is_nowhere_names_the_way_out(make, job, tmp_path):
    if not SOUND:
        pytest.skip("this Blender was built without sound")
    make()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "one.blend"))
    (job / "speech.wav").unlink()
    character = appended(tmp_path / "one.blend")
    character.makeittalk.speech = "//nowhere.wav"
    with pytest.raises(RuntimeError, match=r"nowhere\.wav is missing"):
        bpy.ops.makeittalk.restore_speech()
    assert speech_of(character) is None
