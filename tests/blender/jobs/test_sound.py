"""One clock in Blender: the scene sounds as the recording was heard, wherever Blender would play it otherwise."""

from __future__ import annotations

import os
import subprocess
import wave
from pathlib import Path

import bpy
import numpy as np
import pytest
from extension import part
from project import ASSETS, ROOT, SUPPORT
from sounding import needs_sound

SUFFIXES = {"late": "mp4", "chained": "ogg", "crashed": "wav", "integers": "wav", "mp3": "mp3", "m4a": "m4a"}
RATE = 16_000


@pytest.fixture(params=SUFFIXES)
def recording(request, backend_python, tmp_path) -> tuple[Path, np.ndarray]:
    """A file, and the (n,) samples at 16 kHz that it should sound like."""
    path, heard = tmp_path / f"speech.{SUFFIXES[request.param]}", tmp_path / "heard.npy"
    paths = os.pathsep.join([str(SUPPORT), str(ROOT / "backend")])
    command = [backend_python, str(SUPPORT / "odd_recordings.py"), request.param, str(path), str(heard)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": paths})
    return path, np.load(heard)


def mixdown(path: Path) -> np.ndarray:
    """What the scene sounds like: (n,) at 48 kHz."""
    bpy.ops.sound.mixdown(filepath=str(path), container="WAV", codec="PCM", format="S16", check_existing=False)
    with wave.open(str(path)) as sound:
        assert sound.getframerate() == 48_000
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, sound.getnchannels())
    return samples[:, 0] / 32768.0


@needs_sound
def test_the_scene_sounds_as_it_was_heard(scene, backend, recording, tmp_path):
    path, heard = recording
    settings = scene.makeittalk
    settings.portrait, settings.speech = str(ASSETS / "portrait_cartoon.png"), str(path)
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    character = part("addon.scene.character").active(bpy.context)
    strip = part("addon.scene.speech").strip_of(scene, character.makeittalk.current)
    assert strip.sound.packed_file
    # The scene's last frame may cut a fraction of a frame off.
    played = mixdown(tmp_path / "mixdown.wav")[::3]
    count = min(len(played), len(heard))
    assert count > len(heard) - RATE // scene.render.fps
    played, heard = played[:count], heard[:count]
    spectrum = np.fft.rfft(played, 2 * count) * np.conj(np.fft.rfft(heard, 2 * count))
    lag = int(np.argmax(np.fft.irfft(spectrum)))
    lag = lag - 2 * count if lag > count else lag
    assert abs(lag) < 0.005 * RATE  # as much as a container's clock of milliseconds and its encoder make
    assert np.corrcoef(np.roll(played, -lag), heard)[0, 1] > 0.98
