"""How something is said: loudness, pitch and voicing of each network frame, free of the microphone and the speaker."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ..exchange.constants import FRAME_RATE
from .mel import mel_spectrogram
from .pitch import fundamental

PROSODY = 3  # channels: loudness 0–1, pitch in deviations of the speaker's own, voicing 0–1
_RANGE = 0.38  # mel units (38 dB) from the quietest sound that counts to the loud ones
_QUIETEST_VOICE = 0.5  # mel: what never reaches it is no voice
_SPREAD = 0.16  # of log F0: a lively reader's deviation, with which short recordings are steadied
_STEADY = 60.0  # voiced frames that this deviation counts for
_BRIDGE = 0.12  # s: pitch runs on through unvoiced sounds this long, and fades behind
_LARGEST = 3.0
_VOICED = 0.5  # loudness from which a frame is taken for voiced where there is no pitch to tell


def prosody_track(
    samples: np.ndarray, mel: np.ndarray | None = None, heard: tuple[np.ndarray, np.ndarray] | None = None
) -> np.ndarray:
    """The prosody of a recording.

    Args:
        samples: (n,) at 16 kHz, loudness normalised. mel: their (T, 80) mel, and heard: their `fundamental`,
            where these are there already.

    Returns:
        (T, 3) float32: loudness 0 (silence) … 1 (loud speech); log F0 minus the speaker's median, in the speaker's
        own deviations, about ±3, 0 in pauses; voicing 0–1.
    """
    mel = mel_spectrogram(samples) if mel is None else mel
    pitch, periodic = fundamental(samples) if heard is None else heard
    frames = len(mel)
    pitch, periodic = pitch[:frames], periodic[:frames]
    voiced = pitch > 0
    track = np.zeros((frames, PROSODY), np.float32)
    track[:, 0] = loudness_curve(mel)
    track[:, 1] = _relative_pitch(pitch, voiced)
    track[:, 2] = gaussian_filter1d(np.where(voiced, periodic, 0.0), 1.0, mode="nearest")
    return track


def loudness_prosody(mel: np.ndarray) -> np.ndarray:
    """What a mel (T, 80) alone tells of the prosody: (T, 3) with the speaker's usual pitch throughout."""
    track = np.zeros((len(mel), PROSODY), np.float32)
    track[:, 0] = loudness_curve(mel)
    track[:, 2] = track[:, 0] > _VOICED
    return track


def loudness_curve(mel: np.ndarray) -> np.ndarray:
    """Loudness of each frame, 0 silence … 1 loud speech: (T, 80) mel of the front end → (T,)."""
    # Mel 0 is −84 dB of a band, 1 is +16 dB: speech lives between 0.3 and 0.8.
    level = np.sort(mel, axis=1)[:, -20:].mean(axis=1)
    top = max(_QUIETEST_VOICE, float(np.percentile(level, 97))) if len(level) else _QUIETEST_VOICE
    return np.clip((level - top + _RANGE) / _RANGE, 0.0, 1.0)


def _relative_pitch(pitch: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    if not voiced.any():
        return np.zeros(len(pitch), np.float32)
    logarithm = np.log(pitch[voiced])
    middle = float(np.median(logarithm))
    count = len(logarithm)
    spread = (count * float(logarithm.std()) + _STEADY * _SPREAD) / (count + _STEADY)
    relative = np.zeros(len(pitch))
    relative[voiced] = np.clip((logarithm - middle) / spread, -_LARGEST, _LARGEST)
    # A Gaussian mean of the voiced frames nearby, which fades where there are none.
    sigma = 0.5 * _BRIDGE * FRAME_RATE
    weight = gaussian_filter1d(voiced.astype(float), sigma, mode="constant")
    mean = gaussian_filter1d(relative, sigma, mode="constant") / np.maximum(weight, 1e-6)
    filled = np.where(voiced, 0.5 * relative + 0.5 * mean, mean * np.minimum(1.0, weight / 0.1))
    return gaussian_filter1d(filled, 1.5, mode="nearest").astype(np.float32)
