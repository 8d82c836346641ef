"""A motion at another frame rate, every closure of the lips kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..exchange.formats import Motion
from ..landmarks.measures import mouth_width, opening
from ..landmarks.pose import compose_pose, neck_pivot, split_pose
from .lips import resample_closures

SHUT = 0.02  # opening that counts as shut, share of the mouth's width


def with_head(motion: Motion) -> Motion:
    """The motion with its head arrays; where the file has none, the pose is fitted on the stable points."""
    arrays = (motion.expression, motion.head_rotation, motion.head_translation, motion.neck_pivot)
    if all(array is not None for array in arrays):
        return motion
    pivot = neck_pivot(motion.neutral)
    rotation, translation, expression = split_pose(motion.landmarks, motion.neutral, pivot)
    return replace(
        motion,
        expression=expression,
        head_rotation=rotation,
        head_translation=translation,
        neck_pivot=pivot,
    )


def frame_count(seconds: float, fps: float) -> int:
    """Frames that cover `seconds`: the last one begins before the end."""
    return max(1, int(np.ceil(seconds * fps - 1e-6)))


def resample(motion: Motion, fps: float, frames: int | None = None) -> Motion:
    """The motion on frames i / fps.

    Expression moves to the nearest closure where one would fall between two frames; the head never does.

    Args:
        motion: at any rate. fps: frames/s wanted. frames: how many, all that fit by default.

    Returns:
        a motion with `landmarks`, `neutral`, `expression`, the head arrays, and `rest` and `blink` where they were
        known; `content`, `speaker` and the raw head are left out.
    """
    motion = with_head(motion)
    assert motion.expression is not None and motion.head_rotation is not None
    assert motion.head_translation is not None and motion.neck_pivot is not None
    frames = frame_count(motion.seconds, fps) if frames is None else frames
    times = np.arange(frames) / fps
    face = motion.neutral + motion.expression
    gap = opening(face) / np.maximum(mouth_width(face), 1e-6)
    shown = resample_closures(times, gap, motion.fps, SHUT)
    expression = _at(motion.expression, shown, motion.fps)
    rotation = _at(np.unwrap(motion.head_rotation, axis=0), times, motion.fps)
    translation = _at(motion.head_translation, times, motion.fps)
    return Motion(
        fps=fps,
        landmarks=compose_pose(motion.neutral, expression, rotation, translation, motion.neck_pivot),
        neutral=motion.neutral,
        expression=expression,
        head_rotation=rotation,
        head_translation=translation,
        neck_pivot=motion.neck_pivot,
        image_size=motion.image_size,
        speaker_embedding=motion.speaker_embedding,
        rest=motion.rest,
        blink=None if motion.blink is None else _at(motion.blink, shown, motion.fps),
        post=motion.post,
    )


def _at(values: np.ndarray, times: np.ndarray, fps: float) -> np.ndarray:
    """Linear interpolation over axis 0 at `times` (s), held at the ends."""
    position = np.clip(times * fps, 0.0, len(values) - 1.0)
    before = np.floor(position).astype(int)
    after = np.minimum(before + 1, len(values) - 1)
    share = (position - before).reshape(-1, *([1] * (values.ndim - 1)))
    return ((1.0 - share) * values[before] + share * values[after]).astype(np.float32)
