"""The mel spectrogram that the networks hear (paper, section 3.1; AutoVC's front end)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.fft import rfft

from ..exchange.constants import MEL_BANDS, MEL_HOP, MEL_MAX, MEL_MIN, MEL_WINDOW, SAMPLE_RATE
from .windows import in_blocks

_HALF = MEL_WINDOW // 2  # samples reflected at either end, so that frames are centred
_CHUNK = 2048  # frames transformed at once: bounds the memory for hours of sound


def mel_spectrogram(samples: np.ndarray) -> np.ndarray:
    """Normalised log-mel frames; frame i is centred on i/62.5 s.

    S = (20 log10(max(1e-5, mel)) − 16 + 100) / 100 of the magnitude spectrum, window 1024 (Hann), hop 256,
    80 Slaney bands from 90 to 7600 Hz.

    Args:
        samples: (n,) at 16 kHz, loudness normalised.

    Returns:
        (1 + n // 256, 80) float32, about 0–1.
    """
    samples = np.asarray(samples, np.float32)
    assert samples.ndim == 1, samples.shape
    # Less than half a window cannot be reflected.
    padded = np.pad(samples, _HALF, mode="reflect" if len(samples) > _HALF else "constant")
    windows = np.lib.stride_tricks.sliding_window_view(padded, MEL_WINDOW)[::MEL_HOP]
    window, filters = hann(MEL_WINDOW), mel_filters(MEL_BANDS, MEL_MIN, MEL_MAX, MEL_WINDOW)

    def levels(some: np.ndarray) -> np.ndarray:
        decibels = 20.0 * np.log10(np.maximum(magnitude(some * window) @ filters.T, 1e-5))
        return (decibels - 16.0 + 100.0) / 100.0

    return in_blocks(levels, [windows], np.empty((len(windows), MEL_BANDS), np.float32), size=_CHUNK)


def magnitude(frames: np.ndarray) -> np.ndarray:
    """The magnitude spectrum of (T, n) frames, (T, 1 + n // 2), in their own precision."""
    return np.abs(np.asarray(rfft(frames, axis=1)))


@lru_cache(maxsize=4)
def hann(length: int) -> np.ndarray:
    """The periodic Hann window, (length,) float32."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)).astype(np.float32)


@lru_cache(maxsize=4)
def mel_filters(bands: int, low: float, high: float, window: int) -> np.ndarray:
    """Triangular filters of unit area on Slaney's mel scale (Auditory Toolbox, 1998), for 16 kHz.

    The scale is linear to 1 kHz (15 mel), then logarithmic: 27 steps to 6.4 kHz.

    Args:
        bands: how many. low, high: Hz they span. window: samples of the transform.

    Returns:
        (bands, 1 + window // 2) float32.
    """
    first, last = _to_mel(np.array([low, high])).tolist()
    edges = _to_hertz(np.linspace(first, last, bands + 2))
    bins = np.linspace(0.0, SAMPLE_RATE / 2, 1 + window // 2)
    widths = np.diff(edges)
    rising = (bins - edges[:-2, None]) / widths[:-1, None]
    falling = (edges[2:, None] - bins) / widths[1:, None]
    area = 2.0 / (edges[2:] - edges[:-2])
    return (np.maximum(0.0, np.minimum(rising, falling)) * area[:, None]).astype(np.float32)


_BREAK_HERTZ, _BREAK_MEL, _LOG_STEP = 1000.0, 15.0, np.log(6.4) / 27.0


def _to_mel(hertz: np.ndarray) -> np.ndarray:
    above = _BREAK_MEL + np.log(np.maximum(hertz, 1e-9) / _BREAK_HERTZ) / _LOG_STEP
    return np.where(hertz < _BREAK_HERTZ, hertz * _BREAK_MEL / _BREAK_HERTZ, above)


def _to_hertz(mel: np.ndarray) -> np.ndarray:
    above = _BREAK_HERTZ * np.exp(_LOG_STEP * (mel - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _BREAK_HERTZ / _BREAK_MEL, above)
