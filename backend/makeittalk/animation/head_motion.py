"""Head and brows from the rhythm of the voice.

A procedural generator, not a network: slow drift whose amount follows the loudness of the phrase, and a small nod with
raised brows on each stressed syllable. It knows nothing of the speaker; the speaker-aware branch replaces it once that
is trained.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from ..constants import FRAME_RATE

DRIFT = np.radians((1.5, 2.4, 1.3))  # rad, spread of pitch, yaw, roll while speaking
DRIFT_PERIOD = (0.9, 1.5, 1.3)  # s, the Gaussian that colours each axis' noise
IDLE = 0.35  # share of the drift that is left in silence
NOD = np.radians(2.4)  # rad, pitch of a full nod
NOD_RISE = 0.12  # s, Gaussian width of a nod
BROW_RISE = 0.156  # s, the same of the brows
BEAT_GAP = 0.32  # s between two nods at least
BROW = 0.035  # canonical units: how far a full beat raises the brows
SWAY = 0.012  # canonical units, spread of the head's shift

_BROWS = np.arange(17, 27)
_BROW_SHAPE = np.array([0.55, 0.75, 0.9, 1.0, 1.0, 1.0, 1.0, 0.9, 0.75, 0.55])


def head_motion(energy: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A living head for a recording.

    Args:
        energy: (T,) loudness of each network frame, 0 silence … 1 loud speech.
        seed: what drift and beats are drawn from.

    Returns:
        rotation (T, 3) rad, Euler xyz (positive x: as in the design's coordinates), translation (T, 3) canonical units,
        brows (T, 68, 3) canonical displacement.
    """
    frames = len(energy)
    random = np.random.default_rng([seed, 0x4EAD])
    activity = IDLE + (1.0 - IDLE) * gaussian_filter1d(energy, 0.6 * FRAME_RATE, mode="nearest")
    rotation = np.stack(
        [
            spread * activity * _coloured(random, frames, period)
            for spread, period in zip(DRIFT, DRIFT_PERIOD, strict=True)
        ],
        axis=1,
    )
    sway = np.stack([SWAY * activity * _coloured(random, frames, 1.6) for _ in range(3)], axis=1)

    beats, strength = stressed_beats(energy)
    strength = strength * random.uniform(0.35, 1.0, len(beats))
    impulse = np.zeros(frames)
    impulse[beats] = strength
    rotation[:, 0] += NOD * _bumps(impulse, NOD_RISE)
    lift = _bumps(impulse, BROW_RISE)

    brows = np.zeros((frames, 68, 3))
    brows[:, _BROWS, 1] = -BROW * np.minimum(lift, 1.2)[:, None] * _BROW_SHAPE
    return rotation, sway, brows


def stressed_beats(energy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frames of stressed syllables, and how strong each is (0–1)."""
    smooth = gaussian_filter1d(energy, 0.05 * FRAME_RATE, mode="nearest")
    peaks, properties = find_peaks(smooth, distance=max(1, int(BEAT_GAP * FRAME_RATE)), prominence=0.15)
    if len(peaks) == 0:
        return peaks, np.zeros(0)
    prominence = properties["prominences"]
    return peaks, np.clip(prominence / max(np.percentile(prominence, 90), 1e-6), 0.0, 1.0)


def loudness_curve(mel: np.ndarray) -> np.ndarray:
    """Loudness of each frame as the generator wants it: (T, 80) mel of the front end → (T,) 0–1."""
    # Mel 0 is −84 dB of a band, 1 is +16 dB: speech lives between 0.3 and 0.8.
    level = np.sort(mel, axis=1)[:, -20:].mean(axis=1)
    floor, top = 0.25, max(0.5, float(np.percentile(level, 97)))
    return np.clip((level - floor) / (top - floor), 0.0, 1.0)


def _bumps(impulse: np.ndarray, seconds: float) -> np.ndarray:
    """A Gaussian of that width (s) at every impulse, as high as the impulse."""
    width = seconds * FRAME_RATE
    return gaussian_filter1d(impulse, width, mode="constant") * width * np.sqrt(2.0 * np.pi)


def _coloured(random: np.random.Generator, frames: int, period: float) -> np.ndarray:
    """Gaussian noise of unit spread without anything faster than the period (s)."""
    sigma = 0.5 * period * FRAME_RATE
    noise = random.standard_normal(frames + 2 * int(4 * sigma))
    smooth = gaussian_filter1d(noise, sigma, mode="wrap") * np.sqrt(2.0 * np.sqrt(np.pi) * sigma)
    return smooth[int(4 * sigma) : int(4 * sigma) + frames]
