"""Where somebody speaks: in long pauses the mouth rests, whatever the content branch hears in the noise."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import grey_closing, maximum_filter1d, uniform_filter1d

BEFORE = 0.8  # s before a word in which the mouth may open already: people breathe in through it
AFTER = 0.8  # s after one until it has come to rest
RAMP = 0.2  # s of these in which the motion fades
SURE = 0.5  # probability of silence from which nobody speaks
QUIET = 0.02  # loudness under which nobody speaks
LOUD = 0.3  # loudness from which somebody does, in a manner that the phone network may not know
_SHORTEST = 0.048  # s: a sound that is shorter is none of a voice's


def speech_presence(silence: np.ndarray, loudness: np.ndarray, fps: float) -> np.ndarray:
    """How much of its motion a mouth shows: 1 around every word, 0 far from all.

    Args:
        silence: (T,) probability that nobody speaks (`networks.phones_inference`); in digital silence the encoder
            hears whatever it likes. loudness: (T,) 0–1 (audio.prosody). fps: their rate.

    Returns:
        (T,) float32, eased.
    """
    if not len(silence):
        return np.zeros(0, np.float32)
    nobody = (loudness < QUIET) | ((silence >= SURE) & (loudness < LOUD))
    still = grey_closing(nobody.astype(np.float32), size=max(1, round(_SHORTEST * fps)) | 1)
    ramp = max(1, round(RAMP * fps)) | 1
    before, after = (max(0, round(seconds * fps) - ramp // 2) for seconds in (BEFORE, AFTER))
    # The filter's window reaches `after` frames back and `before` frames ahead.
    size = before + after + 1
    wide = maximum_filter1d(1.0 - still, size, origin=after - size // 2, mode="nearest")
    return np.asarray(uniform_filter1d(wide, ramp, mode="nearest"), np.float32)
