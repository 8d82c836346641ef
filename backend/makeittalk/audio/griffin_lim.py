"""Phases for a spectrogram that has none: Griffin and Lim (1984), hastened by Perraudin, Balazs and Søndergaard (2013).

librosa's function of that name does the same, but brings a compiler of 180 MB along.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, rfft

from ..exchange.constants import MEL_HOP, MEL_WINDOW
from .mel import hann

_HALF = MEL_WINDOW // 2
_STEPS = MEL_WINDOW // MEL_HOP  # frames that a sample lies in
_MOMENTUM = 0.99  # the paper's α, with which it converges best


def griffin_lim(spectrum: np.ndarray, rounds: int) -> np.ndarray:
    """A sound whose magnitude spectrogram is nearly this one.

    Args:
        spectrum: (513, T) magnitudes, T > 1: Hann windows of 1024 samples, hop 256, frame i centred on sample 256·i.
        rounds: how often sound and spectrogram are made of one another.

    Returns:
        (256·(T − 1),) float32. The same spectrum always gives the same sound.
    """
    magnitudes = np.ascontiguousarray(spectrum.T, np.float32)
    turns = np.random.default_rng(0).random(spectrum.shape).T
    frames = (magnitudes * np.exp(2j * np.pi * turns)).astype(np.complex64)
    before: np.ndarray | None = None
    for _ in range(rounds):
        rebuilt = _frames(_sound(frames))
        frames = rebuilt if before is None else rebuilt - np.float32(_MOMENTUM / (1.0 + _MOMENTUM)) * before
        before = rebuilt
        frames = frames / (np.abs(frames) + np.finfo(np.float32).tiny) * magnitudes
    return _sound(frames)


def _frames(sound: np.ndarray) -> np.ndarray:
    """The spectrogram (T, 513) complex64 of (256·(T − 1),) samples, which are reflected at either end."""
    padded = np.pad(sound, _HALF, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, MEL_WINDOW)[::MEL_HOP]
    return np.asarray(rfft(windows * hann(MEL_WINDOW), axis=1))


def _sound(frames: np.ndarray) -> np.ndarray:
    """The sound whose spectrogram is nearest to (T, 513) complex64."""
    window = hann(MEL_WINDOW)
    pieces = (np.asarray(irfft(frames, MEL_WINDOW, axis=1)) * window).reshape(len(frames), _STEPS, MEL_HOP)
    weights = (window**2).reshape(_STEPS, MEL_HOP)
    total = np.zeros((len(frames) + _STEPS - 1, MEL_HOP), np.float32)
    weight = np.zeros_like(total)
    for step in range(_STEPS):
        total[step : step + len(frames)] += pieces[:, step]
        weight[step : step + len(frames)] += weights[step]
    inner = slice(_HALF, -_HALF)
    return total.ravel()[inner] / weight.ravel()[inner]
