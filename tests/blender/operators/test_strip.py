"""A recording on the sequencer as the speech: what is heard, where it lies, and whose it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import wave
from pathlib import Path

import bpy
import numpy as np
import pytest
from extension import part
from project import ASSETS, ROOT, SUPPORT
from sounding import needs_sound

RATE = 48_000

pytestmark = needs_sound


def tone(path: Path, pieces: list[tuple[float, float]], rate: int = 16_000) -> Path:
    """Writes tones (Hz, s) one after another as a 16-bit WAV."""
    samples = [8000 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate) for hertz, seconds in pieces]
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(np.concatenate(samples).astype("<i2").tobytes())
    return path


def pitch(samples: np.ndarray) -> float:
    """The loudest frequency, Hz."""
    return float(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax() * RATE / len(samples))


def span(strip) -> tuple[int, int]:
    return part("addon.compat").strip_span(strip)


def cut(strip, start: int, end: int = 0) -> None:
    """Moves the handles of a strip inwards, under the names that this Blender has for them."""
    names = ("left_handle_offset", "right_handle_offset")
    if not hasattr(strip, names[0]):
        names = ("frame_offset_start", "frame_offset_end")
    for name, frames in zip(names, (start, end), strict=True):
        setattr(strip, name, frames)


def copied(path: str) -> np.ndarray:
    with wave.open(bpy.path.abspath(path)) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (RATE, 1)
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(float)


@pytest.fixture
def strips(scene):
    return part("addon.compat").sequencer_strips(scene, create=True)


@pytest.fixture
def strip(strips, tmp_path):
    """Two seconds at 400 Hz, then two at 700 Hz, from frame 30 on; another strip sounds at the same time."""
    own = strips.new_sound("Take", str(tone(tmp_path / "take.wav", [(400, 2.0), (700, 2.0)])), 1, 30)
    strips.new_sound("Music", str(tone(tmp_path / "music.wav", [(1500, 9.0)])), 2, 1)
    return own


def take(name: str = "Take") -> set[str]:
    return bpy.ops.makeittalk.speech_from_strip(strip=name)


def test_there_is_a_reason_where_there_is_none(scene):
    assert not bpy.ops.makeittalk.speech_from_strip.poll()
    operator = part("addon.operators.strip").MAKEITTALK_OT_speech_from_strip
    assert operator.disabled_reason(bpy.context) == "There is no sound strip in this scene's sequencer."


def test_a_whole_strip_gives_its_own_file(scene, strip, tmp_path):
    assert take() == {"FINISHED"}
    settings = scene.makeittalk
    assert Path(settings.speech) == tmp_path / "take.wav"
    assert (settings.at_current_frame, settings.start) == (False, 30)


def test_a_trimmed_strip_gives_a_copy_of_what_is_heard(scene, strip):
    cut(strip, 60, 12)
    kept = scene.frame_start, scene.frame_end, scene.use_audio, scene.use_preview_range
    assert take() == {"FINISHED"}
    settings = scene.makeittalk
    assert settings.start == span(strip)[0] == 90
    heard = copied(settings.speech)
    assert len(heard) / RATE == pytest.approx((span(strip)[1] - 90) / 24, abs=1 / 24)
    assert pitch(heard[: RATE // 2]) == pytest.approx(700, abs=5)  # what was cut off is not there, nor the music
    assert kept == (scene.frame_start, scene.frame_end, scene.use_audio, scene.use_preview_range)
    assert [item.mute for item in part("addon.compat").sequencer_strips(scene)] == [False, False]


def test_a_packed_strip_gives_a_copy_beside_the_blend(scene, strip, tmp_path):
    strip.sound.pack()
    (tmp_path / "take.wav").unlink()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert take() == {"FINISHED"}
    assert bpy.context.scene.makeittalk.speech == "//speech/Take.wav"
    heard = copied("//speech/Take.wav")
    assert pitch(heard[: RATE // 2]) == pytest.approx(400, abs=5)


def test_no_recording_of_the_users_is_written_over(scene, strips, tmp_path):
    (tmp_path / "speech").mkdir()
    own = tone(tmp_path / "speech" / "Take.wav", [(400, 2.0), (700, 2.0)])
    before = own.read_bytes()
    cut(strips.new_sound("Take", str(own), 1, 30), 60)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert take() == {"FINISHED"}
    assert bpy.context.scene.makeittalk.speech == "//speech/Take_1.wav" and own.read_bytes() == before


def test_a_strip_before_the_first_frame_is_said(scene, strip):
    cut(strip, 10)
    part("addon.compat").move_strip(strip, -90)
    with pytest.raises(RuntimeError, match="begins before frame 0"):
        take()


def test_a_missing_file_is_said(scene, strip, tmp_path):
    (tmp_path / "take.wav").unlink()
    with pytest.raises(RuntimeError, match=r"take\.wav of the strip Take is missing"):
        take()
    assert scene.makeittalk.speech == ""


def test_another_recording_lets_go_of_the_strip(scene, strip):
    take()
    assert part("addon.scene.strips").find(scene, scene.makeittalk.strip) == strip
    scene.makeittalk.speech = str(ASSETS / "speech.flac")
    assert scene.makeittalk.strip == ""


def test_a_copied_strip_is_another_one(scene, strip):
    take()
    identity = scene.makeittalk.strip
    strip.name = "Renamed"
    assert part("addon.scene.strips").find(scene, identity).name == "Renamed"
    assert take("Music") == {"FINISHED"} and scene.makeittalk.strip != identity


def speak(scene, strips, tmp_path) -> bpy.types.Collection:
    """The embedded speech on a strip at frame 40, spoken by the embedded portrait."""
    shutil.copy(ASSETS / "speech.flac", tmp_path / "speech.flac")
    strips.new_sound("Line", str(tmp_path / "speech.flac"), 3, 40)
    scene.makeittalk.portrait = str(ASSETS / "portrait_cartoon.png")
    assert take("Line") == {"FINISHED"}
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    return part("addon.scene.character").active(bpy.context)


def test_the_strip_that_is_there_is_the_characters_speech(scene, backend, strips, tmp_path):
    character = speak(scene, strips, tmp_path)
    strips = part("addon.compat").sequencer_strips(scene)
    settings = character.makeittalk
    assert [item.name for item in strips] == ["Line"]
    assert part("addon.scene.speech").strip_of(scene, character.makeittalk.current).name == "Line"
    assert settings.start == 40 and not strips["Line"].mute
    settings.start = 50
    assert span(strips["Line"])[0] == 50
    assert bpy.ops.makeittalk.remove_character() == {"FINISHED"}
    assert [item.name for item in part("addon.compat").sequencer_strips(scene)] == ["Line"]
    assert len(bpy.data.sounds) == 1


def test_a_file_that_blender_plays_otherwise_gets_a_strip_of_its_own(scene, backend, backend_python, strips, tmp_path):
    path = tmp_path / "crashed.wav"
    command = [backend_python, str(SUPPORT / "odd_recordings.py"), "crashed", str(path), str(tmp_path / "heard.npy")]
    paths = os.pathsep.join([str(SUPPORT), str(ROOT / "backend")])
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": paths})
    line = strips.new_sound("Line", str(path), 3, 40)
    assert part("addon.scene.speech_strip").whole_file(scene, line) == path
    scene.makeittalk.portrait = str(ASSETS / "portrait_cartoon.png")
    assert take("Line") == {"FINISHED"}
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    spoken = part("addon.scene.character").active(bpy.context).makeittalk.current
    own = part("addon.scene.speech").strip_of(scene, spoken)
    strips = part("addon.compat").sequencer_strips(scene)
    assert strips["Line"].mute and len(strips) == 2
    assert span(own)[0] == 40 and not own.mute
    assert "is muted" in bpy.context.window_manager.makeittalk.message


def test_a_strip_that_was_cut_since_is_not_spoken(scene, backend, strip):
    scene.makeittalk.portrait = str(ASSETS / "portrait_cartoon.png")
    take()
    cut(strip, 10)
    with pytest.raises(RuntimeError, match="was cut since"):
        bpy.ops.makeittalk.make_it_talk()
