"""How high the voice is: F0 by the normalised autocorrelation of each frame.

Boersma (1993), "Accurate short-term analysis of the fundamental frequency": the autocorrelation of a windowed frame is
divided by that of the window. The range is then narrowed to the speaker's own (Hirst 2007, two passes), which leaves
hardly an octave to be mistaken. No library that takes seconds to import is needed for it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.fft import irfft, rfft
from scipy.ndimage import median_filter

from ..exchange.constants import MEL_HOP, SAMPLE_RATE
from .mel import hann
from .windows import in_blocks

LOWEST, HIGHEST = 60.0, 420.0  # Hz, of men's creaks and women's calls
_WINDOW = 1024  # samples: 64 ms hold four periods of the lowest voice
_TRANSFORM = 2048
_BAND = 900.0  # Hz: the first harmonics tell the period, what is above is noise to it
_VOICED = 0.55  # normalised autocorrelation from which a frame counts as voiced
_QUIET = 10 ** (-32 / 20)  # frames this far below the loud ones are pauses
_SILENT = 1e-3  # RMS below which nothing is a voice
_OCTAVE_COST = 0.03  # how much less an octave lower is believed
_SURVEY = 3000  # frames that tell a speaker's range
_CHUNK = 1024  # frames at once


def fundamental(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """F0 of each network frame; frame i is centred on i/62.5 s, as in the mel.

    Args:
        samples: (n,) at 16 kHz, loudness normalised.

    Returns:
        F0 (T,) Hz, 0 where unvoiced, and how periodic the frame is (T,) 0–1; float32, T = 1 + n // 256.
    """
    samples = np.asarray(samples, np.float32)
    padded = np.pad(samples, _WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::MEL_HOP]
    level = in_blocks(_level, [frames], np.empty(len(frames), np.float32), size=_CHUNK)
    loud = level > max(_SILENT, _QUIET * float(np.percentile(level, 95)))
    chosen = np.flatnonzero(loud)
    heard, strength = _periods(frames, chosen[:: max(1, len(chosen) // _SURVEY)], LOWEST, HIGHEST).T
    heard = heard[strength > _VOICED]
    low, high = LOWEST, HIGHEST
    if len(heard) >= 10:
        quarter, three = np.percentile(heard, [25, 75])
        low, high = max(LOWEST, 0.65 * float(quarter)), min(HIGHEST, 1.75 * float(three))
    pitch, periodic = np.zeros(len(frames), np.float32), np.zeros(len(frames), np.float32)
    pitch[chosen], periodic[chosen] = _periods(frames, chosen, low, high).T
    voiced = (periodic > _VOICED) & loud
    # A single frame that disagrees with its neighbours is a mistake.
    smooth = median_filter(np.where(voiced, pitch, 0.0), 5)
    return np.where(voiced & (smooth > 0), smooth, 0.0).astype(np.float32), np.clip(periodic, 0.0, 1.0)


def _level(frames: np.ndarray) -> np.ndarray:
    """RMS (T,) of frames (T, _WINDOW)."""
    return np.sqrt(np.einsum("tk,tk->t", frames, frames) / _WINDOW)


def _periods(frames: np.ndarray, chosen: np.ndarray, low: float, high: float) -> np.ndarray:
    """F0 between two bounds, Hz, and the autocorrelation there, (n, 2), of the chosen ones of frames (T, _WINDOW)."""
    answer = np.empty((len(chosen), 2), np.float32)
    return in_blocks(lambda some: _periods_of(frames[some], low, high), [chosen], answer, size=_CHUNK)


def _periods_of(frames: np.ndarray, low: float, high: float) -> np.ndarray:
    """`_periods` of a few frames."""
    first, last = int(SAMPLE_RATE / high), int(np.ceil(SAMPLE_RATE / low))
    spectrum = np.asarray(rfft(frames * hann(_WINDOW), _TRANSFORM, axis=1))
    keep = round(_BAND * _TRANSFORM / SAMPLE_RATE)
    power = np.zeros(spectrum.shape, np.float32)
    power[:, 3:keep] = np.abs(spectrum[:, 3:keep]) ** 2  # rumble below 45 Hz is no voice
    together = np.asarray(irfft(power, axis=1))[:, : last + 2]
    together /= np.maximum(together[:, :1], 1e-12) * _window_correlation()[: last + 2]
    lags = np.arange(first, last + 1)
    inside = together[:, first : last + 1]
    top = (inside >= together[:, first - 1 : last]) & (inside > together[:, first + 1 : last + 2])
    # Only a peak is a period: noise is most like itself at the shortest lag.
    best = np.where(top, inside - _OCTAVE_COST * np.log2(lags / first), -1.0).argmax(1) + first
    row = np.arange(len(frames))
    before, peak, behind = together[row, best - 1], together[row, best], together[row, best + 1]
    bend = before - 2.0 * peak + behind
    shift = np.where(np.abs(bend) > 1e-6, 0.5 * (before - behind) / np.where(bend == 0, 1.0, bend), 0.0)
    pitch = SAMPLE_RATE / (best + np.clip(shift, -0.5, 0.5))
    return np.stack([pitch, np.where(top.any(1), peak, 0.0)], axis=1)


@lru_cache(maxsize=1)
def _window_correlation() -> np.ndarray:
    power = np.abs(np.asarray(rfft(hann(_WINDOW), _TRANSFORM))) ** 2
    correlation = np.asarray(irfft(power))
    return (correlation / correlation[0]).astype(np.float32)
