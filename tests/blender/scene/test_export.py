"""Exported files, read again by Blender's own importers: what moved still moves, and the picture is there."""

from __future__ import annotations

import json
import os

import bpy
import numpy as np
import pytest
import samples
from extension import part
from generated import key
from mathutils import Matrix

JAW = 'key_blocks["jawOpen"].value'
NOD = 'pose.bones["head"].rotation_euler'
FRAMES = range(1, 61)


@pytest.fixture
def edited(make, scene):
    """A character with keys of the animator's own on top."""
    scene.render.fps, scene.render.fps_base = 24, 1.0
    character = make()
    settings = character.makeittalk
    for frame, share in ((10, 0.0), (20, 1.0), (30, 0.0)):
        key(settings.body.data.shape_keys, JAW, 0.08 * share, frame=frame)  # up to 1: importers clamp what is beyond
        key(settings.rig, NOD, 0.4 * share, frame=frame)
    return character


def export(kind: str, path, **arguments):
    assert bpy.ops.makeittalk.export_character(filepath=str(path), format=kind, **arguments) == {"FINISHED"}


def empty_scene():
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 24, 1.0


def moves(rig, keys, frames=FRAMES) -> tuple[np.ndarray, np.ndarray]:
    """Shape keys (N, K), and what the head bone does to the mesh in the world (N, 4, 4)."""
    values, bends = [], []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        bone = rig.pose.bones["head"]
        rest = rig.matrix_world @ bone.bone.matrix_local
        values.append([keys.key_blocks[name].value for name in samples.KEYS])
        bends.append(np.array(rig.matrix_world @ bone.matrix) @ np.linalg.inv(np.array(rest)))
    return np.array(values), np.array(bends)


def of(character):
    settings = character.makeittalk
    return moves(settings.rig, settings.body.data.shape_keys)


def imported():
    rig = next(item for item in bpy.data.objects if item.type == "ARMATURE")
    body = next(item for item in bpy.data.objects if item.type == "MESH" and item.data.shape_keys)
    return rig, body


def picture_of(body) -> bpy.types.Image:
    """The picture that reaches the first material's surface."""
    material = body.material_slots[0].material
    todo = [node for node in material.node_tree.nodes if node.type == "OUTPUT_MATERIAL"]
    while todo:
        node = todo.pop()
        if node.type == "TEX_IMAGE":
            return node.image
        todo += [link.from_node for socket in node.inputs for link in socket.links]
    pytest.fail("no picture reaches the surface")


def assert_moves(found, before, atol: float = 4e-3) -> None:
    for now, then in zip(found, before, strict=True):
        assert np.ptp(then, axis=0).max() > 0.1  # or nothing would be shown
        np.testing.assert_allclose(now, then, atol=atol)


def assert_has_portrait(body) -> None:
    image = picture_of(body)
    assert tuple(image.size) == (samples.WIDTH, samples.HEIGHT)
    assert image.packed_file is not None or bpy.path.abspath(image.filepath)
    pixels = np.empty(samples.WIDTH * samples.HEIGHT * 4, np.float32)
    image.pixels.foreach_get(pixels)
    found = pixels.reshape(samples.HEIGHT, samples.WIDTH, 4)[::-1] * 255.0
    np.testing.assert_allclose(found[..., :3], samples.portrait()[..., :3], atol=1.0)


@pytest.mark.parametrize("merged", [False, True])
def test_gltf_holds_one_clip_that_moves_jaw_and_head(edited, tmp_path, merged):
    before = of(edited)
    if merged:
        bpy.ops.makeittalk.merge()
    export("GLB", tmp_path / "ada.glb")
    empty_scene()
    bpy.ops.import_scene.gltf(filepath=str(tmp_path / "ada.glb"))
    rig, body = imported()
    assert len({action.name.split("_")[0] for action in bpy.data.actions}) == 1
    assert_moves(moves(rig, body.data.shape_keys), before)
    assert_has_portrait(body)
    assert {node.type for node in body.material_slots[0].material.node_tree.nodes} >= {"LIGHT_PATH"}  # unlit


