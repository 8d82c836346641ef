"""Makes a mel audible: the least-squares spectrum of its bands, and Griffin and Lim's phases for it (1984)."""

from __future__ import annotations

import numpy as np

from ..exchange.constants import MEL_BANDS, MEL_HOP, MEL_MAX, MEL_MIN, MEL_WINDOW
from ..exchange.progress import Progress, silent
from .griffin_lim import griffin_lim
from .mel import mel_filters
from .windows import OverlapAdd

_CHUNK = 2000  # frames (32 s) given phases at once
_OVERLAP = 32  # frames over which one chunk passes into the next
_FITS = 40  # multiplicative updates of the spectrum
_ROUNDS = 60  # of Griffin and Lim


def waveform(mel: np.ndarray, progress: Progress = silent) -> np.ndarray:
    """A sound whose mel spectrogram is about this one, in bounded memory.

    Args:
        mel: (T, 80), S of `mel_spectrogram`. progress: told after every chunk.

    Returns:
        (256·(T − 1),) float32 at 16 kHz.
    """
    assert mel.ndim == 2 and mel.shape[1] == MEL_BANDS, mel.shape
    sound = np.zeros(MEL_HOP * max(0, len(mel) - 1), np.float32)
    joined = OverlapAdd(sound, np.linspace(0.0, 1.0, MEL_HOP * _OVERLAP, dtype=np.float32))
    for start in range(0, max(1, len(mel) - 1), _CHUNK):
        begin, last = max(0, start - _OVERLAP), start + _CHUNK >= len(mel) - 1
        joined.add(MEL_HOP * begin, _phases(_spectrum(mel[begin : start + _CHUNK + 1])), last)
        progress(min(1.0, (start + _CHUNK) / len(mel)), "Making it audible")
    return sound


def _spectrum(mel: np.ndarray) -> np.ndarray:
    """Magnitudes (513, T), none negative, whose mel bands are the given ones (Lee and Seung's updates, 2001)."""
    filters = mel_filters(MEL_BANDS, MEL_MIN, MEL_MAX, MEL_WINDOW)
    bands = 10.0 ** ((100.0 * np.asarray(mel, np.float32).T - 84.0) / 20.0)
    wanted, square = filters.T @ bands, filters.T @ filters
    # Begins with every bin at the level of its bands, so that those that no filter covers stay near zero.
    spectrum = wanted / np.maximum(filters.sum(0) ** 2, 1e-6)[:, None] * (filters.sum(0) > 0)[:, None]
    for _ in range(_FITS):
        spectrum *= wanted / np.maximum(square @ spectrum, 1e-8)
    return spectrum.astype(np.float32)


def _phases(spectrum: np.ndarray) -> np.ndarray:
    return griffin_lim(spectrum, _ROUNDS) if spectrum.shape[1] > 1 else np.zeros(0, np.float32)
