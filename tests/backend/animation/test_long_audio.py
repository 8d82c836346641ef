"""Recordings of any length and kind: bounded memory, no seams, silence, noise, a blink of sound."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from makeittalk.animation.lips import shut_mouth
from makeittalk.animation.predict import predict_motion
from makeittalk.audio.loading import Audio, load_audio
from makeittalk.exchange.constants import FRAME_RATE, SAMPLE_RATE
from makeittalk.exchange.formats import Face, Motion
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.landmarks.measures import mouth_width, opening
from makeittalk.networks import content_inference, phones_inference, whisper_inference

ARRAYS = 4 * 68 * 3 * 4  # bytes a frame of what a motion keeps: landmarks, expression, content, speaker
ROOM = 4  # times these arrays while they are made: most steps work in double precision
SLACK = 150 * 2**20  # bytes: the allocator's and torch's own


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
import json, resource, sys
from pathlib import Path
import numpy as np, torch
torch.set_num_threads(1)
from makeittalk.animation.predict import predict_motion
from makeittalk.audio.loading import Audio, load_audio
from makeittalk.exchange.formats import Face

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

speech, seconds = load_audio(sys.argv[1]).samples, int(sys.argv[2])
face = Face(Path("face.png"), 512, 512, np.load(sys.argv[3]))
motion = predict_motion(Audio(speech, speech[:, None], 16000, len(speech) / 16000), face)
before = peak()
speech = np.resize(speech, seconds * 16000)
motion = predict_motion(Audio(speech, speech[:, None], 16000, seconds), face)
finite = all(np.isfinite(a).all() for a in (motion.landmarks, motion.head_rotation, motion.head_translation))
print(json.dumps({"before": before, "after": peak(), "frames": motion.frames, "finite": bool(finite)}))
"""


@pytest.mark.parametrize("seconds", [120, pytest.param(1200, marks=pytest.mark.slow)])
def test_memory_grows_by_the_result_alone(seconds: int, speech_wav: Path, face: Face, tmp_path: Path) -> None:
    np.save(tmp_path / "face.npy", face.landmarks)
    command = [sys.executable, "-c", _CHILD, str(speech_wav), str(seconds), str(tmp_path / "face.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["finite"] and found["frames"] == seconds * FRAME_RATE + 1
    grown = found["after"] - found["before"]
    needed = ARRAYS * found["frames"] + seconds * SAMPLE_RATE * 4 * 2
    assert grown < ROOM * needed + SLACK, f"{grown / 2**20:.0f} MiB for {needed / 2**20:.0f} MiB of arrays"


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
