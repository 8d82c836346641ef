"""One clock: the sound that a character is given to play is the one that its lips were made from."""

from fractions import Fraction

import numpy as np
import pytest
import soundfile
import soxr
from makeittalk.audio.loading import load_audio
from makeittalk.audio.mix import film_sound
from makeittalk.exchange.constants import SAMPLE_RATE
from makeittalk.exchange.protocol import Sound
from makeittalk.jobs.animate import animate
from makeittalk.rendering.video import write_mp4
from media import encode_film, lag

GREY = np.full((64, 64, 3), 90, np.uint8)


@pytest.fixture(scope="module")
def speech(speech_wav):
    samples, rate = soundfile.read(speech_wav, dtype="float32")
    return soxr.resample(samples, rate, SAMPLE_RATE)[: 2 * SAMPLE_RATE]


@pytest.fixture(scope="module")
def late(speech, tmp_path_factory):
    """A film whose sound begins a second after its picture."""
    path = tmp_path_factory.mktemp("film") / "late.mp4"
    return encode_film(path, [GREY] * 75, [Fraction(i, 25) for i in range(75)], speech, delay=1.0)


@pytest.fixture(scope="module")
def expected(speech):
    return np.concatenate([np.zeros(SAMPLE_RATE, np.float32), speech])


def test_a_late_film_is_played_as_it_was_heard(late, expected, cartoon, tmp_path):
    character = animate(cartoon, late, tmp_path)
    assert character.sound == tmp_path / "speech.flac"
    played = load_audio(character.sound)
    heard = load_audio(late)
    assert played.plain and played.original_rate == heard.original_rate and played.seconds == character.seconds
    np.testing.assert_allclose(played.original, np.clip(heard.original, -1, 1), atol=2**-22)
    assert abs(lag(played.samples, expected)) < 5.0
    # What photoreal frames are given to is the same.
    heard = film_sound([Sound(str(character.sound), -1.0, -1.0, 9.0)], 1.5)
    np.testing.assert_array_equal(heard.original, played.original[48000 : 48000 + 72000])


def test_an_ordinary_recording_is_played_itself(speech, cartoon, tmp_path):
    soundfile.write(tmp_path / "a.wav", speech, SAMPLE_RATE)
    character = animate(cartoon, tmp_path / "a.wav", tmp_path)
    assert character.sound == tmp_path / "a.wav" and not (tmp_path / "speech.flac").exists()


def test_a_film_sounds_as_it_was_heard(late, expected, tmp_path):
    audio = load_audio(late)
    write_mp4(tmp_path / "out.mp4", [GREY] * 75, 25, (64, 64), audio)
    again = load_audio(tmp_path / "out.mp4")
    assert abs(lag(again.samples, expected)) < 5.0
    count = min(len(again.samples), len(audio.samples))
    assert np.corrcoef(again.samples[:count], audio.samples[:count])[0, 1] > 0.99