def test_gltf_of_blenders_own_menu_is_one_clip_when_merged(edited, tmp_path):
    key(edited.makeittalk.rig, "makeittalk.nod", 0.5)  # what no exporter knows
    part("addon.scene.performance").follow_keyed_amounts(edited)
    before = of(edited)
    bpy.ops.makeittalk.merge()
    bpy.ops.export_scene.gltf(filepath=str(tmp_path / "ada.glb"))
    empty_scene()
    bpy.ops.import_scene.gltf(filepath=str(tmp_path / "ada.glb"))
    rig, body = imported()
    if part("addon.compat").SLOTTED_ACTIONS:  # before 4.4 an action is of one datablock: two of them, two clips
        assert len(bpy.data.actions) == 1
        assert_moves(moves(rig, body.data.shape_keys), before)


def test_gltf_lit(edited, tmp_path):
    export("GLB", tmp_path / "ada.glb", lit=True)
    empty_scene()
    bpy.ops.import_scene.gltf(filepath=str(tmp_path / "ada.glb"))
    body = imported()[1]
    assert "BSDF_PRINCIPLED" in {node.type for node in body.material_slots[0].material.node_tree.nodes}
    assert_has_portrait(body)


def test_fbx_has_its_texture(edited, tmp_path):
    before = of(edited)
    export("FBX", tmp_path / "ada.fbx")
    empty_scene()
    bpy.ops.import_scene.fbx(filepath=str(tmp_path / "ada.fbx"), anim_offset=0.0)
    rig, body = imported()
    assert_moves(moves(rig, body.data.shape_keys), before)
    assert_has_portrait(body)


def test_usd(edited, tmp_path):
    before = of(edited)
    export("USD", tmp_path / "ada.usdc")
    empty_scene()
    bpy.ops.wm.usd_import(filepath=str(tmp_path / "ada.usdc"))
    rig, body = imported()
    assert_moves(moves(rig, body.data.shape_keys), before)
    assert_has_portrait(body)


def vertices(item, frames=FRAMES) -> np.ndarray:
    """(N, V, 3) in the object's own space."""
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        mesh = item.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
        points = np.empty(3 * len(mesh.vertices), np.float32)
        mesh.vertices.foreach_get("co", points)
        found.append(points.reshape(-1, 3))
    return np.array(found)


def test_alembic(edited, tmp_path):
    before = vertices(edited.makeittalk.body)
    export("ABC", tmp_path / "ada.abc")
    empty_scene()
    bpy.ops.wm.alembic_import(filepath=str(tmp_path / "ada.abc"), as_background_job=False)
    body = next(item for item in bpy.data.objects if item.type == "MESH")
    np.testing.assert_allclose(vertices(body), before, atol=1e-3)


@pytest.mark.parametrize("kind", ["MDD", "PC2"])
def test_point_caches_play_in_a_mesh_cache_modifier(edited, tmp_path, kind):
    before = vertices(edited.makeittalk.body)
    path = tmp_path / f"ada.{kind.lower()}"
    export(kind, path)
    copy = bpy.data.objects.new("Copy", edited.makeittalk.body.data.copy())
    copy.shape_key_clear()
    bpy.context.scene.collection.objects.link(copy)
    cache = copy.modifiers.new("Cache", "MESH_CACHE")
    cache.cache_format, cache.filepath, cache.frame_start = kind, str(path), 1
    np.testing.assert_allclose(vertices(copy), before, atol=1e-4)


def state(character) -> dict[str, object]:
    """What an export must leave as it was."""
    settings, scene, layer = character.makeittalk, bpy.context.scene, bpy.context.view_layer
    owners = part("addon.scene.bakes").owners_of(character)
    nodes = [
        sorted((link.from_socket.path_from_id(), link.to_socket.path_from_id()) for link in item.node_tree.links)
        for item in settings.body.data.materials
    ]
    return {
        "names": sorted(item.name for kind in ("objects", "materials", "images", "actions", "scenes", "meshes")
                        for item in getattr(bpy.data, kind)),
        "paths": [image.filepath_raw for image in bpy.data.images],
        "frame": (scene.frame_current, scene.frame_subframe, scene.frame_start, scene.frame_end),
        "selected": [item.name for item in layer.objects if item.select_get()],
        "active": (layer.objects.active, bpy.context.mode),
        "hidden": (settings.body.hide_viewport, settings.body.hide_render, settings.rig.hide_get()),
        "materials": (list(settings.body.data.materials), nodes),
        "animation": [
            (*(getattr(owner.animation_data, name) for name in ("action", "use_nla", "action_blend_type",
              "action_influence", "use_tweak_mode")), [track.name for track in owner.animation_data.nla_tracks])
            for owner in owners
        ],
        "values": [round(block.value, 5) for block in settings.body.data.shape_keys.key_blocks],
        "head": tuple(settings.rig.pose.bones["head"].rotation_euler),
        "pose": settings.rig.data.pose_position,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["GLB", "FBX", "USD", "ABC", "MDD", "PC2"])
