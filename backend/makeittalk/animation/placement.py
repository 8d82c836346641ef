"""Where a motion meets a portrait: whether the picture is the one it was made for, a moment of its film, or another."""

from __future__ import annotations

import numpy as np

from ..exchange.formats import Motion
from ..landmarks.landmark_motion import motion_of_landmarks
from .retarget import retarget

# Mean distances of landmarks in face widths. A still's landmarks lie 0.006 to 0.017 from those that were tracked in the
# film it is taken from.
_SAME = 0.08  # a portrait's landmarks from those that somebody corrected
_MOMENT = 0.02  # a frame's landmarks from those tracked there
_NEAR = 0.04  # the same face in the same place, though no tracked moment of it
_IDENTICAL = 1e-3


def place_motion(motion: Motion, found: np.ndarray) -> tuple[np.ndarray, Motion, bool]:
    """The portrait's landmarks as a motion in its pixels means them, and the motion on them.

    A portrait that the motion was made for has the motion's neutral landmarks, which may be corrected ones. A moment
    of the film that the motion was tracked in has the landmarks tracked there, which come from the same tracker as all
    others, and every frame keeps its place. On any other face the motion is carried over.

    Args:
        motion: of a picture of the portrait's size. found: (68, 3) px, landmarks detected in the portrait.

    Returns:
        landmarks (68, 3) float32 px, the motion with those as its neutral, and whether it was carried over.
    """
    neutral = _distance(motion.neutral, found)
    frames = _distance(motion.landmarks, found)
    nearest = int(frames.argmin())
    filmed = motion.parts is None and float(_distance(motion.landmarks, motion.neutral).min()) < _IDENTICAL
    if not filmed and neutral <= _SAME:
        return motion.neutral, motion, False
    if filmed and frames[nearest] <= _MOMENT:
        return motion.landmarks[nearest], _resting(motion, motion.landmarks[nearest]), False
    if filmed and frames[nearest] <= _NEAR:
        return found, _resting(motion, found), False
    return found, retarget(motion, found), True


def _resting(motion: Motion, neutral: np.ndarray) -> Motion:
    """The same landmarks, their head and expression counted from another neutral."""
    return motion_of_landmarks(motion.landmarks, neutral, motion.fps, motion.image_size)


def _distance(points: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Mean distance (…) of points (…, 68, ≥2) from a face (68, ≥2) in the picture, in its widths."""
    width = max(float(np.linalg.norm(face[16, :2] - face[0, :2])), 1e-6)
    return np.asarray(np.linalg.norm(points[..., :2] - face[:, :2], axis=-1).mean(axis=-1) / width)
