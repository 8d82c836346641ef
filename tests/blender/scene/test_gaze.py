"""The eye target, and the layer of the generated gaze."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
import samples
from extension import part
from generated import key, layer

GAZE = tuple(f"eyeLook{way}{side}" for side in ("Left", "Right") for way in ("In", "Out", "Up", "Down"))
NAMES = (*samples.KEYS[:3], *GAZE, samples.KEYS[3])


@pytest.fixture
def seeing(make, job):
    """Builds a character with a gaze: both eyes to the right of the picture at 0.4 from frame 31 on."""
    names, frames = NAMES, 60
    mesh, bake = samples.mesh_arrays(names=names), samples.bake_arrays(frames, keys=names)
    gaze = np.isin(names, GAZE)
    for ranges in (mesh["key_range"], bake["key_range"]):
        ranges[gaze] = (0.0, 1.0)
        ranges[-1] = (-10.0, 10.0)
    mesh["gaze_reach"] = np.full(8, 0.5, np.float32)
    mesh["eye_image"] = np.full((6, 8, 4), 200, np.uint8)
    mesh["material"][:4] = (2, 2, 3, 3)
    bake["lip_values"][:, gaze] = 0.0
    bake["gaze_values"] = np.zeros((frames, len(names)), np.float32)
    for name in ("eyeLookOutLeft", "eyeLookInRight"):
        bake["gaze_values"][30:, names.index(name)] = 0.4
    np.savez_compressed(job / "mesh.npz", **mesh)
    np.savez_compressed(job / "bake.npz", **bake)
    return make


def value(character, name: str) -> float:
    """What Blender shows of a key on the current frame."""
    graph = bpy.context.evaluated_depsgraph_get()
    body = character.makeittalk.body.evaluated_get(graph)
    return body.data.shape_keys.key_blocks[name].value


def at(frame: int) -> None:
    bpy.context.scene.frame_set(frame)


def moved(character, x: float = 0.0, y: float = 0.0) -> None:
    bone = part("addon.scene.gaze").target(character)
    bone.location = (x, y, 0.0)
    bpy.context.view_layer.update()


def driven(character) -> dict[str, float]:
    keys = character.makeittalk.body.data.shape_keys.key_blocks
    return {block.name: value(character, block.name) for block in keys if block.name.startswith("target")}


def test_the_target_stands_before_the_face_and_stays_with_the_root(seeing):
    character = seeing()
    bones = character.makeittalk.rig.data.bones
    bone = bones["eye_target"]
    assert bone.parent == bones["root"] and not bone.use_deform
    assert bone.head_local.y < -0.3
    eyes = samples.mesh_arrays()["vertices"][samples.mesh_arrays()["landmark_vertices"][36:48]].mean(axis=0)
    assert bone.head_local.x == pytest.approx((eyes[0] - samples.WIDTH / 2) / samples.HEIGHT, abs=1e-5)


def test_at_rest_it_changes_nothing(seeing):
    character = seeing()
    for frame in (1, 20, 45, 60):
        at(frame)
        assert not any(driven(character).values())


def test_the_irises_follow_it(seeing):
    character = seeing()
    at(1)
    reach = 0.5
    distance = -character.makeittalk.rig.data.bones["eye_target"].head_local.y
    depth = samples.mesh_arrays()["vertices"][samples.mesh_arrays()["landmark_vertices"][36:48], 2].mean() / 160
    distance += depth
    moved(character, x=0.25 * distance * np.tan(reach))
    shown = {name: amount for name, amount in driven(character).items() if amount}
    assert shown == pytest.approx({"targetOutLeft": 0.25, "targetInRight": 0.25}, abs=1e-3)
    moved(character, y=-0.5 * distance * np.tan(reach))
    shown = {name: amount for name, amount in driven(character).items() if amount}
    assert shown == pytest.approx({"targetDownLeft": 0.5, "targetDownRight": 0.5}, abs=1e-3)
    moved(character, x=-0.5 * distance * np.tan(reach))
    shown = {name: amount for name, amount in driven(character).items() if amount}
    assert shown == pytest.approx({"targetInLeft": 0.5, "targetOutRight": 0.5}, abs=1e-3)
    moved(character, x=100.0)
    assert driven(character)["targetOutLeft"] == pytest.approx(1.0)


def test_it_moves_the_mesh_as_the_key_does(seeing):
    character = seeing()
    body = character.makeittalk.body
    blocks = body.data.shape_keys.key_blocks
    for name in GAZE:
        own, copy = (
            np.array([point.co for point in blocks[other].data]) for other in (name, name.replace("eyeLook", "target"))
        )
        np.testing.assert_array_equal(own, copy)


def test_it_adds_to_the_gaze_up_to_the_edge(seeing):
    character = seeing()
    moved(character, x=100.0)
    at(20)
    assert value(character, "eyeLookOutLeft") == 0.0 and driven(character)["targetOutLeft"] == pytest.approx(1.0)
    at(50)
    assert value(character, "eyeLookOutLeft") == pytest.approx(0.4, abs=0.01)
    assert driven(character)["targetOutLeft"] == pytest.approx(0.6, abs=0.01)


def test_the_target_can_be_keyed_and_let_go(seeing):
    character = seeing()
    rig = character.makeittalk.rig
    path = 'pose.bones["eye_target"].location'
    key(rig, path, 0.0, 0, 1.0)
    key(rig, path, 100.0, 0, 11.0)
    at(1)
    assert not any(driven(character).values())
    at(11)
    assert driven(character)["targetInRight"] == pytest.approx(1.0)
    part("addon.scene.gaze").target(character)["Follow Target"] = 0.0
    rig.update_tag()
    bpy.context.view_layer.update()
    at(12)
    at(11)
    assert not any(driven(character).values())


def test_the_drivers_need_no_python(seeing):
    drivers = seeing().makeittalk.body.data.shape_keys.animation_data.drivers
    assert len(drivers) == 8
    for curve in drivers:
        assert curve.is_valid and curve.driver.is_valid and curve.driver.is_simple_expression


def test_gaze_is_an_amount(seeing):
    character = seeing()
    at(50)
    assert layer(character, "Gaze").strip.blend_type == "ADD"
    assert value(character, "eyeLookOutLeft") == pytest.approx(0.4, abs=0.01)
    character.makeittalk.gaze = 0.5
    at(51)
    assert value(character, "eyeLookOutLeft") == pytest.approx(0.2, abs=0.01)
    character.makeittalk.gaze = 0.0
    at(50)
    assert value(character, "eyeLookOutLeft") == pytest.approx(0.0, abs=1e-6)
    character.makeittalk.gaze = 3.0
    assert character.makeittalk.rig.makeittalk.gaze == 1.0


def test_the_eyes_have_materials_of_their_own(seeing):
    materials = seeing().makeittalk.body.data.materials
    assert [item.name.rsplit(" ", 1)[1] for item in materials] == ["Portrait", "Mouth", "Eyes", "Irises"]


def test_a_character_without_irises_has_no_target(make):
    character = make()
    assert part("addon.scene.gaze").target(character) is None
    assert len(character.makeittalk.body.data.materials) == 2


@pytest.mark.parametrize("copied", ["shift_d", "alt_d", "full_scene", "append"])
def test_the_irises_of_a_copy_follow_its_own_target(seeing, tmp_path, copied):
    original = seeing()
    at(1)
    if copied == "append":
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "one.blend"))
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=False)
        for _twice in range(2):
            with bpy.data.libraries.load(str(tmp_path / "one.blend"), link=False) as (_source, wanted):
                wanted.collections = ["Ada"]
            bpy.context.scene.collection.children.link(wanted.collections[0])
        original, copy = part("addon.scene.character").characters(bpy.context.scene)
    elif copied == "full_scene":
        assert bpy.ops.scene.new(type="FULL_COPY") == {"FINISHED"}
        original, copy = (item for scene in bpy.data.scenes for item in part("addon.scene.character").characters(scene))
    else:
        for item in bpy.context.view_layer.objects:
            item.select_set(item in list(original.objects))
        bpy.context.view_layer.objects.active = original.makeittalk.rig
        assert bpy.ops.object.duplicate(linked=copied == "alt_d") == {"FINISHED"}
        bpy.context.view_layer.update()
        copy = next(item for item in part("addon.scene.character").characters(bpy.context.scene) if item != original)
    for moving, resting in ((copy, original), (original, copy)):
        moved(moving, x=100.0)
        for scene in bpy.data.scenes:
            scene.view_layers[0].update()
        values = {
            item: item.makeittalk.body.data.shape_keys.key_blocks["targetOutLeft"].value for item in (moving, resting)
        }
        assert values == {moving: pytest.approx(1.0), resting: 0.0}
        moved(moving)
