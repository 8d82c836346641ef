"""Phases for a spectrogram: librosa's own answer, and a sound that has that spectrogram."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from makeittalk.audio.griffin_lim import griffin_lim
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.constants import MEL_HOP, MEL_WINDOW, SAMPLE_RATE


def spectrogram(samples: np.ndarray) -> np.ndarray:
    """Magnitudes (513, T) by scipy's own transform."""
    from scipy.signal import stft

    *_, frames = stft(samples, nperseg=MEL_WINDOW, noverlap=MEL_WINDOW - MEL_HOP, boundary="even", padded=False)
    return np.abs(frames).astype(np.float32) * MEL_WINDOW / 2


@pytest.fixture(scope="module")
def speech(speech_wav: Path) -> np.ndarray:
    return load_audio(speech_wav).samples[: 2 * SAMPLE_RATE]


# Rounding grows from round to round: after sixty, phases of what can hardly be heard have gone other ways.
@pytest.mark.parametrize(("frames", "rounds"), [(2, 60), (3, 60), (40, 10), (125, 0), (125, 10)])
@pytest.mark.filterwarnings("ignore:n_fft")
def test_agrees_with_librosa(speech: np.ndarray, frames: int, rounds: int) -> None:
    librosa = pytest.importorskip("librosa")
    spectrum = spectrogram(speech)[:, 20 : 20 + frames]
    result = griffin_lim(spectrum, rounds)
    expected = librosa.griffinlim(
        spectrum,
        n_iter=rounds,
        hop_length=MEL_HOP,
        win_length=MEL_WINDOW,
        n_fft=MEL_WINDOW,
        pad_mode="reflect",
        random_state=np.random.default_rng(0),
    )
    assert result.shape == (MEL_HOP * (spectrum.shape[1] - 1),) and result.dtype == np.float32
    np.testing.assert_allclose(result, expected, atol=1e-4)


def test_the_sound_has_the_spectrogram(speech: np.ndarray) -> None:
    spectrum = spectrogram(speech)
    sound = griffin_lim(spectrum, 60)
    np.testing.assert_array_equal(griffin_lim(spectrum, 60), sound)  # nothing is left to chance
    again = spectrogram(sound)[:, : spectrum.shape[1]]
    error = np.linalg.norm(again - spectrum[:, : again.shape[1]]) / np.linalg.norm(spectrum)
    assert error < 0.1, error
    assert error < 0.3 * np.linalg.norm(spectrogram(griffin_lim(spectrum, 0))[:, : again.shape[1]] - spectrum) / (
        np.linalg.norm(spectrum)
    )
