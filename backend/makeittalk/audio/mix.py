"""Several recordings heard one after another, or at once, as one sound of a film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import soxr

from ..exchange.protocol import Sound
from .loading import Audio, load_audio


def film_sound(sounds: Sequence[Sound], seconds: float) -> Audio:
    """What is heard in a film: silence where no recording is, the sum where several are.

    Args:
        sounds: at least one. seconds: the film's length.

    Returns:
        At the highest rate of the recordings, stereo where one of them is. `samples` are the first recording's.

    Raises:
        InputError: a recording cannot be read.
    """
    loaded = [load_audio(sound.audio) for sound in sounds]
    rate = max(audio.original_rate for audio in loaded)
    channels = max(audio.original.shape[1] for audio in loaded)
    mixed = np.zeros((max(1, round(seconds * rate)), channels), np.float32)
    for sound, audio in zip(sounds, loaded, strict=True):
        original = audio.original
        if audio.original_rate != rate:
            original = soxr.resample(original, audio.original_rate, rate, quality="HQ")
        at = round(sound.at * rate)
        low = max(0, at, round(sound.begin * rate))
        high = min(len(mixed), at + len(original), round(sound.end * rate))
        if high > low:
            mixed[low:high] += original[low - at : high - at]
    return replace(loaded[0], original=np.clip(mixed, -1.0, 1.0), original_rate=rate, seconds=seconds)
