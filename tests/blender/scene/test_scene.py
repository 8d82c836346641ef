"""The scene a character is built into."""

from __future__ import annotations

import json

import bpy
import numpy as np
import pytest
import samples
from extension import part
from generated import changed, curve, layer
from sounding import SOUND, needs_sound


def census() -> dict[str, int]:
    kinds = ("objects", "meshes", "armatures", "cameras", "materials", "images", "actions", "sounds", "collections")
    return {kind: len(getattr(bpy.data, kind)) for kind in kinds}


def strips(scene):
    return part("addon.compat").sequencer_strips(scene)


def evaluated_points(body) -> np.ndarray:
    mesh = body.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    return points.reshape(-1, 3).astype(np.float64)


def rotation_matrix(r: np.ndarray) -> np.ndarray:
    """Euler "xyz" of scipy: about fixed x, then y, then z."""
    cx, cy, cz = np.cos(r)
    sx, sy, sz = np.sin(r)
    x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return z @ y @ x


def test_mesh_is_the_portrait_in_blender_units(make):
    arrays = samples.mesh_arrays()
    body = make().makeittalk.body
    mesh = body.data
    assert (len(mesh.vertices), len(mesh.polygons)) == (len(arrays["vertices"]), len(arrays["triangles"]))
    co = np.array([v.co for v in mesh.vertices])
    x, y, z = arrays["vertices"].T
    expected = np.stack([(x - 60) / 160, z / 160, (80 - y) / 160], axis=-1)
    np.testing.assert_allclose(co, expected, atol=1e-6)
    assert np.ptp(co[:, 2]) == pytest.approx(1.0)  # one unit is the picture's height
    normals = np.array([p.normal for p in mesh.polygons])
    assert (normals[:, 1] < 0).all()  # towards the viewer at −Y
    assert [p.material_index for p in mesh.polygons] == arrays["material"].tolist()
    loops = np.array([loop.vertex_index for loop in mesh.loops])
    uv = np.array([item.vector for item in mesh.uv_layers["UVMap"].uv])
    np.testing.assert_allclose(uv, arrays["uv"][loops], atol=1e-6)


def test_shape_keys_have_names_ranges_and_shapes(make):
    arrays = samples.mesh_arrays()
    blocks = make().makeittalk.body.data.shape_keys.key_blocks
    assert [block.name for block in blocks] == ["Basis", *samples.KEYS]
    ranges = [(block.slider_min, block.slider_max) for block in blocks[1:]]
    assert ranges == [tuple(pair) for pair in samples.RANGES]
    for block, offsets in zip(blocks[1:], arrays["keys"], strict=True):
        moved = np.array([a.co for a in block.data]) - np.array([a.co for a in blocks[0].data])
        dx, dy, dz = offsets.T
        np.testing.assert_allclose(moved, np.stack([dx, dz, -dy], -1) / 160, atol=1e-6)


def test_posed_mesh_equals_the_design_formula(make):
    """Keys, then R(v − pivot) + pivot + t, blended by the head weight: what the offline warp does in numpy."""
    arrays, bake = samples.mesh_arrays(), samples.bake_arrays()
    character = make(every_frame=True)
    body = character.makeittalk.body
    for frame in (0, 7, 23, 41, 59):
        bpy.context.scene.frame_set(1 + frame)
        rotation = bake["head_rotation"][frame] * (1, -1, -1)  # back from the bone's channels
        move = bake["head_location"][frame] * (1, -1, -1) * samples.HEIGHT
        v = arrays["vertices"] + np.einsum("k,kvc->vc", bake["lip_values"][frame], arrays["keys"])
        posed = (v - arrays["neck_pivot"]) @ rotation_matrix(rotation).T + arrays["neck_pivot"] + move
        w = arrays["head_weights"][:, None]
        x, y, z = (w * posed + (1 - w) * v).T
        expected = np.stack([(x - 60) / 160, z / 160, (80 - y) / 160], axis=-1)
        np.testing.assert_allclose(evaluated_points(body), expected, atol=1e-5)


