"""The mel as the networks read it, freed from the microphone and from how loud and bright a voice is.

Each band is shifted and scaled by its mean and deviation **over the voiced frames of the recording**, so that pauses
stay far below zero however long they are, instead of being blown up to look like speech. The fewer voiced frames
there are, the more an average voice stands in: silence alone, which has none, is measured against it entirely.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..exchange.constants import MEL_BANDS

_RANGE = 0.30  # voiced frames lie within 30 dB of the loud ones (mel units are dB/100)
_FLOOR = 0.30  # and not more than 30 dB under the average voice: noise floors and silence are no voice
_PRIOR_FRAMES = 60.0  # how many frames the average voice counts for: about one second
LOWEST, HIGHEST = -5.0, 4.0  # deviations; what lies beyond tells nothing more


@dataclass(frozen=True)
class VoiceAverage:
    """Mean and deviation of each band over the voiced frames of the training voices, both (80,), mel units."""

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, mels: list[np.ndarray]) -> VoiceAverage:
        """The average of many recordings, each (T, 80)."""
        voiced = np.concatenate([mel[_loud(mel)] for mel in mels])
        return cls(voiced.mean(0).astype(np.float32), voiced.std(0).astype(np.float32))

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> VoiceAverage:
        """Reads what `to_dict` gave.

        Raises:
            ValueError: it does not hold two rows of 80 usable numbers.
        """
        mean, std = (np.array(value[name], np.float32) for name in ("mean", "deviation"))
        if mean.shape != (MEL_BANDS,) or std.shape != (MEL_BANDS,) or not (std > 1e-3).all():
            raise ValueError("not an average voice")
        return cls(mean, std)

    def to_dict(self) -> dict[str, Any]:
        """Values for JSON."""
        return {
            name: [round(float(v), 5) for v in values]
            for name, values in (("mean", self.mean), ("deviation", self.std))
        }


def _loud(mel: np.ndarray) -> np.ndarray:
    level = mel.mean(1)
    return level > np.percentile(level, 95) - _RANGE


def voice_statistics(mel: np.ndarray, average: VoiceAverage) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each band, both (80,), that a recording (T, 80) is measured against."""
    voiced = mel[_loud(mel) & (mel.mean(1) > average.mean.mean() - _FLOOR)]
    share = len(voiced) / (len(voiced) + _PRIOR_FRAMES)
    mean, std = average.mean, average.std
    if len(voiced):
        mean = share * voiced.mean(0) + (1.0 - share) * mean
        std = share * voiced.std(0) + (1.0 - share) * std
    return mean, std


def normalise_mel(mel: np.ndarray, average: VoiceAverage) -> np.ndarray:
    """The content branch's features.

    Args:
        mel: (T, 80) of the loudness-normalised recording (audio.mel).
        average: the training voices' average.

    Returns:
        (T, 80) float32, voiced frames about 0 ± 1, pauses below.
    """
    assert mel.ndim == 2 and mel.shape[1] == MEL_BANDS, mel.shape
    mean, std = voice_statistics(mel, average)
    return np.clip((mel - mean) / std, LOWEST, HIGHEST).astype(np.float32)
