"""What a prediction must beat: a face that never moves, and a mouth driven by loudness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..constants import LANDMARKS
from ..landmarks.pose import Canonical
from .dataset import Clip


def frame_energy(mel: np.ndarray) -> np.ndarray:
    """Loudness of each frame of a mel (T, 80): mean magnitude over the bands, (T,)."""
    return (10.0 ** (5.0 * np.asarray(mel, np.float64) - 4.2)).mean(1)


@dataclass(frozen=True)
class Loudness:
    """Landmarks as a linear function of loudness: displacement = slope · energy + offset, both (68, 3), canonical."""

    slope: np.ndarray
    offset: np.ndarray

    @classmethod
    def fit(cls, clips: list[Clip]) -> Loudness:
        """Least squares over all frames of the training clips."""
        energy = np.concatenate([frame_energy(clip.mel) for clip in clips])
        motion = np.concatenate(
            [Canonical.of(clip.neutral).displacement_to(clip.landmarks - clip.neutral) for clip in clips]
        )
        sides = np.stack([energy, np.ones_like(energy)], axis=1)
        answer = np.linalg.lstsq(sides, motion.reshape(len(motion), -1), rcond=None)[0]
        return cls(*answer.reshape(2, LANDMARKS, 3))

    def predict(self, mel: np.ndarray) -> np.ndarray:
        """Canonical displacements (T, 68, 3)."""
        return frame_energy(mel)[:, None, None] * self.slope + self.offset