def test_curves_reproduce_every_frame(make):
    bake = samples.bake_arrays()
    character = make(start=11)
    keys = character.makeittalk.body.data.shape_keys
    reach = part("addon.scene.shape_keys").reach(keys)
    allowance = 0.1 * character.makeittalk.face_width / 256 / samples.HEIGHT
    lips = layer(character, "Lips")
    assert (lips.strip.frame_start, lips.strip.frame_end) == (11, 70)
    curves = lips.curves.fcurves
    assert len(curves) == len(samples.KEYS)
    for column, name in enumerate(samples.KEYS):
        fitted = curves.find(f'key_blocks["{name}"].value')
        values = np.array([fitted.evaluate(i) for i in range(60)])
        assert np.abs(values - bake["lip_values"][:, column]).max() < allowance / reach[name] * 1.01 + 1e-5
        assert len(fitted.keyframe_points) <= 60
    shut = curves.find('key_blocks["jawOpen"].value')
    assert [shut.evaluate(i) for i in range(20, 26)] == pytest.approx([0.0] * 6, abs=1e-6)
    for path, names, samples_of in (
        ("location", ["Sway"] * 3, bake["head_location"]),
        ("rotation_euler", ["Nod", "Turn", "Tilt"], bake["head_rotation"]),
    ):
        for axis in range(3):
            found = curve(character, names[axis], f'pose.bones["head"].{path}', axis)
            values = [found.evaluate(i) for i in range(60)]
            assert np.abs(np.array(values) - samples_of[:, axis]).max() < 5e-4
            assert len(found.keyframe_points) < 60


def test_shape_key_values_reach_the_sliders(make):
    bake = samples.bake_arrays()
    body = make(every_frame=True).makeittalk.body
    for frame in (0, 22, 59):
        bpy.context.scene.frame_set(1 + frame)
        values = [body.data.shape_keys.key_blocks[name].value for name in samples.KEYS]
        assert values == pytest.approx(bake["lip_values"][frame].tolist(), abs=1e-4)


@needs_sound
def test_sound_starts_with_the_motion_on_a_free_channel(make, job, scene):
    other = part("addon.compat").sequencer_strips(scene, create=True)
    other.new_sound("music", str(job / "speech.wav"), 1, 30)
    other.new_sound("far", str(job / "speech.wav"), 2, 500)
    character = make(start=20)
    strip = part("addon.scene.speech").strip_of(scene, character.makeittalk.current)
    first, behind = part("addon.compat").strip_span(strip)
    assert (first, strip.channel, strip.type) == (20, 2, "SOUND")
    assert abs(behind - first - 60) <= 1


def test_without_a_sound_system_the_character_still_moves(make, scene, monkeypatch):
    monkeypatch.setattr(part("addon.compat"), "plays_sound", lambda: False)
    settings = make().makeittalk
    assert not strips(scene) and settings.strip == ""
    assert settings.rig.animation_data.nla_tracks


def test_untouched_scene_is_set_up(make, scene):
    character = make(start=1)
    assert (scene.frame_start, scene.frame_end, scene.frame_current) == (1, 60, 1)
    assert scene.view_settings.view_transform == "Standard"
    assert scene.sync_mode == "AUDIO_SYNC"
    assert scene.camera == character.makeittalk.camera
    assert scene.camera.data.type == "ORTHO"
    assert (scene.render.resolution_x, scene.render.resolution_y) == (120, 160)
    assert scene.objects["Cube"].hide_render
    assert part("addon.scene.setup").missing(scene, character) == []


def test_touched_scene_is_left_alone_until_asked(make, scene):
    scene.objects["Cube"].location.x = 3
    scene.frame_end = 40
    camera = scene.camera
    character = make(start=10)
    assert (scene.frame_start, scene.frame_end) == (1, 40)
    assert scene.view_settings.view_transform != "Standard" and scene.camera == camera
    assert not scene.objects["Cube"].hide_render
    assert len(part("addon.scene.setup").missing(scene, character)) == 4
    assert bpy.ops.makeittalk.set_up_scene() == {"FINISHED"}
    assert (scene.frame_start, scene.frame_end) == (1, 69)
    assert scene.camera == character.makeittalk.camera
    scene.frame_end = 400
    bpy.ops.makeittalk.set_up_scene()
    assert scene.frame_end == 400  # a range only grows


def test_several_characters_stand_side_by_side(make, scene):
    first, second = make(), make(start=100)
    assert {first.name, second.name} == {"Ada", "Ada.001"}
    assert second.makeittalk.rig.location.x >= first.makeittalk.rig.location.x + samples.WIDTH / samples.HEIGHT
    active = part("addon.scene.character").active
    assert active(bpy.context) == second
    assert bpy.ops.makeittalk.select_character(name="Ada") == {"FINISHED"}
    assert active(bpy.context) == first
    assert len(strips(scene) or ()) == (2 if SOUND else 0)


def test_removing_a_character_takes_all_of_it(make, scene):
    before = census()
    make()
    assert bpy.ops.makeittalk.remove_character() == {"FINISHED"}
    assert census() == before
    assert not strips(scene)


