"""The button, pressed by a script, with the real backend behind it."""

from __future__ import annotations

import os
import signal

import bpy
import numpy as np
import pytest
import samples
from edits import edited_curves
from extension import part
from project import ASSETS
from sounding import SOUND


@pytest.fixture
def press(scene, backend, tmp_path):
    """Presses Make It Talk with the embedded portrait and a short recording; other settings by keyword."""
    settings = bpy.context.scene.makeittalk
    settings.seed = 0
    settings.portrait = str(ASSETS / "portrait_cartoon.png")
    settings.speech = str(ASSETS / "speech.flac")

    def run(**changes):
        for name, value in changes.items():
            setattr(settings, name, value)
        assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
        return part("addon.scene.character").active(bpy.context)

    return run


def curves(owner) -> dict[str, np.ndarray]:
    found = part("addon.compat").assigned_curves(owner).fcurves
    first, last = bpy.context.scene.frame_start, bpy.context.scene.frame_end
    return {f"{c.data_path}[{c.array_index}]": np.array([c.evaluate(f) for f in range(first, last + 1)]) for c in found}


def face_curves(character) -> dict[str, np.ndarray]:
    return curves(character.makeittalk.body.data.shape_keys)


def openings(character, folder) -> np.ndarray:
    """(N,) distance of the inner lips' middles 62 and 66 on every frame of the moving mesh, in face widths."""
    _motion, mesh = part("addon.scene.character").unpack(character, folder)
    arrays = part("backend.makeittalk.exchange.formats").Mesh.load(mesh)
    upper, lower = (int(arrays.landmark_vertices[point]) for point in (62, 66))
    scene, body = bpy.context.scene, character.makeittalk.body
    found = []
    for frame in range(scene.frame_start, scene.frame_end + 1):
        scene.frame_set(frame)
        points = body.evaluated_get(bpy.context.evaluated_depsgraph_get()).data.vertices
        found.append((points[upper].co - points[lower].co).length)
    return np.array(found) * float(arrays.image_size[1]) / arrays.face_width


def census() -> list[int]:
    kinds = ("objects", "meshes", "armatures", "materials", "images", "actions", "sounds", "collections")
    return [len(getattr(bpy.data, kind)) for kind in kinds]


def test_one_press_makes_a_talking_character(press, scene, tmp_path):
    character = press()
    settings = character.makeittalk
    assert character.name == "portrait_cartoon"
    assert (scene.frame_start, scene.frame_end) == (1, settings.frames)
    if SOUND:
        strip = part("addon.compat").sequencer_strips(scene)[settings.strip]
        first, behind = part("addon.compat").strip_span(strip)
        assert first == 1 and abs(behind - first - settings.frames) <= 1
        assert os.path.samefile(bpy.path.abspath(strip.sound.filepath), ASSETS / "speech.flac")
    face, head = face_curves(character), curves(settings.rig)
    names = {path.split('"')[1] for path in face}
    assert {"jawOpen", "mouthPucker", "mouthSmileLeft", "eyeBlinkLeft", "browInnerUp"} <= names
    opening = openings(character, tmp_path)
    assert opening.max() > 0.04 and opening.min() < 0.01  # the mouth opens wide enough to be seen, and shuts
    assert np.ptp(face['key_blocks["eyeBlinkLeft"].value[0]']) > 0.4
    assert {path.split(".")[-1] for path in head} == {
        f"{c}[{i}]" for c in ("location", "rotation_euler") for i in range(3)
    }
    assert max(np.ptp(values) for values in head.values()) > 0.01
    assert settings.residual < 0.5
    session = bpy.context.window_manager.makeittalk
    assert ("built without sound" in session.message) == (not SOUND)
    assert "speaks from frame 1" in session.message and not session.is_error and not session.running


def test_amounts_rebake_from_the_cached_motion(press, tmp_path):
    character = press()
    settings = character.makeittalk
    before, still, opening = face_curves(character), curves(settings.rig), openings(character, tmp_path)
    settings.lip, settings.head, settings.blink = 0.5, 0.0, 0.0
    assert bpy.ops.makeittalk.rebake() == {"FINISHED"}
    after = face_curves(character)
    jaw, blink = 'key_blocks["jawOpen"].value[0]', 'key_blocks["eyeBlinkLeft"].value[0]'
    assert 0.3 < np.ptp(openings(character, tmp_path)) / np.ptp(opening) < 0.8
    assert np.ptp(after[blink]) < 0.3 * np.ptp(before[blink])
    assert max(np.ptp(values) for values in curves(settings.rig).values()) < 1e-3 < max(map(np.ptp, still.values()))
    # An edited curve survives the next change of an amount.
    keys = settings.body.data.shape_keys
    edited = part("addon.compat").assigned_curves(keys).fcurves.find('key_blocks["jawOpen"].value')
    edited.keyframe_points[1].co.y = 0.77
    settings.lip, settings.blink = 1.0, 1.0
    assert bpy.ops.makeittalk.rebake() == {"FINISHED"}
    assert edited.keyframe_points[1].co.y == pytest.approx(0.77)
    assert "1 edited curve kept" in bpy.context.window_manager.makeittalk.message
    np.testing.assert_allclose(face_curves(character)[blink], before[blink], atol=0.02)
    assert bpy.ops.makeittalk.rebake(overwrite=True) == {"FINISHED"}
    assert edited_curves(character) == []
    np.testing.assert_allclose(face_curves(character)[jaw], before[jaw], atol=0.02)


