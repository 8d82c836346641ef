"""Another face on a finished character, in place: what somebody has made of it stays, whatever they have made."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
import samples
from extension import part
from generated import key, shown


@pytest.fixture
def reshaped(tmp_path):
    """Files as the backend leaves them for a corrected face: other vertices, the same keys."""
    folder = samples.write_job(tmp_path / "corrected", grid=(15, 19))
    reshape = part("addon.scene.reshape")
    paths = [folder / name for name in ("motion.npz", "bake.npz")]
    return reshape.Reshaped(folder / "face.json", folder / "mesh.npz", [paths[0]], [paths[1]])


def pictures_of(body) -> list[bpy.types.Image]:
    """What the materials of a mesh show."""
    nodes = (node for material in body.data.materials for node in material.node_tree.nodes)
    return [node.image for node in nodes if node.type == "TEX_IMAGE"]


def points_of(body) -> np.ndarray:
    """(keys, V, 3) of every shape key."""
    found = []
    for block in body.data.shape_keys.key_blocks:
        points = np.empty(3 * len(block.data), np.float32)
        block.data.foreach_get("co", points)
        found.append(points.reshape(-1, 3))
    return np.array(found)


def test_mesh_keys_and_weights_are_those_of_the_new_face(make, reshaped):
    character = make()
    made = character.makeittalk
    body, keys, materials = made.body, made.body.data.shape_keys, list(made.body.data.materials)
    before = shown(character)
    part("addon.scene.reshape").reshape(character, reshaped)
    arrays = part("backend.makeittalk.exchange.formats").Mesh.load(reshaped.mesh)
    assert made.body == body and body.data.shape_keys == keys and list(body.data.materials) == materials
    assert len(body.data.vertices) == len(arrays.vertices) != 13 * 17
    assert len(body.data.polygons) == len(arrays.triangles) and len(body.data.uv_layers) == 1
    coordinates = part("addon.core.coordinates")
    rest = coordinates.points_to_blender(arrays.vertices, arrays.image_size)
    shapes = points_of(body)
    np.testing.assert_allclose(shapes[0], rest, atol=1e-5)
    moves = coordinates.offsets_to_blender(arrays.keys, arrays.image_size)
    np.testing.assert_allclose(shapes[1:] - rest, moves, atol=1e-5)
    assert [block.name for block in keys.key_blocks] == ["Basis", *samples.KEYS]
    ranges = [(block.slider_min, block.slider_max) for block in keys.key_blocks[1:]]
    np.testing.assert_allclose(ranges, arrays.key_range)
    weights = [body.vertex_groups["head"].weight(i) if w > 0 else 0.0 for i, w in enumerate(arrays.head_weights)]
    np.testing.assert_allclose(weights, arrays.head_weights, atol=1e-6)
    assert [item.name for item in body.modifiers if item.type == "ARMATURE"] == ["Head"]
    pivot = coordinates.points_to_blender(arrays.neck_pivot, arrays.image_size)
    np.testing.assert_allclose(made.rig.data.bones["head"].head_local, pivot, atol=1e-5)
    after = shown(character)  # the same bake, so the same performance
    for path in before:
        np.testing.assert_allclose(after[path], before[path], atol=5e-3, err_msg=path)
    assert made.placed and made.landmarks


def test_what_somebody_has_made_of_the_keys_stays(make, reshaped):
    character = make()
    made = character.makeittalk
    body, keys = made.body, made.body.data.shape_keys
    keys.key_blocks["jawOpen"].name = "Mouth"
    body.shape_key_remove(keys.key_blocks["mouthPucker"])
    mine = body.shape_key_add(name="Mine", from_mix=False)
    mine.relative_key = keys.key_blocks["Mouth"]
    mine.slider_max, mine.mute = 3.0, True
    mine.value = 2.5
    driver = keys.driver_add('key_blocks["Mine"].value').driver
    driver.expression = "0.25 + frame * 0"
    own = key(keys, 'key_blocks["Mouth"].value', 0.3, frame=10)
    body.active_shape_key_index = 2
    action, names = keys.animation_data.action, [block.name for block in keys.key_blocks]
    part("addon.scene.reshape").reshape(character, reshaped)
    assert [block.name for block in keys.key_blocks] == names and body.active_shape_key_index == 2
    mine = keys.key_blocks["Mine"]
    assert mine.relative_key == keys.key_blocks["Mouth"] and mine.mute and mine.slider_max == 3.0
    drivers = [(curve.data_path, curve.driver.expression) for curve in keys.animation_data.drivers]
    assert ('key_blocks["Mine"].value', "0.25 + frame * 0") in drivers
    assert keys.animation_data.action == action and own.keyframe_points[0].co[:] == pytest.approx((10.0, 0.3))
    arrays = part("backend.makeittalk.exchange.formats").Mesh.load(reshaped.mesh)
    move = part("addon.core.coordinates").offsets_to_blender(arrays.keys[0], arrays.image_size)
    shapes = points_of(body)
    np.testing.assert_allclose(shapes[names.index("Mouth")] - shapes[0], move, atol=1e-5)
    # Their copy of a generated key was a shape of the old vertices, and is the same shape on the new ones.
    np.testing.assert_allclose(shapes[names.index("Mine")] - shapes[0], np.zeros_like(move), atol=1e-5)


def test_shapes_and_weights_of_ones_own_go_to_the_new_vertices(make, reshaped):
    samples.spoil_array(reshaped.mesh, "W", np.zeros_like)  # no vertex follows the sample's landmarks, which are others
    character = make()
    body = character.makeittalk.body
    points = points_of(body)[0]
    bump = np.exp(-(((points[:, [0, 2]] - (0.1, 0.1)) / 0.15) ** 2).sum(axis=1))
    block = body.shape_key_add(name="Bump", from_mix=False)
    block.data.foreach_set("co", (points + bump[:, None] * (0.0, -0.1, 0.0)).astype(np.float32).reshape(-1))
    group = body.vertex_groups.new(name="Paint")
    for index, value in enumerate(bump):
        group.add([index], float(value), "REPLACE")
    body.vertex_groups.active_index = group.index
    part("addon.scene.reshape").reshape(character, reshaped)
    shapes = points_of(body)
    expected = np.exp(-(((shapes[0][:, [0, 2]] - (0.1, 0.1)) / 0.15) ** 2).sum(axis=1))
    found = (shapes[-1] - shapes[0])[:, 1] / -0.1
    assert np.abs(found - expected).mean() < 0.03 and np.abs(found - expected).max() < 0.2
    weights = np.array([body.vertex_groups["Paint"].weight(i) for i in range(len(expected))])
    np.testing.assert_allclose(weights, np.clip(found, 0, 1), atol=1e-4)
    assert [item.name for item in body.vertex_groups] == ["head", "root", "Paint"]


def test_files_of_another_character_change_nothing(make, reshaped, tmp_path):
    character = make()
    before = points_of(character.makeittalk.body)
    errors, reshape = part("addon.core.errors"), part("addon.scene.reshape")
    other = samples.write_job(tmp_path / "other", names=("jawOpen", "mouthFunnel"))
    wrong = reshape.Reshaped(reshaped.face, other / "mesh.npz", reshaped.motions, reshaped.bakes)
    with pytest.raises(errors.AddonError, match="of another character"):
        reshape.reshape(character, wrong)
    two = reshape.Reshaped(reshaped.face, reshaped.mesh, reshaped.motions * 2, reshaped.bakes * 2)
    with pytest.raises(errors.AddonError, match="changed meanwhile"):
        reshape.reshape(character, two)
    reshaped.mesh.write_bytes(b"nothing")
    with pytest.raises(part("backend.makeittalk.exchange.errors").InputError):
        reshape.reshape(character, reshaped)
    np.testing.assert_array_equal(points_of(character.makeittalk.body), before)


def test_a_copied_character_keeps_its_own_face(make, reshaped):
    character = make()
    root, body = character.makeittalk.rig, character.makeittalk.body
    for item in (root, body):
        item.select_set(True)
    bpy.context.view_layer.objects.active = root
    bpy.ops.object.duplicate()
    copies = [item for item in part("addon.scene.character").characters(bpy.context.scene) if item != character]
    if not copies:
        copies = part("addon.scene.copies").settle(bpy.context.scene)
    (copy,) = copies
    before = points_of(copy.makeittalk.body)
    pictures = pictures_of(copy.makeittalk.body)
    part("addon.scene.reshape").reshape(character, reshaped)
    np.testing.assert_array_equal(points_of(copy.makeittalk.body), before)
    assert pictures_of(copy.makeittalk.body) == pictures and len(before[0]) == 13 * 17