def shown(character, frames) -> list[list[float]]:
    """The values of all shape keys, frame by frame."""
    blocks = character.makeittalk.body.data.shape_keys.key_blocks
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        found.append([block.value for block in blocks])
    return found


def test_start_frame_moves_curves_and_sound(make, scene):
    character = make(start=1)
    keys = character.makeittalk.body.data.shape_keys
    scene.frame_set(10)
    keys.key_blocks["jawOpen"].value += 0.3
    keys.keyframe_insert('key_blocks["jawOpen"].value')
    before = shown(character, range(1, 61))
    character.makeittalk.start = 31
    np.testing.assert_allclose(shown(character, range(31, 91)), before, atol=1e-4)
    if SOUND:
        strip = part("addon.scene.speech").strip_of(scene, character.makeittalk.current)
        assert part("addon.compat").strip_span(strip)[0] == 31
    assert changed(character) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda job: (job / "mesh.npz").write_bytes(b"PK\x03\x04 not an archive"),
        lambda job: (job / "bake.npz").write_bytes((job / "bake.npz").read_bytes()[:500]),
        lambda job: (job / "portrait.png").write_bytes(b"no picture"),
        pytest.param(lambda job: (job / "speech.wav").write_bytes(b"no sound"), marks=needs_sound),
        lambda job: (job / "motion.npz").unlink(),
        lambda job: samples.spoil_array(job / "mesh.npz", "triangles", lambda a: a + 100_000),
        lambda job: samples.spoil_array(job / "mesh.npz", "vertices", lambda a: a * np.nan),
        lambda job: samples.spoil_array(job / "mesh.npz", "keys", lambda a: a[:, :-1]),
        lambda job: samples.spoil_array(job / "mesh.npz", "vertices", lambda a: a.astype(object)),
        lambda job: samples.spoil_array(job / "mesh.npz", "image_size", lambda a: a.astype(np.int64) + 2**31),
        lambda job: samples.spoil_array(job / "mesh.npz", "image_size", lambda a: a * 0),
        lambda job: samples.spoil_array(job / "mesh.npz", "triangles", lambda a: a.astype(np.int64) + 2**31),
        lambda job: samples.spoil_array(job / "mesh.npz", "material", lambda a: a.astype(np.int64) + 2**31),
        lambda job: samples.spoil_array(job / "mesh.npz", "landmark_vertices", lambda a: a * 0),
        lambda job: samples.spoil_array(job / "mesh.npz", "key_names", lambda a: np.array(["ä" * 60, "b", "c", "d"])),
        lambda job: samples.spoil_array(job / "mesh.npz", "mouth_image", lambda a: np.zeros((1, 5000, 4), np.uint8)),
        lambda job: samples.spoil_array(job / "bake.npz", "fps", lambda a: a + 1e5),
        lambda job: samples.spoil_array(job / "bake.npz", "key_names", lambda a: np.array(["a", "b", "c", "d"])),
        lambda job: (job / "face.json").write_text(json.dumps({"format": 1, "image": {"path": "../../etc/passwd"}})),
    ],
)
def test_damaged_files_change_nothing(make, scene, job, spoil):
    error = part("backend.makeittalk.exchange.errors").MakeItTalkError
    before, range_before = census(), (scene.frame_start, scene.frame_end, scene.camera)
    spoil(job)
    with pytest.raises(error) as raised:
        make()
    assert str(raised.value).count("\n") == 0 and raised.value.message.endswith(".")
    assert census() == before
    assert not strips(scene)
    assert (scene.frame_start, scene.frame_end, scene.camera) == range_before


def test_blend_file_stands_alone(make, job, tmp_path):
    """Pictures are packed, the motion is inside: saved and opened again, a character can still be re-baked."""
    make(pack_sound=True)
    path = tmp_path / "shot.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    for file in job.iterdir():
        file.unlink()
    bpy.ops.wm.open_mainfile(filepath=str(path))
    character = part("addon.scene.character")
    (found,) = character.characters(bpy.context.scene)
    assert all(image.packed_file for image in bpy.data.images if image.source != "VIEWER")
    assert all(sound.packed_file for sound in bpy.data.sounds)
    assert changed(found) == []
    motion, mesh = character.kept_files(found)
    with np.load(motion) as arrays:
        assert arrays["landmarks"].shape == (5, 68, 3)
    assert part("backend.makeittalk.exchange.formats").Mesh.load(mesh).face_width > 0
