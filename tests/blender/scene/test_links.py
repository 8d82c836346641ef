"""Characters that are linked from another file, and library overrides of them."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from extension import part
from generated import key, shown

JAW = 'key_blocks["jawOpen"].value'


@pytest.fixture
def library(make, tmp_path):
    """A file with the character Ada, in which the animator has keyed the jaw."""
    character = make()
    key(character.makeittalk.body.data.shape_keys, JAW, 0.25, frame=10)
    found = shown(character)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=False)
    return tmp_path / "library.blend", found


def link(path) -> bpy.types.Collection:
    with bpy.data.libraries.load(str(path), link=True) as (_source, wanted):
        wanted.collections = ["Ada"]
    return wanted.collections[0]


def override(path) -> bpy.types.Collection:
    linked = link(path)
    bpy.context.scene.collection.children.link(linked)
    made = linked.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer, do_fully_editable=True)
    bpy.context.view_layer.objects.active = made.makeittalk.rig
    return made


def reopened(tmp_path) -> bpy.types.Collection:
    path = str(tmp_path / "shot.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    found = next(item for item in bpy.data.collections if item.override_library is not None)
    bpy.context.view_layer.objects.active = found.makeittalk.rig
    return found


def test_a_linked_character_says_what_to_do(library):
    linked = link(library[0])
    bpy.context.scene.collection.children.link(linked)
    reason = part("addon.operators.reasons").character_reason(bpy.context)
    assert reason == ("Ada is linked from library.blend: choose Object, Library Override, Make to animate it here.")
    assert not bpy.ops.makeittalk.rebake.poll()


def test_an_instance_of_one_says_what_to_do(library):
    empty = bpy.data.objects.new("Ada", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", link(library[0])
    bpy.context.scene.collection.objects.link(empty)
    bpy.context.view_layer.objects.active = empty
    assert "Library Override" in part("addon.operators.reasons").character_reason(bpy.context)


def test_an_override_moves_as_the_original(library):
    path, before = library
    for name, values in shown(override(path)).items():
        np.testing.assert_allclose(values, before[name], atol=1e-5, err_msg=name)


def test_an_override_of_a_merged_character_moves_as_that_does(make, job, tmp_path):
    character = make()
    before = shown(character)
    assert bpy.ops.makeittalk.merge() == {"FINISHED"}
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=False)
    found = override(tmp_path / "library.blend")
    found.makeittalk.lip = 0.0  # acts when it has layers again
    for name, values in shown(found).items():
        np.testing.assert_allclose(values, before[name], atol=5e-3, err_msg=name)
    with pytest.raises(part("addon.core.errors").AddonError, match="merged into one action in its file"):
        part("addon.scene.performance").write(found, job / "bake.npz")


def test_amounts_of_an_override_act_and_are_kept(library, tmp_path):
    path, before = library
    character = override(path)
    character.makeittalk.lip, character.makeittalk.head = 0.5, 0.0
    found = shown(character)
    assert np.ptp(found['pose.bones["head"].rotation_euler[1]']) < 1e-5
    # Half of what was predicted, and all of what the animator keyed.
    jaw = before[f"{JAW}[0]"]
    np.testing.assert_allclose(found[f"{JAW}[0]"], 0.25 + 0.5 * (jaw - 0.25), atol=2e-3)
    character = reopened(tmp_path)
    assert character.makeittalk.lip == pytest.approx(0.5) and character.makeittalk.head == 0.0
    for name, values in shown(character).items():
        np.testing.assert_allclose(values, found[name], atol=1e-5, err_msg=name)


def test_a_bake_of_an_override_is_its_own(library, job, tmp_path):
    path, before = library
    character = override(path)
    part("addon.scene.performance").write(character, job / "bake.npz")
    for name, values in shown(character).items():
        np.testing.assert_allclose(values, before[name], atol=1e-5, err_msg=name)
    character.makeittalk.start = 31
    own = key(character.makeittalk.body.data.shape_keys, JAW, 0.1, frame=40)
    assert own.keyframe_points[0].co[:] == pytest.approx((40.0, 0.1))
    found = shown(character)
    character = reopened(tmp_path)
    assert character.makeittalk.start == 31
    for name, values in shown(character).items():
        np.testing.assert_allclose(values, found[name], atol=1e-5, err_msg=name)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    for name, values in shown(part("addon.scene.character").active(bpy.context)).items():
        np.testing.assert_allclose(values, before[name], atol=1e-5, err_msg=name)


def test_landmarks_of_an_override_are_those_of_its_file(library):
    override(library[0])
    with pytest.raises(RuntimeError, match="linked from another file; edit its landmarks there"):
        bpy.ops.makeittalk.edit_character_landmarks()
    assert part("addon.scene.landmark_mesh").active(bpy.context) is None


def test_curves_of_an_override_come_into_the_graph_editor(library):
    character = override(library[0])
    character.makeittalk.lip = 0.5  # gives it layers of its own
    before = shown(character)
    assert bpy.ops.makeittalk.edit_curves(part="HEAD", open_editor=True) == {"FINISHED"}
    assert bpy.ops.makeittalk.edit_curves(part="FACE", open_editor=True) == {"FINISHED"}
    for name, values in shown(character).items():
        np.testing.assert_allclose(values, before[name], atol=1e-5, err_msg=name)