def test_new_take_follows_the_seed(press):
    character = press()
    before = curves(character.makeittalk.rig)
    character.makeittalk.seed = 7
    assert bpy.ops.makeittalk.new_take() == {"FINISHED"}
    after = curves(character.makeittalk.rig)
    assert max(np.abs(after[path] - before[path]).max() for path in before) > 0.005
    assert len(part("addon.scene.character").characters(bpy.context.scene)) == 1


def test_rebake_follows_a_changed_rate(press, scene):
    character = press()
    frames = character.makeittalk.frames
    scene.render.fps, scene.render.fps_base = 30, 1.001
    assert bpy.ops.makeittalk.rebake() == {"FINISHED"}
    assert character.makeittalk.fps == pytest.approx(29.97, abs=0.01)
    assert character.makeittalk.frames == pytest.approx(frames * 29.97 / 24, abs=1.5)


def spoilt(tmp_path, kind: str) -> dict[str, str]:
    text = tmp_path / "spoken words.wav"
    text.write_text("This is no sound.")
    empty = tmp_path / "empty.flac"
    empty.touch()
    short = tmp_path / "short.wav"
    samples.write_tone(short, 0.01)
    blank = tmp_path / "wall.png"
    samples.write_png(blank, np.full((200, 200, 4), 255, np.uint8))
    torn = tmp_path / "torn.png"
    torn.write_bytes((ASSETS / "portrait_cartoon.png").read_bytes()[:5000])
    return {
        "text": {"speech": str(text)},
        "empty": {"speech": str(empty)},
        "short": {"speech": str(short)},
        "no face": {"portrait": str(blank)},
        "torn": {"portrait": str(torn)},
    }[kind]


@pytest.mark.parametrize("kind", ["text", "empty", "short", "no face", "torn"])
def test_bad_input_is_one_sentence_and_changes_nothing(press, scene, tmp_path, kind):
    before, state = census(), (scene.frame_start, scene.frame_end, scene.camera)
    with pytest.raises(RuntimeError) as raised:
        press(**spoilt(tmp_path, kind))
    text = str(raised.value).removeprefix("Error: ").strip()
    assert "\n" not in text and "Traceback" not in text and text.endswith(".")
    assert census() == before and (scene.frame_start, scene.frame_end, scene.camera) == state
    assert not part("addon.compat").sequencer_strips(scene)
    session = bpy.context.window_manager.makeittalk
    assert session.is_error and session.message.rstrip(".") in text and not session.running


def test_buttons_say_why_they_are_grey(scene, backend, monkeypatch):
    reason = bpy.types.MAKEITTALK_OT_make_it_talk.disabled_reason
    settings = scene.makeittalk
    assert reason(bpy.context) == "Choose a portrait first."
    settings.portrait = "/nowhere/face.png"
    assert reason(bpy.context) == "face.png does not exist."
    settings.portrait = str(ASSETS / "portrait_cartoon.png")
    assert reason(bpy.context) == "Choose a speech recording first."
    settings.speech = str(ASSETS / "speech.flac")
    assert reason(bpy.context) == "" and bpy.ops.makeittalk.make_it_talk.poll()
    backend.close()
    monkeypatch.setenv("MAKEITTALK_PYTHON", "/nowhere/python")
    assert "/nowhere/python" in reason(bpy.context)
    monkeypatch.delenv("MAKEITTALK_PYTHON")
    assert "Press Install Backend" in reason(bpy.context)
    assert not bpy.ops.makeittalk.make_it_talk.poll()
    assert bpy.types.MAKEITTALK_OT_rebake.disabled_reason(bpy.context) == "Make a character first."


def test_a_killed_backend_is_replaced_by_the_next_run(press, backend):
    press()
    os.kill(backend.current().process.pid, signal.SIGKILL)
    backend.current().process.wait()
    assert backend.status() == ("Backend has stopped", "ERROR")
    press()
    assert backend.status()[1] == "CHECKMARK"
