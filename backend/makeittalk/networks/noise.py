"""The chance in a head's motion: slow noise over time, which the speaker branch turns into the sway of a voice.

The seed chooses the noise, the voice what becomes of it. The track is one continuous signal over the whole recording,
so that windows of attention which see the same stretch of it agree where they overlap, and it is the same for a long
recording as for its beginning.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import oaconvolve

from ..exchange.constants import FRAME_RATE
from ..landmarks.smoothstep import smoothstep

BANDS = (0.2, 0.4, 0.8, 1.6)  # Hz: heads sway between 0.2 and 1.8 Hz while people talk (Hadar et al. 1983)
AXES = 3
SHIFT_BAND = 0.25  # Hz, of the head's shift
SWAY = slice(0, AXES * len(BANDS))  # axis by axis, each band of it
SHIFT = slice(SWAY.stop, SWAY.stop + 3)
BLINK = SHIFT.stop
NOISE = BLINK + 1  # channels
DOWN, UP = 0.13, 0.22  # s the lids take
_WIDTH = 0.35  # deviation of a band, relative to its middle
_BLINK_GAP = (0.7, 1.5)  # s between two occasions to blink
_FIRST_BLINK = (0.3, 1.6)  # s


def noise_track(seed: int, frames: int) -> np.ndarray:
    """The noise of a seed.

    Args:
        seed: not negative. frames: how many, at 62.5/s.

    Returns:
        (frames, NOISE) float32: `SWAY` and `SHIFT` of about unit deviation; `BLINK` has a blink-shaped bump at every
        occasion to blink, as high as its chance (0–1), and 0 elsewhere.
    """
    if not frames:
        return np.zeros((0, NOISE), np.float32)
    middles = [*(BANDS * AXES), *[SHIFT_BAND] * 3]
    reach = _reach(min(middles))
    random = np.random.default_rng([seed, 0x5EED])
    # Drawn frame by frame over all channels: more frames do not change the first ones.
    white = random.standard_normal((frames + 2 * reach, len(middles), 2))
    track = np.zeros((frames, NOISE), np.float32)
    for channel, middle in enumerate(middles):
        wavelet = _wavelet(middle)
        cut = reach - len(wavelet) // 2
        values = white[cut : len(white) - cut, channel]
        wave = oaconvolve(values[:, 0] + 1j * values[:, 1], wavelet, mode="valid")
        # The envelope's root: sway comes and goes, but never so far that a voice's own amount is lost.
        size = np.abs(wave)
        track[:, channel] = wave.real * np.sqrt(2.0 / np.sqrt(np.pi / 2.0) / np.maximum(size, 1e-9))
    track[:, BLINK] = _occasions(seed, frames)
    return track


def blink_shape(since: np.ndarray) -> np.ndarray:
    """How far the lids are shut so many seconds after they began to fall, 0–1; 0 before and behind."""
    phase = np.where(since < DOWN, since / DOWN, 1.0 - (since - DOWN) / UP)
    return smoothstep(np.where(since < 0, 0.0, phase))


def _wavelet(middle: float) -> np.ndarray:
    """A complex band-pass filter of unit noise gain."""
    reach = _reach(middle)
    time = np.arange(-reach, reach + 1) / FRAME_RATE
    std = 1.0 / (2.0 * np.pi * _WIDTH * middle)
    wavelet = np.exp(-0.5 * (time / std) ** 2 + 2j * np.pi * middle * time)
    return wavelet / np.sqrt((np.abs(wavelet) ** 2).sum())


def _reach(middle: float) -> int:
    return int(3.0 * FRAME_RATE / (2.0 * np.pi * _WIDTH * middle))


def _occasions(seed: int, frames: int) -> np.ndarray:
    time = np.arange(frames) / FRAME_RATE
    count = int(time[-1] / _BLINK_GAP[0]) + 2
    random = np.random.default_rng([seed, 0xB11])
    drawn = random.random((count, 2))
    starts = np.cumsum(_BLINK_GAP[0] + (_BLINK_GAP[1] - _BLINK_GAP[0]) * drawn[:, 0])
    starts += _FIRST_BLINK[0] - _BLINK_GAP[0]
    near = np.searchsorted(starts, time, side="right") - 1
    since = time - starts[np.maximum(near, 0)]
    return np.where(near < 0, 0.0, drawn[np.maximum(near, 0), 1] * blink_shape(since))
