"""Photoreal frames in Blender: what is read from the moving mesh, the job, and the plane that shows the pictures."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import bpy
import numpy as np
import pytest
import samples
from extension import part
from generated import key
from rendered import at_rest, eevee_engine, render
from sounding import SOUND

NETWORK = """
import sys
from makeittalk.networks.correction import CorrectionConfig, CorrectionNet
from makeittalk.networks.image_inference import save_image
save_image(sys.argv[1], CorrectionNet(CorrectionConfig(widths=(4, 4), blocks=0)), "correction", {})
"""


def read(character, frames: range) -> np.ndarray:
    """(T, V, 3) px: the moving vertices."""
    vertices = np.empty((len(frames), len(character.makeittalk.body.data.vertices), 3), np.float32)
    steps = part("addon.scene.evaluation").read_moves(lambda: (bpy.context.scene, character), frames, vertices)
    assert list(steps)[-1] == 1.0
    return vertices


def turned(points: np.ndarray, axis: int, degrees: float) -> np.ndarray:
    """Vertices (…, V, 3) px of the sample mesh at rest, the head turned about an axis of the portrait."""
    mesh = samples.mesh_arrays()
    angle = np.radians(degrees)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = np.cos(angle)
    matrix[first, second], matrix[second, first] = -np.sin(angle), np.sin(angle)
    pivot, weight = mesh["neck_pivot"], mesh["head_weights"][:, None]
    return points + weight * ((points - pivot) @ matrix.T + pivot - points)


class TestReading:
    def test_at_rest_it_is_the_mesh_that_was_built(self, make):
        character = make()
        at_rest(character)
        np.testing.assert_allclose(read(character, range(1, 3))[1], samples.mesh_arrays()["vertices"], atol=1e-3)

    @pytest.mark.parametrize("degrees", [-10.0, -5.0, 5.0, 10.0])
    @pytest.mark.parametrize(("channel", "axis"), [(1, 1), (2, 2)], ids=["yaw", "roll"])
    def test_a_key_of_the_animators_turns_the_vertices(self, make, channel, axis, degrees):
        character = make()
        character.makeittalk.lip = character.makeittalk.head = 0.0
        path = part("addon.scene.rig").head_path("rotation_euler")
        # The bone's axes run against the portrait's.
        key(character.makeittalk.rig, path, np.radians(-degrees), channel)
        expected = turned(samples.mesh_arrays()["vertices"], axis, degrees)
        found = read(character, range(10, 12))[0]
        assert np.abs(expected - samples.mesh_arrays()["vertices"]).max() > 2.0
        np.testing.assert_allclose(found, expected, atol=0.02)

    def test_the_nla_and_constraints_and_drivers_are_seen(self, make):
        character = make()
        settings = character.makeittalk
        before = read(character, range(1, 21))
        # The animator's own layer, pushed down and moved as Blender's own tools do.
        key(settings.rig, part("addon.scene.rig").head_path("rotation_euler"), 0.2, 1)
        data = settings.rig.animation_data
        action = data.action
        slot = data.action_slot if part("addon.compat").SLOTTED_ACTIONS else None
        data.action = None
        strip = data.nla_tracks.new().strips.new("Head", 6, action)
        if slot is not None:
            strip.action_slot = slot
        strip.blend_type = data.action_blend_type
        moved = read(character, range(1, 21))
        keys = settings.body.data.shape_keys
        keys.animation_data_clear()
        assert np.abs(moved - before).max() > 1.0
        still = read(character, range(1, 21))
        target = bpy.data.objects.new("Target", None)
        bpy.context.scene.collection.objects.link(target)
        target.rotation_euler = (0.0, np.radians(12.0), 0.0)
        copied = settings.rig.pose.bones["head"].constraints.new("COPY_ROTATION")
        copied.target = target
        assert np.abs(read(character, range(1, 21)) - still).max() > 2.0
        copied.mute = True
        driver = keys.key_blocks["jawOpen"].driver_add("value").driver
        driver.type, driver.expression = "SCRIPTED", "2.0"
        assert np.abs(read(character, range(1, 21)) - still).max() > 1.0

    def test_where_the_character_stands_does_not_matter(self, make):
        character = make()
        before = read(character, range(1, 11))
        root = character.makeittalk.rig
        root.location = (3.0, -2.0, 7.0)
        np.testing.assert_array_equal(read(character, range(1, 11)), before)
        root.rotation_euler, root.scale = (0.4, 1.0, -2.0), (3.0, 3.0, 3.0)
        np.testing.assert_allclose(read(character, range(1, 11)), before, atol=1e-2)

    def test_the_scene_is_left_as_it_was_between_the_steps(self, make, monkeypatch):
        character = make()
        evaluation = part("addon.scene.evaluation")
        monkeypatch.setattr(evaluation, "_CHUNK", 0.0)
        scene, body = bpy.context.scene, character.makeittalk.body
        shown = read(character, range(1, 6))
        scene.frame_set(17, subframe=0.25)
        body.hide_viewport = True
        vertices = np.full_like(shown, np.nan)
        seen = 0
        for _fraction in evaluation.read_moves(lambda: (scene, character), range(1, 6), vertices):
            seen += 1
            assert (scene.frame_current, scene.frame_subframe) == (17, 0.25) and body.hide_viewport
        assert seen > 2
        np.testing.assert_array_equal(vertices, shown)  # a mesh that is hidden moves all the same
        body.hide_viewport = False
        body.hide_set(True)
        np.testing.assert_array_equal(read(character, range(1, 6)), shown)
        assert body.hide_get()

    def test_what_cannot_be_read_is_a_sentence(self, make):
        character = make()
        error = part("addon.core.errors").AddonError
        scene, body = bpy.context.scene, character.makeittalk.body
        scene.frame_set(9)
        more = body.modifiers.new("More", "SUBSURF")
        with pytest.raises(error, match="changes the number of its vertices"):
            read(character, range(1, 3))
        more.show_viewport = False
        read(character, range(1, 3))
        character.hide_viewport = True
        with pytest.raises(error, match="hidden with its collection"):
            read(character, range(1, 3))
        assert scene.frame_current == 9


@pytest.fixture
def pictures(tmp_path) -> Path:
    """Frames 20 to 29, each of its own colours, and the first once more before it."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(19, 30):
        samples.write_png(folder / f"photoreal_{number:05d}.png", picture(max(20, number)))
    return folder


