"""Recordings heard one after another in one film."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from makeittalk.audio.mix import film_sound
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.protocol import Sound


@pytest.fixture
def tones(tmp_path: Path) -> tuple[str, str]:
    """Two seconds of 440 Hz at 16 kHz, mono, and of 1,000 Hz at 48 kHz, stereo."""
    paths = []
    for name, pitch, rate, channels in (("a.wav", 440, 16000, 1), ("b.wav", 1000, 48000, 2)):
        tone = 0.5 * np.sin(2 * np.pi * pitch * np.arange(2 * rate) / rate)
        soundfile.write(tmp_path / name, np.repeat(tone[:, None], channels, axis=1), rate, subtype="FLOAT")
        paths.append(str(tmp_path / name))
    return paths[0], paths[1]


def loudness(sound: np.ndarray, begin: float, end: float) -> float:
    return float(np.sqrt((sound[round(begin * 48000) : round(end * 48000)] ** 2).mean()))


def test_each_is_heard_in_its_span_only(tones: tuple[str, str]) -> None:
    audio = film_sound([Sound(tones[0], -0.5, 0.0, 1.0), Sound(tones[1], 2.0, 2.5, 9.0)], 6.0)
    assert audio.original.shape == (6 * 48000, 2) and audio.original_rate == 48000 and audio.seconds == 6.0
    heard = audio.original[:, 1]
    assert loudness(heard, 0.0, 0.99) == pytest.approx(0.35, abs=0.02)
    assert loudness(heard, 1.01, 2.49) == 0.0
    assert loudness(heard, 2.51, 3.99) == pytest.approx(0.35, abs=0.02)
    assert loudness(heard, 4.01, 6.0) == 0.0
    pitches = [np.abs(np.fft.rfft(heard[start : start + 24000])).argmax() * 2 for start in (4800, 144000)]
    assert pitches == [440, 1000]


def test_what_sounds_at_once_is_added_and_never_too_loud(tones: tuple[str, str]) -> None:
    both = film_sound([Sound(path, 0.0, 0.0, 2.0) for path in (*tones, tones[1])], 2.0).original
    assert loudness(both[:, 0], 0.1, 1.9) > 0.5 and np.abs(both).max() == 1.0


def test_a_recording_that_is_gone_is_a_sentence(tones: tuple[str, str]) -> None:
    with pytest.raises(InputError, match=r"none\.wav"):
        film_sound([Sound("none.wav", 0.0, 0.0, 1.0)], 1.0)
