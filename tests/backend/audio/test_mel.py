"""The mel spectrogram against librosa and against known tones."""

import librosa
import numpy as np
import pytest
from makeittalk.audio import mel
from makeittalk.audio.mel import mel_filters, mel_spectrogram
from makeittalk.exchange.constants import FRAME_RATE, SAMPLE_RATE


@pytest.fixture(scope="module")
def noise():
    rng = np.random.default_rng(0)
    return (rng.normal(0, 0.1, 5 * SAMPLE_RATE) * np.linspace(0, 1, 5 * SAMPLE_RATE)).astype(np.float32)


@pytest.mark.parametrize("bands, low, high, window", [(80, 90.0, 7600.0, 1024), (40, 0.0, 8000.0, 400)])
def test_filters_are_slaneys(bands, low, high, window):
    expected = librosa.filters.mel(
        sr=SAMPLE_RATE, n_fft=window, n_mels=bands, fmin=low, fmax=high, htk=False, norm="slaney"
    )
    np.testing.assert_allclose(mel_filters(bands, low, high, window), expected, atol=1e-7)


def test_formula(noise):
    """S = (20 log10(max(1e-5, mel)) − 16 + 100) / 100 of librosa's reflected, centred magnitude spectrum."""
    spectrum = np.abs(librosa.stft(noise, n_fft=1024, hop_length=256, window="hann", center=True, pad_mode="reflect"))
    filters = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=1024, n_mels=80, fmin=90, fmax=7600)
    expected = ((20 * np.log10(np.maximum(1e-5, filters @ spectrum)) - 16 + 100) / 100).T
    result = mel_spectrogram(noise)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, atol=1e-4)


@pytest.mark.parametrize("samples", [1, 255, 256, 512, 513, 1023, 1024, 16000, 16001])
def test_number_of_frames(samples):
    result = mel_spectrogram(np.random.default_rng(0).normal(size=samples))
    assert result.shape == (1 + samples // 256, 80) and np.isfinite(result).all()


def test_silence_is_the_floor():
    np.testing.assert_allclose(mel_spectrogram(np.zeros(16000)), (20 * -5 - 16 + 100) / 100, atol=1e-6)


def test_frame_stands_at_its_time():
    """A click at frame 50's time is loudest there."""
    samples = np.zeros(2 * SAMPLE_RATE, np.float32)
    samples[round(50 / FRAME_RATE * SAMPLE_RATE)] = 1.0
    assert int(mel_spectrogram(samples).mean(1).argmax()) == 50


def test_tones_light_up_their_band():
    centres = librosa.mel_frequencies(n_mels=82, fmin=90, fmax=7600)[1:-1]
    for band in (5, 30, 70):
        tone = 0.3 * np.sin(2 * np.pi * centres[band] * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
        assert abs(int(mel_spectrogram(tone)[30].argmax()) - band) <= 1


def test_chunks_do_not_show(noise, monkeypatch):
    whole = mel_spectrogram(noise)
    monkeypatch.setattr(mel, "_CHUNK", 17)
    np.testing.assert_allclose(mel_spectrogram(noise), whole, atol=1e-6)
