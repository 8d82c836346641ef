"""The head that is shown: taken apart from its landmarks, by voice and seed, in silence and over minutes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_heads import head_styles, syllables
from makeittalk.animation.head_motion import split_head_motion
from makeittalk.animation.predict import PredictOptions
from makeittalk.audio.loading import Audio, load_audio
from makeittalk.exchange.constants import FRAME_RATE, SAMPLE_RATE
from makeittalk.exchange.formats import Face, Motion
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.networks.noise import noise_track
from makeittalk_lab.synthetic.head_targets import head_target
from predicted import predict_motion


def test_the_head_is_taken_apart_as_it_was_put_together() -> None:
    known, voices = head_styles()
    prosody = syllables(12.0)
    target = head_target(prosody, noise_track(5, len(prosody)), known.of(voices[3]))
    face = np.asarray(MEAN_FACE, np.float64)
    delta = target.landmarks(face) - face
    delta[:, 48:68, 1] += 0.05 * prosody[:, :1]  # the lips speak, and must turn nothing
    parts = split_head_motion(delta.astype(np.float32), face)
    assert np.degrees(np.abs(parts.rotation - target.rotation)).max() < 0.3
    assert np.abs(parts.translation - target.translation).max() < 0.01
    assert np.corrcoef(parts.brows, target.brows)[0, 1] > 0.95
    blinks = (target.lids[1:] > 0.4) & (target.lids[:-1] <= 0.4)
    shown = (parts.blink[1:] > 0.4) & (parts.blink[:-1] <= 0.4)
    assert blinks.sum() == shown.sum() > 2


def whole_motion(samples: np.ndarray, seed: int = 0, voice: np.ndarray | None = None) -> Motion:
    """What the product makes of a recording on a mean face."""
    face = Face("portrait.png", 512, 512, (120.0 * MEAN_FACE + [256.0, 220.0, 0.0]).astype(np.float32))
    other = None if voice is None else Audio(voice, voice[:, None], SAMPLE_RATE, len(voice) / SAMPLE_RATE)
    return predict_motion(
        Audio(samples, samples[:, None], SAMPLE_RATE, len(samples) / SAMPLE_RATE), face, PredictOptions(seed), other
    )


def lowered(samples: np.ndarray) -> np.ndarray:
    """The same words by a larger person: played at three quarters of the speed."""
    place = np.arange(0.0, len(samples) - 1.0, 0.75)
    return np.interp(place, np.arange(len(samples)), samples).astype(np.float32)


@pytest.fixture(scope="module")
def speech(speech_wav: Path) -> np.ndarray:
    return load_audio(speech_wav).samples


def test_voice_and_seed_change_the_head_and_only_that(speech: np.ndarray) -> None:
    base, again, other = whole_motion(speech), whole_motion(speech), whole_motion(speech, seed=1)
    voice = whole_motion(speech, voice=lowered(speech))
    for first, second in ((base, other), (base, voice)):
        assert np.array_equal(first.parts.content, second.parts.content)
        assert np.array_equal(first.parts.rest, second.parts.rest)
        assert np.array_equal(first.expression[:, 48:], second.expression[:, 48:])
        assert np.degrees(np.abs(first.head_rotation - second.head_rotation)).max() > 0.5
    assert np.array_equal(base.head_rotation, again.head_rotation) and np.array_equal(
        base.parts.blink, again.parts.blink
    )
    assert not np.array_equal(base.parts.blink, other.parts.blink)


@pytest.mark.parametrize("hiss", [0.0, 1e-3])
def test_silence_leaves_the_head_alive_and_the_brows_at_rest(hiss: float) -> None:
    silence = (hiss * np.random.default_rng(0).standard_normal(25 * SAMPLE_RATE)).astype(np.float32)
    motion = whole_motion(silence)
    spread = np.degrees(motion.head_rotation.std(0))
    assert (spread > 0.2).all() and (spread < 2.5).all()
    assert np.degrees(np.abs(motion.head_rotation.mean(0))).max() < 1.5
    assert motion.parts.blink.max() > 0.5
    assert np.abs(motion.parts.speaker).max() < 3.0  # px: brows rest


def test_a_long_recording_keeps_its_head_up(speech: np.ndarray) -> None:
    pause = np.zeros(SAMPLE_RATE, np.float32)
    motion = whole_motion(np.concatenate([speech, pause] * (1 + 60 * SAMPLE_RATE // (len(speech) + len(pause)))))
    degrees = np.degrees(motion.head_rotation)
    parts = np.array([part.mean(0) for part in np.array_split(degrees, 4)])
    assert np.abs(parts).max() < 2.5  # it drifts nowhere
    assert (degrees.std(0) > 0.8).all() and (degrees.std(0) < 6.0).all()
    speed = np.linalg.norm(np.diff(degrees, axis=0), axis=1) * FRAME_RATE
    joins = np.arange(128, len(speed), 128)
    near = np.concatenate([joins - 1, joins])
    assert speed.max() < 150.0 and speed[near].mean() < 1.3 * np.delete(speed, near).mean()
    blinks = ((motion.parts.blink[1:] > 0.4) & (motion.parts.blink[:-1] <= 0.4)).sum() / (
        len(motion.parts.blink) / FRAME_RATE / 60.0
    )
    assert 6.0 < blinks < 45.0  # a minute
