"""Faces in motion to be compared: filmed, predicted by the networks, animated as a character shows them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from makeittalk.animation.predict import PredictOptions, move_face
from makeittalk.exchange import storage
from makeittalk.exchange.constants import EMBEDDING, MEL_HOP
from makeittalk.exchange.formats import Face, Motion
from makeittalk.landmarks.measures import face_width
from makeittalk.landmarks.pose import neck_pivot, split_pose
from makeittalk.networks.speech import Speech

from ..data.clips import Clip, Prepared
from ..data.phones import Phone
from . import metrics


@dataclass(frozen=True)
class FaceMotion:
    """A face in motion at 62.5 frames/s.

    Attributes:
        face: (T, 68, 3) px, head motion removed. rotation: (T, 3) rad. shift: (T, 3) px, of the neck.
    """

    face: np.ndarray
    rotation: np.ndarray
    shift: np.ndarray

    @classmethod
    def filmed(cls, clip: Clip) -> FaceMotion:
        """What the camera saw."""
        rotation, shift, _ = split_pose(clip.posed, clip.neutral, neck_pivot(clip.neutral))
        return cls(np.asarray(clip.landmarks, np.float64), rotation, shift)

    @classmethod
    def predicted(cls, motion: Motion) -> FaceMotion:
        """What the networks say, before smoothing, closures and blinks; at rest the mouth is shut."""
        parts = motion.parts
        assert parts is not None
        face = motion.neutral + parts.rest.astype(np.float64) + parts.content + parts.speaker
        return cls(face, parts.head_rotation, parts.head_translation)

    @classmethod
    def animated(cls, motion: Motion) -> FaceMotion:
        """What a character shows; at rest the mouth is shut."""
        face = motion.neutral + motion.expression.astype(np.float64)
        return cls(face, motion.head_rotation, motion.head_translation)


def predict_clip(prepared: Prepared, clip: Clip, weights: str | None, device: str, seed: int) -> Motion:
    """The product's answer to a clip's sound, on the clip's own face."""
    size = np.ceil(clip.neutral[:, :2].max(0)).astype(int)
    face = Face(Path(clip.name), max(1, int(size[0])), max(1, int(size[1])), clip.neutral.astype(np.float32))
    return move_face(clip_speech(prepared, clip), face, PredictOptions(seed, device=device, weights=weights))


def clip_speech(prepared: Prepared, clip: Clip) -> Speech:
    """What the networks hear of a clip."""
    embedding = clip_embedding(prepared, clip)
    # As many frames as were filmed, where the sound goes on.
    samples = None if clip.samples is None else clip.samples[: len(clip.mel) * MEL_HOP - 1]
    return Speech(clip.mel, embedding, embedding, clip.prosody, samples)


def clip_embedding(prepared: Prepared, clip: Clip) -> np.ndarray:
    """The speaker embedding of a clip, (256,): its own, else the folder's, else zeros.

    Raises:
        InputError: the folder's `speaker.npz` is damaged.
    """
    if clip.embedding is not None:
        return clip.embedding
    path = prepared.folder / "speaker.npz"
    found = storage.read_npz(path).get("speaker_embedding") if path.is_file() else None
    return np.zeros(EMBEDDING, np.float32) if found is None or found.shape != (EMBEDDING,) else found


def motion_metrics(answer: FaceMotion, filmed: FaceMotion, phones: list[Phone]) -> dict[str, float]:
    """Every metric of a face in motion against the filmed one; the closure score is NaN without phones."""
    row = metrics.lip_metrics(answer.face, filmed.face)
    row["D-Rot"] = metrics.rotation_distance(answer.rotation, filmed.rotation)
    row["D-Pos"] = metrics.position_distance(answer.shift, filmed.shift, face_width(filmed.face))
    row["closure score"] = metrics.closure_score(metrics.opening(answer.face), phones)
    return row