def test_the_scene_is_as_it_was(edited, tmp_path, scene, kind):
    settings = edited.makeittalk
    scene.frame_set(17, subframe=0.5)
    scene.frame_start, scene.frame_end = 5, 400
    settings.rig.animation_data.action_influence = 0.5
    settings.body.hide_viewport = settings.body.hide_render = True  # as photoreal frames have it
    settings.rig.data.pose_position = "REST"
    settings.rig.pose.bones["head"].rotation_euler.x = 0.7  # not keyed
    settings.body.data.shape_keys.key_blocks["jawOpen"].value = 0.33
    bpy.ops.object.mode_set(mode="POSE")
    scene.objects["Cube"].select_set(True)
    before = state(edited)
    assert before["active"] == (settings.rig, "POSE")
    export(kind, tmp_path / f"ada{part('addon.scene.export').FORMATS[kind].suffix}")
    assert state(edited) == before
    assert [item.name for item in tmp_path.iterdir() if item.is_file() and item.name.startswith(".mit")] == []


def test_a_failed_export_leaves_everything_as_it_was(edited, tmp_path, scene):
    before = state(edited)
    with pytest.raises(RuntimeError, match="nowhere"):
        export("GLB", tmp_path / "nowhere" / "ada.glb")
    assert state(edited) == before
    edited.hide_viewport = True
    before = state(edited)
    with pytest.raises(RuntimeError, match="hidden"):
        export("GLB", tmp_path / "ada.glb")
    assert state(edited) == before
    assert not (tmp_path / "ada.glb").exists()


def test_the_suffix_is_that_of_the_format(edited, tmp_path):
    export("PC2", tmp_path / "ada.glb")
    assert [item.name for item in tmp_path.glob("ada*")] == ["ada.pc2"]


def surface(material) -> str:
    output = next(node for node in material.node_tree.nodes if node.type == "OUTPUT_MATERIAL")
    return output.inputs["Surface"].links[0].from_node.type


def test_lit_and_back(make):
    character = make()
    material = character.makeittalk.body.data.materials[0]
    links = len(material.node_tree.links)
    assert surface(material) == "EMISSION"
    character.makeittalk.lit = True
    assert surface(material) == "BSDF_PRINCIPLED"
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    assert shader.inputs["Base Color"].links[0].from_node.type == "TEX_IMAGE"
    assert shader.inputs["Roughness"].default_value == pytest.approx(0.6)
    shader.inputs["Roughness"].default_value = 0.2
    character.makeittalk.lit = False
    assert surface(material) == "EMISSION" and len(material.node_tree.links) == links + 1
    character.makeittalk.lit = True
    assert shader.inputs["Roughness"].default_value == pytest.approx(0.2)


def test_lit_shows_the_portrait_by_the_light_of_lamps(make, scene, tmp_path):
    """Twice the light is a brighter picture, no light a black one; unlit, lamps change nothing."""
    character = make()
    scene.render.engine, scene.cycles.samples, scene.cycles.device = "CYCLES", 4, "CPU"
    scene.render.resolution_percentage = 50
    scene.render.filepath = str(tmp_path / "lit.png")
    lamp = scene.objects["Light"]
    lamp.data.type, lamp.rotation_euler = "SUN", (1.2, 0.0, 0.0)  # from the front, somewhat above
    scene.world = None
    seen = []
    for lit, energy in ((False, 0.0), (False, 4.0), (True, 0.0), (True, 1.5), (True, 3.0)):
        character.makeittalk.lit, lamp.data.energy = lit, energy
        bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(scene.render.filepath)
        pixels = np.empty(len(image.pixels), np.float32)
        image.pixels.foreach_get(pixels)
        bpy.data.images.remove(image)
        seen.append(float(pixels.reshape(-1, 4)[:, :3].mean()))
    assert seen[0] == pytest.approx(seen[1], abs=0.01) and seen[0] > 0.3
    assert seen[2] < 0.01 < 0.1 < seen[3] < seen[4]


