"""The button, pressed by a script, with the real backend behind it."""

from __future__ import annotations

import os
import signal

import bpy
import numpy as np
import pytest
import samples
from extension import part
from generated import changed, curve, key, shown
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


def openings(character, folder) -> np.ndarray:
    """(N,) distance of the inner lips' middles 62 and 66 on every frame of the moving mesh, in face widths."""
    _motion, mesh = part("addon.scene.character").kept_files(character)
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
        strip = part("addon.scene.speech").strip_of(scene, character.makeittalk.current)
        first, behind = part("addon.compat").strip_span(strip)
        assert first == 1 and abs(behind - first - settings.frames) <= 1
        assert os.path.samefile(bpy.path.abspath(strip.sound.filepath), ASSETS / "speech.flac")
    face = shown(character)
    head = {path: values for path, values in face.items() if path.startswith("pose")}
    names = {path.split('"')[1] for path in face}
    assert {"jawOpen", "mouthPucker", "mouthSmileLeft", "eyeBlinkLeft", "browInnerUp"} <= names
    opening = openings(character, tmp_path)
    assert opening.max() > 0.04 and opening.min() < 0.01  # the mouth opens wide enough to be seen, and shuts
    assert np.ptp(face['key_blocks["eyeBlinkLeft"].value[0]']) > 0.4
    assert max(np.ptp(values) for values in head.values()) > 0.01
    assert settings.residual < 0.5
    session = bpy.context.window_manager.makeittalk
    assert ("built without sound" in session.message) == (not SOUND)
    assert "speaks from frame 1" in session.message and not session.is_error and not session.running


def test_amounts_need_no_backend_and_smoothing_rebakes(press, tmp_path):
    character = press()
    settings = character.makeittalk
    before, opening = shown(character), openings(character, tmp_path)
    part("addon.jobs.connection").close()
    settings.lip, settings.head, settings.blink = 0.5, 0.0, 0.0
    after = shown(character)
    blink = 'key_blocks["eyeBlinkLeft"].value[0]'
    heads = [path for path in before if path.startswith("pose")]
    less = openings(character, tmp_path)
    assert np.ptp(less) / np.ptp(opening) == pytest.approx(0.5, abs=0.1)
    assert less.min() == pytest.approx(opening.min(), abs=0.005)  # a shut mouth stays shut, whatever the amount
    assert np.ptp(after[blink]) < 1e-3
    assert max(np.ptp(after[path]) for path in heads) < 1e-6 < max(np.ptp(before[path]) for path in heads)
    # What the animator keyed survives, and what was changed in the generated curves.
    own = key(settings.body.data.shape_keys, 'key_blocks["mouthPucker"].value', 0.25, frame=30)
    settings.lip = settings.head = settings.blink = 1.0
    found = curve(character, "Lips", 'key_blocks["jawOpen"].value')
    found.keyframe_points[1].co.y += 0.3
    found.update()
    edited = shown(character)
    settings.smooth = 0.0
    assert bpy.ops.makeittalk.rebake() == {"FINISHED"}
    assert changed(character) == [] and own.keyframe_points[0].co[:] == (30.0, 0.25)
    settings.smooth = 1.0
    assert bpy.ops.makeittalk.rebake() == {"FINISHED"}
    again = shown(character)
    for path in edited:
        np.testing.assert_allclose(again[path], edited[path], atol=0.03, err_msg=path)


def test_new_take_follows_the_seed(press):
    character = press()
    before = shown(character)
    character.makeittalk.seed = 7
    assert bpy.ops.makeittalk.new_take() == {"FINISHED"}
    after = shown(character)
    assert max(np.abs(after[path] - before[path]).max() for path in before if "rotation" in path) > 0.005
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
