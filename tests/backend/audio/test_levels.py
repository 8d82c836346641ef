"""Speech at any level is heard, where there is none it is said, and integers among floats are scaled."""

import numpy as np
import pytest
from makeittalk.animation.predict import analyse_speech
from makeittalk.audio.loading import heard, load_audio, normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.exchange.constants import SAMPLE_RATE

RNG = np.random.default_rng(5)
COUNT = 4 * SAMPLE_RATE
TIME = np.arange(COUNT) / SAMPLE_RATE
WITHOUT_VOICE = {
    "silence": np.zeros(COUNT),
    "hiss": RNG.normal(0, 0.02, COUNT),
    "faint hiss": RNG.normal(0, 1e-4, COUNT),
    "dither": RNG.integers(-1, 2, COUNT) / 32768,
    "gated dither": np.where(TIME % 1 < 0.3, RNG.integers(-1, 2, COUNT), 0) / 32768,
    "hum": 0.1 * np.sin(2 * np.pi * 50 * TIME) + 0.05 * np.sin(2 * np.pi * 100 * TIME),
    "offset": np.full(COUNT, 0.2),
    "short silence": np.zeros(SAMPLE_RATE // 4),
}


def said(notices):
    return [notice for notice in notices if "No voice is heard" in notice]


class TestQuiet:
    @pytest.mark.parametrize("decibels", [-30, -50, -70, -100])
    def test_speech_is_heard(self, wav, speech, decibels):
        audio = load_audio(wav(speech * 10 ** (decibels / 20)))
        assert not audio.notices
        loud, mel, speaks = heard(audio.samples)
        assert speaks
        np.testing.assert_allclose(loud, normalise_loudness(speech), atol=1e-3)
        np.testing.assert_allclose(mel, mel_spectrogram(normalise_loudness(speech)), atol=0.05)

    def test_in_16_bits_with_a_noisy_room(self, wav, speech):
        quiet = speech * 10 ** (-50 / 20) + RNG.normal(0, 3e-5, len(speech))
        audio = load_audio(wav(quiet, subtype="PCM_16"))
        assert not audio.notices
        mel = analyse_speech(audio.samples).mel
        assert np.corrcoef(mel.mean(1), mel_spectrogram(normalise_loudness(speech)).mean(1))[0, 1] > 0.85

    def test_unused_channels_do_not_count_here_either(self, wav, speech):
        quiet = speech * 1e-5
        audio = load_audio(wav(np.stack([quiet, quiet, 0 * quiet], 1)))
        np.testing.assert_allclose(audio.samples, quiet, atol=1e-8)

    @pytest.mark.parametrize("kind", WITHOUT_VOICE)
    def test_no_voice_is_said(self, wav, kind):
        path = wav(WITHOUT_VOICE[kind])
        (notice,) = said(load_audio(path).notices)
        assert str(path) in notice and notice.endswith(".")

    @pytest.mark.parametrize("kind", WITHOUT_VOICE)
    def test_no_voice_is_silence_to_the_networks(self, kind):
        mel = analyse_speech(WITHOUT_VOICE[kind].astype(np.float32)).mel
        assert mel.mean(1).std() < 0.015

    def test_speech_at_a_usual_level_is_none_of_this(self, wav, speech):
        assert load_audio(wav(speech)).notices == []


class TestIntegers:
    @pytest.mark.parametrize("bits", [8, 16, 24, 32])
    @pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
    def test_scaled_with_a_notice(self, wav, speech, bits, subtype):
        full = 2.0 ** (bits - 1)
        path = wav(np.round(0.9 * speech / np.abs(speech).max() * full), subtype=subtype)
        audio = load_audio(path)
        (notice,) = audio.notices
        assert f"±{full:.0f}" in notice and str(path) in notice
        assert audio.repaired and not audio.plain
        np.testing.assert_allclose(audio.original[:, 0], 0.9 * speech / np.abs(speech).max(), atol=1.01 / full)

    def test_damaged_samples_among_them(self, wav, speech):
        samples = np.round(speech * 32768)
        samples[[100, 200, 300]] = np.nan, 1e30, 1e9
        audio = load_audio(wav(samples))
        assert len(audio.notices) == 2 and "±32768" in audio.notices[0] and "2 samples" in audio.notices[1]
        assert audio.original[400:, 0] == pytest.approx(speech[400:], abs=1e-4)

    @pytest.mark.parametrize("peak", [1.0, 1.5, 2.0, 6.0, 20.0])
    def test_loud_floats_are_left_alone(self, wav, speech, peak):
        loud = (speech / np.abs(speech).max() * peak).astype(np.float32)
        audio = load_audio(wav(loud))
        assert not audio.notices and audio.plain
        np.testing.assert_array_equal(audio.original[:, 0], loud)

    def test_one_damaged_sample_does_not_make_integers(self, wav, speech):
        samples = speech.copy()
        samples[1000:1010] = 30_000.0
        audio = load_audio(wav(samples))
        np.testing.assert_array_equal(audio.original[:, 0], samples)
