"""Recordings of any length and kind: bounded memory, no seams, silence, noise, a blink of sound."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from makeittalk.animation.lips import shut_mouth
from makeittalk.audio.loading import Audio, load_audio
from makeittalk.exchange.constants import FRAME_RATE, SAMPLE_RATE
from makeittalk.exchange.formats import Face, Motion
from makeittalk.landmarks.landmark_motion import load_motion
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.landmarks.measures import mouth_width, opening
from makeittalk.networks import content_inference, phones_inference, whisper_inference
from predicted import predict_motion
from project import BACKEND, SUPPORT

HOUR = 1.5e9  # bytes that `makeittalk predict` may take for an hour of speech


def sound(samples: np.ndarray) -> Audio:
    samples = samples.astype(np.float32)
    return Audio(samples, samples[:, None], SAMPLE_RATE, len(samples) / SAMPLE_RATE)


@pytest.fixture(scope="module")
def face() -> Face:
    points = 150 * (MEAN_FACE + shut_mouth(MEAN_FACE)) + (256.0, 200.0, 0.0)
    return Face(Path("face.png"), 512, 512, points.astype(np.float32))


@pytest.fixture(scope="module")
def speech(speech_wav: Path) -> np.ndarray:
    return load_audio(speech_wav).samples


@pytest.fixture(scope="module")
def spoken(speech: np.ndarray, face: Face) -> Motion:
    return predict_motion(sound(speech), face)


def shown_opening(motion: Motion) -> np.ndarray:
    """Opening of the mouth, share of its width."""
    points = motion.neutral + motion.expression
    return opening(points) / mouth_width(points).max()


def test_blocks_join_without_a_seam(speech: np.ndarray, face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute block by block is a minute at once, in the lips; the head has no edge anywhere."""
    audio = sound(np.resize(speech, 60 * SAMPLE_RATE))
    blocks = predict_motion(audio, face)
    monkeypatch.setattr(content_inference, "SPAN", 1 << 20)
    monkeypatch.setattr(whisper_inference, "_WINDOWS", 1 << 20)
    monkeypatch.setattr(phones_inference, "_WINDOW", 1 << 20)
    whole = predict_motion(audio, face)
    width = mouth_width(face.landmarks)
    assert blocks.frames == whole.frames == 60 * FRAME_RATE + 1
    assert np.abs(blocks.parts.content - whole.parts.content).max() < 0.01 * width
    assert np.abs(blocks.parts.closure - whole.parts.closure).max() < 1e-3
    # The head turns as smoothly where two windows meet as between: no frame stands out.
    bend = np.abs(np.diff(blocks.parts.head_rotation, 2, axis=0)).max(1)
    assert bend.max() < 8 * np.percentile(bend, 99)


_CHILD = """
import json, sys
import torch
from memory import peak_memory
torch.set_num_threads(1)
from makeittalk.cli.main import main

peaks = []
for recording in sys.argv[3:]:
    assert main(["predict", recording, "--face", sys.argv[1], "-o", sys.argv[2]]) == 0
    peaks.append(peak_memory())
print(json.dumps(peaks))
"""


def test_an_hour_of_speech_fits_into_memory(speech: np.ndarray, face: Face, tmp_path: Path) -> None:
    """Every minute takes the same, so the hour's peak is told by two recordings of minutes."""
    replace(face, image=tmp_path / "face.png").save(tmp_path / "face.json")
    for minutes in (1, 4):
        soundfile.write(tmp_path / f"{minutes}.wav", np.resize(speech, 60 * minutes * SAMPLE_RATE), SAMPLE_RATE)
    command = [sys.executable, "-c", _CHILD, "face.json", "motion.npz", "1.wav", "4.wav"]
    # Arrays of an hour are mapped one by one and given back at once: those of minutes are to be, too.
    child = dict(
        os.environ,
        PYTHONPATH=os.pathsep.join([str(BACKEND), str(SUPPORT)]),
        MALLOC_MMAP_THRESHOLD_=str(2**20),
    )
    done = subprocess.run(command, cwd=tmp_path, env=child, capture_output=True, text=True, check=True)
    first, second = json.loads(done.stdout.splitlines()[-1])
    minute = (second - first - (_saved_at_once(4) - _saved_at_once(1))) / 3
    hour = second + 56 * minute + _saved_at_once(60) - _saved_at_once(4)
    assert hour < HOUR, f"{hour / 1e6:.0f} MB: {second / 1e6:.0f} MB for 4 minutes, {minute / 1e6:.1f} MB a minute more"
    made = load_motion(tmp_path / "motion.npz")
    assert made.frames == 4 * 60 * FRAME_RATE + 1
    assert all(np.isfinite(a).all() for a in (made.landmarks, made.head_rotation, made.head_translation))


def _saved_at_once(minutes: int) -> float:
    """Bytes that saving takes beside the motion: numpy copies and packs 16 MiB of an array at once."""
    return 2 * min(16 * 2**20, 60 * minutes * FRAME_RATE * 68 * 3 * 4)


@pytest.mark.parametrize("level", [0.0, 1e-3])
def test_silence_rests_the_mouth_and_not_the_head(level: float, face: Face) -> None:
    hiss = level * np.random.default_rng(0).standard_normal(12 * SAMPLE_RATE)
    motion = predict_motion(sound(hiss), face)
    assert shown_opening(motion).max() < 0.03
    angles = np.degrees(motion.head_rotation)
    assert (angles.std(0) > 0.05).any() and np.abs(angles).max() < 15
    assert motion.parts.blink.max() > 0.5


def test_noise_is_no_speech(face: Face, spoken: Motion) -> None:
    motion = predict_motion(sound(0.2 * np.random.default_rng(1).standard_normal(8 * SAMPLE_RATE)), face)
    talking = np.percentile(shown_opening(spoken), 90)
    assert talking > 0.08
    assert np.percentile(shown_opening(motion), 90) < 0.5 * talking
    assert np.isfinite(motion.landmarks).all()


@pytest.mark.parametrize("seconds", [0.01, 0.1, 0.3])
def test_a_blink_of_sound_has_a_motion(seconds: float, speech: np.ndarray, face: Face) -> None:
    start = 2 * SAMPLE_RATE
    motion = predict_motion(sound(speech[start : start + round(seconds * SAMPLE_RATE)]), face)
    assert motion.frames == int(seconds * FRAME_RATE) + 1
    shown = (motion.landmarks, motion.expression, motion.head_rotation, motion.head_translation)
    for array in (*shown, motion.parts.blink, motion.parts.closure):
        assert np.isfinite(array).all() and len(array) == motion.frames
