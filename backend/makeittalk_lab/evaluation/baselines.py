"""What a prediction must beat: a face that never moves, a mouth driven by loudness, and motion that was seen before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from makeittalk.exchange.constants import LANDMARKS, MEL_BANDS
from makeittalk.landmarks.pose import Canonical, neck_pivot, split_pose
from makeittalk.networks.normalised_mel import VoiceAverage, normalise_mel

from ..data.clips import Clip
from .face_motion import FaceMotion

_POOL = 6  # frames (0.1 s) that the first look at a recording takes together
_SHORTLIST = 12  # clips that are looked at frame by frame
_BAND = 0.25  # how far the warping may leave the diagonal, share of the longer one


def frame_energy(mel: np.ndarray) -> np.ndarray:
    """Loudness of each frame of a mel (T, 80): mean magnitude over the bands, (T,)."""
    return (10.0 ** (5.0 * np.asarray(mel, np.float64) - 4.2)).mean(1)


@dataclass(frozen=True)
class LoudnessBaseline:
    """Landmarks as a linear function of loudness: displacement = slope · energy + offset, both (68, 3), canonical."""

    slope: np.ndarray
    offset: np.ndarray

    @classmethod
    def fit(cls, clips: list[Clip]) -> LoudnessBaseline:
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


class RetrievalBaseline:
    """The motion of the training clip that sounds most alike, warped in time onto the new recording.

    Alike is the least cost of dynamic time warping between normalised mels (Sakoe and Chiba 1978). All clips are
    compared a tenth of a second at a time, the best of them frame by frame.
    """

    def __init__(self, clips: list[Clip]) -> None:
        self._clips = clips
        self._average = VoiceAverage.of([clip.mel for clip in clips])
        self._features = [normalise_mel(clip.mel, self._average) for clip in clips]
        pooled = [_pool(features) for features in self._features]
        self._counts = np.array([len(rows) for rows in pooled])
        self._pooled = np.zeros((len(clips), int(self._counts.max()), MEL_BANDS), np.float32)
        for row, values in zip(self._pooled, pooled, strict=True):
            row[: len(values)] = values

    def predict(self, mel: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Motion for a recording (T, 80).

        Returns:
            canonical displacements (T, 68, 3), the head's rotation (T, 3) in radians and its shift (T, 3) in canonical
            units.
        """
        features = normalise_mel(mel, self._average)
        rough = warping_costs(_pool(features), self._pooled, self._counts)
        best, path = min(
            (self._warp(features, int(number)) for number in np.argsort(rough)[:_SHORTLIST]),
            key=lambda found: found[0],
        )[1:]
        clip = self._clips[best]
        frame = Canonical.of(clip.neutral)
        rotation, shift, _ = split_pose(clip.posed, clip.neutral, neck_pivot(clip.neutral))
        face = frame.displacement_to(clip.landmarks - clip.neutral)
        return face[path], rotation[path], shift[path] / frame.scale

    def _warp(self, features: np.ndarray, number: int) -> tuple[float, int, np.ndarray]:
        """Cost a step, the clip's number, and which of its frames stands at each frame of the recording."""
        from librosa.sequence import dtw
        from scipy.spatial.distance import cdist

        other = self._features[number]
        cost, steps = dtw(C=cdist(features, other), global_constraints=True, band_rad=_BAND)
        here, there = steps[::-1].T
        count = np.bincount(here, minlength=len(features))
        path = np.bincount(here, weights=there, minlength=len(features)) / np.maximum(count, 1)
        return float(cost[-1, -1]) / len(steps), number, np.clip(np.round(path).astype(int), 0, len(other) - 1)


def _pool(features: np.ndarray) -> np.ndarray:
    """Means of `_POOL` frames each: (T, 80) → (⌈T / _POOL⌉, 80)."""
    starts = np.arange(0, len(features), _POOL)
    sizes = np.diff(np.append(starts, len(features)))[:, None]
    return (np.add.reduceat(features, starts, axis=0) / sizes).astype(np.float32)


def warping_costs(query: np.ndarray, others: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Cost of dynamic time warping between one sequence and many at once.

    Args:
        query: (N, C). others: (K, M, C), of which the first `counts` (K,) rows are used.

    Returns:
        (K,): the least sum of Euclidean distances along a path from both beginnings to both ends, ÷ (N + count).
    """
    squares = (others**2).sum(2)
    last = np.full(squares.shape, np.inf)
    for index, row in enumerate(query):
        distance = np.sqrt(np.maximum(squares - 2.0 * others @ row + row @ row, 0.0))
        entry = np.minimum(last, np.pad(last, ((0, 0), (1, 0)), constant_values=np.inf)[:, :-1])
        if index == 0:
            entry[:, 0] = 0.0
        current = np.empty_like(last)
        left = np.full(len(others), np.inf)
        for column in range(last.shape[1]):
            left = distance[:, column] + np.minimum(entry[:, column], left)
            current[:, column] = left
        last = current
    return last[np.arange(len(others)), counts - 1] / (len(query) + counts)


class Baselines:
    """What a prediction is held against, fitted on clips to train on."""

    def __init__(self, clips: list[Clip]) -> None:
        self._loudness = LoudnessBaseline.fit(clips)
        self._retrieval = RetrievalBaseline(clips)

    def predict(self, clip: Clip) -> dict[str, FaceMotion]:
        """Each baseline's answer to a clip's sound, on the clip's face."""
        frame = Canonical.of(clip.neutral)
        still = np.zeros((len(clip.mel), 3))
        rest = np.repeat(clip.neutral[None].astype(np.float64), len(clip.mel), 0)
        loud = frame.displacement_from(self._loudness.predict(clip.mel))
        seen, rotation, shift = self._retrieval.predict(clip.mel)
        return {
            "loudness": FaceMotion(rest + loud, still, still),
            "retrieval": FaceMotion(rest + frame.displacement_from(seen), rotation, frame.scale * shift),
            "static": FaceMotion(rest, still, still),
        }
