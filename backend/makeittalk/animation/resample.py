"""A motion at another frame rate: every closure of the lips kept, and no opening faster than it was."""

from __future__ import annotations

import numpy as np

from ..exchange.formats import Motion
from ..landmarks.measures import openness
from ..landmarks.pose import compose_pose
from .lip_speed import keep_speed
from .lips import resample_closures
from .postprocess import Shown

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
    shown = Shown.of(motion)
    expression, rotation, translation, gaze = resample_shown(shown, motion.neutral, motion.fps, fps, frames)[0]
    landmarks = compose_pose(motion.neutral, expression, rotation, translation, motion.neck_pivot)
    size = motion.image_size
    return Motion(fps, landmarks, motion.neutral, expression, rotation, translation, motion.neck_pivot, size, gaze=gaze)


def resample_shown(shown: Shown, neutral: np.ndarray, rate: float, fps: float, frames: int) -> tuple[Shown, np.ndarray]:
    """Face and head of a motion of `rate` frames/s on so many frames i / fps.

    Args:
        neutral: (68, 3) px.

    Returns:
        both there, and the moments (frames,) of the motion, s, that the face shows.
    """
    times = np.arange(frames) / fps
    moments = closure_times(neutral + shown.expression, rate, times)
    expression = keep_speed(at(shown.expression, moments, rate), fps, shown.expression, rate, neutral)
    rotation = at(np.unwrap(shown.head_rotation, axis=0), times, rate)
    gaze = None if shown.gaze is None else at(shown.gaze, times, rate)
    return Shown(expression, rotation, at(shown.head_translation, times, rate), gaze), moments


def closure_times(face: np.ndarray, rate: float, times: np.ndarray) -> np.ndarray:
    """Which of the moments of a face (T, 68, 3) of `rate` frames/s are shown at `times` (N,), s: a closure between two
    of them is moved to one."""
    gap = openness(face)
    return resample_closures(times, gap, rate, SHUT)


def at(values: np.ndarray, times: np.ndarray, fps: float) -> np.ndarray:
    """Linear interpolation over axis 0 at `times` (s), held at the ends."""
    position = np.clip(times * fps, 0.0, len(values) - 1.0)
    before = np.floor(position).astype(int)
    after = np.minimum(before + 1, len(values) - 1)
    share = (position - before).reshape(-1, *([1] * (values.ndim - 1)))
    return ((1.0 - share) * values[before] + share * values[after]).astype(np.float32)