def test_lit_keeps_transparency(make, scene):
    materials = part("addon.scene.materials")
    image = bpy.data.images.new("Clear", 4, 4, alpha=True)
    material = materials.picture_material("Clear", image, transparent=True)
    materials.set_lit(material, True)
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    assert shader.inputs["Alpha"].links[0].from_socket.name == "Alpha"
    materials.set_lit(material, False)
    assert surface(material) == "MIX_SHADER"


def test_a_material_of_the_users_own_is_left_alone(make):
    character = make()
    material = character.makeittalk.body.data.materials[0]
    nodes = material.node_tree.nodes
    nodes.remove(next(node for node in nodes if node.type == "EMISSION"))
    before = len(nodes)
    character.makeittalk.lit = True
    assert len(nodes) == before


def test_tables_hold_what_is_shown(edited, tmp_path, scene):
    formats = part("backend.makeittalk.exchange.formats.motion_table")
    settings = edited.makeittalk
    values, bends = of(edited)
    export("CSV", tmp_path / "x.csv")
    export("JSON", tmp_path / "x.json")
    found = formats.read_live_link(tmp_path / "x.csv", 24.0)
    frames = json.loads((tmp_path / "x.json").read_text())["frames"]
    first = found.first
    names = [name for name in samples.KEYS if name in found.names]
    assert names and found.frames >= 60
    rows = slice(FRAMES[0] - first, FRAMES[-1] - first + 1)
    for name in names:
        shown = values[:, samples.KEYS.index(name)]
        np.testing.assert_allclose(found.values[rows, found.names.index(name)], shown, atol=1e-5)
        np.testing.assert_allclose(frames[name][rows], shown, atol=1e-5)
    # The head turns in the portrait's axes as it does in Blender's: x the same, y down, z away from the viewer.
    axes = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    local = np.array(settings.rig.matrix_world.to_3x3().normalized())
    for row, bend in enumerate(bends):
        turn = axes @ np.linalg.inv(local) @ bend[:3, :3] @ local @ axes.T
        euler = Matrix(turn.tolist()).to_euler("XYZ")
        np.testing.assert_allclose(found.head_rotation[rows][row], euler, atol=1e-4)
    assert np.abs(found.head_rotation).max() > 0.3 and scene.frame_current == 60  # where `of` has left it


@pytest.mark.parametrize("kind", ["GLB", "FBX", "USD", "ABC", "MDD", "PC2"])
@pytest.mark.parametrize("where", [np.nan, np.inf, 3e38])
def test_points_that_lie_nowhere_are_a_sentence_and_no_file(make, tmp_path, kind, where):
    blocks = make().makeittalk.body.data.shape_keys.key_blocks
    for block in blocks:
        block.points[0].co.x = where
    with pytest.raises(RuntimeError, match="lie nowhere"):
        export(kind, tmp_path / "x")
    assert not list(tmp_path.glob("x*"))


@pytest.mark.parametrize("kind", ["GLB", "JSON", "CSV"])
def test_curves_that_are_no_number_are_a_sentence_and_no_file(edited, tmp_path, kind):
    curves = part("addon.compat").assigned_curves(edited.makeittalk.body.data.shape_keys).fcurves
    curves.find(JAW).keyframe_points[1].co.y = np.nan
    with pytest.raises(RuntimeError, match=r"jawOpen.* is no number on frame"):
        export(kind, tmp_path / "x")
    assert not list(tmp_path.glob("x*"))


@pytest.mark.skipif(os.name == "nt", reason="there are no named pipes in folders")
@pytest.mark.parametrize("kind", ["GLB", "FBX", "USD"])
def test_a_picture_that_is_a_pipe_is_not_waited_for(make, tmp_path, kind):
    os.mkfifo(tmp_path / "pipe.png")
    character = make()
    image = part("addon.scene.textures").portrait_of(character)
    image.filepath = str(tmp_path / "pipe.png")
    image.unpack(method="REMOVE")
    with pytest.raises(RuntimeError, match="is no file"):
        export(kind, tmp_path / "x")
    assert not list(tmp_path.glob("x*"))
