"""A motion at another frame rate: every closure of the lips kept, and no opening faster than it was."""

from __future__ import annotations

import numpy as np

from ..exchange.formats import Motion
from ..landmarks.measures import mouth_width, opening
from ..landmarks.pose import compose_pose
from .lip_speed import keep_speed
from .lips import resample_closures

SHUT = 0.02  # opening that counts as shut, share of the mouth's width


def frame_count(seconds: float, fps: float) -> int:
    """Frames that cover `seconds`: the last one begins before the end."""
    return max(1, int(np.ceil(seconds * fps - 1e-6)))


def resample(motion: Motion, fps: float, frames: int | None = None) -> Motion:
    """The motion on frames i / fps.

    Expression moves to the nearest closure where one would fall between two frames; the head never does. The frames
    beside it open no further than the lips go in one frame at the fastest.

    Args:
        motion: at any rate. fps: frames/s wanted. frames: how many, all that fit by default.

    Returns:
        the motion without its parts.
    """
    frames = frame_count(motion.seconds, fps) if frames is None else frames
    times = np.arange(frames) / fps
    expression = at(motion.expression, closure_times(motion, times), motion.fps)
    expression = keep_speed(expression, fps, motion.expression, motion.fps, motion.neutral)
    rotation = at(np.unwrap(motion.head_rotation, axis=0), times, motion.fps)
    translation = at(motion.head_translation, times, motion.fps)
    landmarks = compose_pose(motion.neutral, expression, rotation, translation, motion.neck_pivot)
    gaze = None if motion.gaze is None else at(motion.gaze, times, motion.fps)
    size = motion.image_size
    return Motion(fps, landmarks, motion.neutral, expression, rotation, translation, motion.neck_pivot, size, gaze=gaze)


def closure_times(motion: Motion, times: np.ndarray) -> np.ndarray:
    """Which of the motion's moments a face shows at `times` (N,), s: a closure between two of them is moved to one."""
    face = motion.neutral + motion.expression
    gap = opening(face) / np.maximum(mouth_width(face), 1e-6)
    return resample_closures(times, gap, motion.fps, SHUT)


def at(values: np.ndarray, times: np.ndarray, fps: float) -> np.ndarray:
    """Linear interpolation over axis 0 at `times` (s), held at the ends."""
    position = np.clip(times * fps, 0.0, len(values) - 1.0)
    before = np.floor(position).astype(int)
    after = np.minimum(before + 1, len(values) - 1)
    share = (position - before).reshape(-1, *([1] * (values.ndim - 1)))
    return ((1.0 - share) * values[before] + share * values[after]).astype(np.float32)
