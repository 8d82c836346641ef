"""Pitch and prosody of a voice."""

from __future__ import annotations

import numpy as np
import pytest
from makeittalk.audio.pitch import fundamental
from makeittalk.audio.prosody import prosody_track
from makeittalk.exchange.constants import FRAME_RATE, SAMPLE_RATE


def voice_like(hertz: np.ndarray) -> np.ndarray:
    """A buzz of ten harmonics whose F0 (n,) may glide; silent where it is 0."""
    phase = 2.0 * np.pi * np.cumsum(hertz) / SAMPLE_RATE
    buzz = sum(np.sin(k * phase) / k for k in range(1, 11))
    return (0.1 * buzz * (hertz > 0)).astype(np.float32)


@pytest.mark.parametrize("hertz", [85.0, 130.0, 210.0, 330.0])
def test_pitch_of_a_voice_is_found_without_octave_errors(hertz: float) -> None:
    glide = np.linspace(hertz, 1.25 * hertz, 2 * SAMPLE_RATE)
    samples = voice_like(np.concatenate([np.zeros(SAMPLE_RATE // 2), glide, np.zeros(SAMPLE_RATE // 2)]))
    noise = 0.003 * np.random.default_rng(0).standard_normal(len(samples))
    pitch, periodic = fundamental((samples + noise).astype(np.float32))
    at = np.arange(len(pitch)) / FRAME_RATE
    inside = (at > 0.6) & (at < 2.4)
    true = np.interp(at - 0.5, [0.0, 2.0], [hertz, 1.25 * hertz])
    assert (np.abs(np.log2(pitch[inside] / true[inside])) < 0.03).mean() > 0.97
    assert not pitch[(at < 0.4) | (at > 2.6)].any()
    assert periodic[inside].mean() > 0.9


def test_prosody_is_free_of_speaker_and_silent_in_silence() -> None:
    contour = 1.0 + 0.2 * np.sin(2.0 * np.pi * 0.7 * np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE)
    low, high = (prosody_track(voice_like(base * contour)) for base in (100.0, 200.0))
    assert low.shape == (188, 3)
    assert np.corrcoef(low[:, 1], high[:, 1])[0, 1] > 0.98
    assert np.abs(low[:, 1] - high[:, 1])[5:-5].max() < 0.5
    assert not prosody_track(np.zeros(SAMPLE_RATE, np.float32)).any()