def picture(number: int) -> np.ndarray:
    rgba = samples.portrait()
    rgba[..., :3] = (rgba[..., :3].astype(int) * (number - 10) // 20).astype(np.uint8)
    return rgba


class TestPlane:
    @pytest.fixture
    def plane(self, make, pictures):
        character = make()
        return character, part("addon.scene.photo_plane").show(character, pictures / "photoreal_00020.png", 20, 29)

    @pytest.mark.parametrize("engine", ["CYCLES", "EEVEE"])
    def test_frame_f_shows_the_picture_of_f(self, plane, engine, tmp_path):
        name = eevee_engine() if engine == "EEVEE" else engine
        bpy.context.scene.eevee.taa_render_samples = 4  # without a graphics card each takes seconds
        for frame in (27,) if engine == "EEVEE" else (20, 27, 29):
            bpy.context.scene.frame_set(frame)
            found = render(tmp_path / f"{frame}.png", name)
            difference = np.abs(found - picture(frame)[..., :3])[3:-3, 3:-3]
            assert difference.mean() < 1.0 and difference.max() < 4.0, (frame, difference.mean())

    def test_before_and_after_the_ends_stay(self, plane, tmp_path):
        for frame, number in ((3, 20), (60, 29)):
            bpy.context.scene.frame_set(frame)
            difference = np.abs(render(tmp_path / f"{frame}.png") - picture(number)[..., :3])[3:-3, 3:-3]
            assert difference.mean() < 1.0

    def test_it_stands_where_the_portrait_does(self, plane):
        character, shown = plane
        settings = character.makeittalk
        corners = np.array([shown.matrix_world @ vertex.co for vertex in shown.data.vertices])
        half = 0.5 * samples.WIDTH / samples.HEIGHT
        np.testing.assert_allclose(corners.min(axis=0), (-half, 0.0, -0.5), atol=1e-6)
        np.testing.assert_allclose(corners.max(axis=0), (half, 0.0, 0.5), atol=1e-6)
        settings.rig.location.x = 2.0
        bpy.context.view_layer.update()
        assert shown.matrix_world.translation.x == pytest.approx(2.0)

    def test_the_switch_shows_one_of_both(self, plane):
        character, shown = plane
        settings = character.makeittalk
        for photoreal in (True, False, True):
            settings.show_photoreal = photoreal
            assert (shown.hide_render, shown.hide_viewport) == (not photoreal,) * 2
            assert (settings.body.hide_render, settings.body.hide_viewport) == (photoreal,) * 2

    def test_showing_again_keeps_the_plane(self, plane, pictures):
        character, shown = plane
        before = (len(bpy.data.objects), len(bpy.data.images), len(bpy.data.materials), len(bpy.data.meshes))
        again = part("addon.scene.photo_plane").show(character, pictures / "photoreal_00022.png", 22, 25)
        assert again == shown
        assert (len(bpy.data.objects), len(bpy.data.images), len(bpy.data.materials), len(bpy.data.meshes)) == before
        first, files = part("addon.scene.photo_plane").shown_files(character)
        assert first == 22 and [path.name[-6:-4] for path in files] == ["22", "23", "24", "25"]

    def test_moving_the_start_moves_what_is_shown(self, plane, tmp_path):
        character, _shown = plane
        character.makeittalk.start += 100
        bpy.context.scene.frame_set(124)
        difference = np.abs(render(tmp_path / "later.png") - picture(24)[..., :3])[3:-3, 3:-3]
        assert difference.mean() < 1.0

    def test_removing_the_character_leaves_nothing(self, make, pictures):
        kinds = ("objects", "meshes", "materials", "images", "collections", "actions", "sounds")
        before = [len(getattr(bpy.data, kind)) for kind in kinds]
        character = make()
        part("addon.scene.photo_plane").show(character, pictures / "photoreal_00020.png", 20, 29)
        assert bpy.ops.makeittalk.photoreal_strip() == {"FINISHED"}
        part("addon.scene.character").remove(bpy.context.scene, character)
        assert [len(getattr(bpy.data, kind)) for kind in kinds] == before
        assert not part("addon.compat").sequencer_strips(bpy.context.scene)

    def test_the_sequencer_plays_the_pictures(self, plane, pictures):
        _character, _shown = plane
        for _press in range(2):  # the second time the strip is replaced
            assert bpy.ops.makeittalk.photoreal_strip() == {"FINISHED"}
            strips = [s for s in part("addon.compat").sequencer_strips(bpy.context.scene) if s.type == "IMAGE"]
            assert len(strips) == 1
            strip = strips[0]
            assert part("addon.compat").strip_span(strip) == (20, 30)
            assert [item.filename for item in strip.elements] == sorted(os.listdir(pictures))[1:]
        (pictures / "photoreal_00023.png").unlink()
        with pytest.raises(RuntimeError, match=r"photoreal_00023\.png is missing"):
            bpy.ops.makeittalk.photoreal_strip()

    def test_the_compositor_gets_the_frames(self, plane, tmp_path):
        scene = bpy.context.scene
        scene.frame_set(23)
        before = render(tmp_path / "before.png")
        for _press in range(2):  # the second time the node is set anew
            assert bpy.ops.makeittalk.photoreal_compositor() == {"FINISHED"}
        tree = part("addon.compat").compositor_tree(scene)
        nodes = [node for node in tree.nodes if node.type == "IMAGE"]
        assert len(nodes) == 1
        assert (nodes[0].frame_start, nodes[0].frame_offset, nodes[0].frame_duration) == (20, 19, 10)
        np.testing.assert_allclose(render(tmp_path / "unconnected.png"), before, atol=1.0)
        output = next(node for node in tree.nodes if node.type in ("COMPOSITE", "GROUP_OUTPUT"))
        tree.links.new(nodes[0].outputs["Image"], output.inputs[0])
        difference = np.abs(render(tmp_path / "connected.png") - picture(23)[..., :3])[3:-3, 3:-3]
        assert difference.mean() < 1.0


@pytest.fixture(scope="session")
def network(backend_python, tmp_path_factory) -> str:
    """A network that has learned nothing: what it makes of a frame is the warp."""
    path = tmp_path_factory.mktemp("network") / "net.safetensors"
    done = subprocess.run([backend_python, "-c", NETWORK, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return str(path)


class TestJob:
    """The button, pressed by a script, with the real backend behind it."""

    @pytest.fixture
    def press(self, make, backend, network, tmp_path):
        character = make()
        character.makeittalk.photo_folder = str(tmp_path / "frames")
        bpy.context.scene.frame_end = 8

        def run() -> str:
            assert bpy.ops.makeittalk.photoreal_frames(weights=network) == {"FINISHED"}
            session = bpy.context.window_manager.makeittalk
            assert not session.is_error and not session.running
            return session.message

        run.character = character
        return run

    def refused(self, press) -> str:
        with pytest.raises(RuntimeError) as raised:
            press()
        text = str(raised.value).removeprefix("Error: ").strip()
        assert "\n" not in text and "Traceback" not in text and text.endswith(".")
        assert not bpy.context.window_manager.makeittalk.running
        return text

    def test_frames_follow_the_edits(self, press, tmp_path):
        character = press.character
        assert press() == f"8 of 8 frames drawn into {tmp_path / 'frames'}."
        plane = part("addon.scene.photo_plane").plane_of(character)
        assert plane is not None and character.makeittalk.body.hide_render and not plane.hide_viewport
        folder = tmp_path / "frames"
        before = {path.name: path.read_bytes() for path in folder.glob("*.png")}
        assert sorted(before) == [f"photoreal_{number:05d}.png" for number in range(9)]
        assert "up to date" in press()
        bpy.context.scene.frame_set(5)
        path = part("addon.scene.rig").head_path("rotation_euler")
        for frame, value in ((5.0, 0.0), (6.0, 0.1), (8.0, 0.1)):
            key(character.makeittalk.rig, path, value, 2, frame)
        assert press().startswith(tuple(f"{count} of 8" for count in range(2, 6)))
        after = {path.name: path.read_bytes() for path in folder.glob("*.png")}
        assert after["photoreal_00001.png"] == before["photoreal_00001.png"]
        assert after["photoreal_00008.png"] != before["photoreal_00008.png"]
        assert part("addon.scene.photo_plane").plane_of(character) == plane
        assert bpy.context.scene.frame_current == 5

    def test_the_render_is_the_pngs(self, press, tmp_path):
        press()
        bpy.context.scene.frame_set(6)
        found = render(tmp_path / "render.png")
        image = bpy.data.images.load(str(tmp_path / "frames" / "photoreal_00006.png"))
        wanted = np.array(image.pixels[:]).reshape(samples.HEIGHT, samples.WIDTH, -1)[::-1, :, :3] * 255.0
        difference = np.abs(found - wanted)[3:-3, 3:-3]
        assert difference.mean() < 1.0 and np.percentile(difference, 98) < 4.0  # a renderer softens sharp edges

    def test_a_film_with_the_speech(self, press, tmp_path):
        press.character.makeittalk.photo_film = True
        press()
        film = tmp_path / "frames" / "Ada.mp4"
        clip = bpy.data.movieclips.load(str(film))
        assert clip.frame_duration == 8 and tuple(clip.size) == (samples.WIDTH, samples.HEIGHT)
        if SOUND:  # else there is neither a speech to go into the film nor a way to hear it
            sound = part("addon.scene.sound").add_sound(bpy.context.scene, "Film", film, 1, False)
            first, behind = part("addon.compat").strip_span(sound)
            assert abs(behind - first - 8) <= 2

    @pytest.mark.skipif(not SOUND, reason="this Blender has no sound")
    def test_a_film_of_two_speeches_sounds_of_both(self, press, tmp_path):
        scene, character = bpy.context.scene, press.character
        first = character.makeittalk.current
        second = part("addon.scene.speech").new(character, 6)
        samples.write_tone(tmp_path / "second.wav", 1.0)
        part("addon.scene.speech").add(scene, second, tmp_path / "second.wav", True)
        one, other = (part("addon.scene.speech").strip_of(scene, item) for item in (first, second))
        part("addon.compat").set_strip_length(one, 3)
        (tmp_path / "files").mkdir()
        heard = part("addon.jobs.photoreal")._sounds(scene, character, range(2, 10), tmp_path / "files")
        rate = scene.render.fps
        begins = [part("addon.compat").strip_span(strip)[0] for strip in (one, other)]
        assert [item.begin for item in heard] == pytest.approx([(frame - 2) / rate for frame in begins])
        assert heard[0].end - heard[0].begin == pytest.approx(3 / rate)
        assert len({Path(item.audio).read_bytes() for item in heard}) == 2
        other.mute = True
        (tmp_path / "again").mkdir()
        assert len(part("addon.jobs.photoreal")._sounds(scene, character, range(2, 10), tmp_path / "again")) == 1

    def test_a_replaced_portrait_is_a_sentence(self, press, tmp_path):
        press()
        image = part("addon.scene.textures").portrait_of(press.character)
        other = samples.portrait()[:100]
        samples.write_png(tmp_path / "other.png", other)
        image.unpack(method="REMOVE")
        image.filepath = str(tmp_path / "other.png")
        image.reload()
        assert "made from" in self.refused(press)
        (tmp_path / "other.png").unlink()
        assert "cannot be read" in self.refused(press)
        assert len(list((tmp_path / "frames").glob("*.png"))) == 9

    def test_folders_that_cannot_be_used_are_a_sentence(self, press, tmp_path):
        settings = press.character.makeittalk
        settings.photo_folder = str(tmp_path / "nowhere" / "frames")
        assert "nowhere" in self.refused(press)
        settings.photo_folder = "//frames"
        assert "save it first" in self.refused(press)

    def test_the_default_folder_follows_the_blend(self, press, tmp_path):
        settings = press.character.makeittalk
        settings.photo_folder = ""
        assert "Save the .blend" in press()
        temporary = Path(bpy.app.tempdir) / "photoreal" / "Ada"
        assert len(list(temporary.glob("*.png"))) == 9
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "talk.blend"))
        message = press()
        assert "up to date" in message and "Save the .blend" not in message
        assert len(list((tmp_path / "photoreal" / "Ada").glob("*.png"))) == 9 and not temporary.exists()
        plane = part("addon.scene.photo_plane").plane_of(part("addon.scene.character").active(bpy.context))
        image = plane.active_material.node_tree.nodes.active.image
        assert image.filepath.startswith("//photoreal/Ada/photoreal_00001")
        assert bpy.ops.makeittalk.photoreal_strip() == {"FINISHED"}
        strip = next(s for s in part("addon.compat").sequencer_strips(bpy.context.scene) if s.type == "IMAGE")
        assert strip.directory.startswith("//photoreal")
        assert os.path.samefile(bpy.path.abspath(strip.directory), tmp_path / "photoreal" / "Ada")

    def test_the_range_is_what_was_chosen(self, press):
        scene, settings = bpy.context.scene, press.character.makeittalk
        frames = part("addon.jobs.photoreal").frame_range
        settings.start = 5
        assert frames(scene, press.character) == range(5, 9)
        settings.photo_range = "SCENE"
        assert frames(scene, press.character) == range(1, 9)
        settings.photo_range = "PREVIEW"
        assert "preview range" in bpy.types.MAKEITTALK_OT_photoreal_frames.disabled_reason(bpy.context)
        scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 3, 4
        assert frames(scene, press.character) == range(3, 5)
        settings.photo_range, settings.start = "CHARACTER", 500
        assert "does not speak" in bpy.types.MAKEITTALK_OT_photoreal_frames.disabled_reason(bpy.context)

    def test_undo_takes_the_plane_and_redo_brings_it(self, press):
        name = press.character.name
        bpy.ops.ed.undo_push(message="before")
        press()
        bpy.ops.ed.undo_push(message="after")
        bpy.ops.ed.undo()
        character = bpy.data.collections[name]
        assert part("addon.scene.photo_plane").plane_of(character) is None
        assert not character.makeittalk.body.hide_viewport and not character.makeittalk.show_photoreal
        bpy.ops.ed.redo()
        character = bpy.data.collections[name]
        assert part("addon.scene.photo_plane").plane_of(character) is not None
        assert character.makeittalk.body.hide_viewport

    def test_cancelling_while_the_motion_is_read(self, press, monkeypatch):
        monkeypatch.setattr(part("addon.scene.evaluation"), "_CHUNK", 0.0)
        task = part("addon.jobs.photoreal").start(bpy.context, press.character)
        assert not task.poll() and bpy.context.window_manager.makeittalk.stage == "Reading the motion"
        folder = task.folder
        task.cancel()
        assert task.poll() and task.cancelled
        task.close()
        assert not folder.exists() and part("addon.jobs.long_job").current_job() is None
        assert "kept" in task.when_cancelled

    def test_a_killed_backend_keeps_frames_and_the_next_run_goes_on(self, press, backend, tmp_path, network):
        bpy.context.scene.frame_end = 60
        folder = tmp_path / "frames"
        task = part("addon.jobs.photoreal").start(bpy.context, press.character, network)
        while len(list(folder.glob("photoreal_*.png"))) < 3:
            assert not task.poll()
        os.kill(backend.current().process.pid, signal.SIGKILL)
        task.wait()
        with pytest.raises(part("addon.core.errors").AddonError, match="stopped unexpectedly"):
            task.finish(bpy.context)
        assert part("addon.scene.photo_plane").plane_of(press.character) is None
        finished = {path.name: path.read_bytes() for path in folder.glob("photoreal_*.png")}
        assert 3 <= len(finished) < 60
        drawn = int(press().split()[0])
        assert drawn - (60 - len(finished)) in (0, 1)  # the last one may have missed its line in the record
        assert {name: (folder / name).read_bytes() for name in finished} == finished

    def test_cancelling_the_backend_keeps_frames(self, press, tmp_path, network):
        bpy.context.scene.frame_end = 60
        task = part("addon.jobs.photoreal").start(bpy.context, press.character, network)
        while not list((tmp_path / "frames").glob("*.png")):
            assert not task.poll()
        task.cancel()
        task.wait()
        assert task.cancelled
        task.close()
        finished = len(list((tmp_path / "frames").glob("*.png")))
        assert finished > 0
        drawn = int(press().split()[0]) if finished < 60 else 0
        assert drawn <= 60 - finished


def test_the_device_is_chosen_in_the_preferences(extension, backend, monkeypatch):
    preferences = part("addon.preferences")
    assert part("addon.package").device() == "auto"
    names = [item[0] for item in preferences._devices(None, None)]
    assert names == ["auto", "cuda", "mps", "cpu"]
    client = backend.get()
    while not client.ready:
        client.poll()
    labels = {item[0]: item[1] for item in preferences._devices(None, None)}
    assert "not here" not in labels["cpu"] and ("not here" in labels["mps"]) == ("mps" not in client.devices)
