"""Brings filmed landmarks to one rate and one pose, so that expressions can be compared."""

from __future__ import annotations

import numpy as np

from ..exchange.constants import FRAME_RATE
from .ibug68 import REGISTRATION
from .measures import opening


def resample_landmarks(landmarks: np.ndarray, fps: float, rate: float = FRAME_RATE) -> np.ndarray:
    """Landmarks (T, 68, 3) at `rate` instead of `fps`, linearly interpolated from the first frame to the last."""
    points = np.asarray(landmarks, np.float64)
    if abs(fps - rate) < 1e-6 or len(points) == 1:
        return points
    count = int(np.floor((len(points) - 1) * rate / fps + 1e-6)) + 1
    position = np.arange(count) * fps / rate
    below = np.minimum(position.astype(int), len(points) - 2)
    share = (position - below)[:, None, None]
    return (1.0 - share) * points[below] + share * points[below + 1]


def neutral_frame(landmarks: np.ndarray) -> int:
    """The frame with the least opening in the first fifth of a clip: the face at rest."""
    return int(np.argmin(opening(landmarks[: max(1, len(landmarks) // 5)])))


def register(landmarks: np.ndarray, neutral: np.ndarray, indices: np.ndarray = REGISTRATION) -> np.ndarray:
    """Removes the head's motion: each frame brought onto the neutral face by a similarity (Umeyama 1991).

    Args:
        landmarks: (T, 68, 3). neutral: (68, 3). indices: the points that are fitted.

    Returns:
        (T, 68, 3) in the neutral's frame.
    """
    points = np.asarray(landmarks, np.float64)
    target = np.asarray(neutral, np.float64)[indices]
    source = points[:, indices]
    middle, goal = source.mean(1, keepdims=True), target.mean(0)
    source = source - middle
    covariance = np.einsum("ki,tkj->tij", target - goal, source)
    left, singular, right = np.linalg.svd(covariance)
    sign = np.ones_like(singular)
    sign[:, 2] = np.sign(np.linalg.det(left @ right))
    rotation = (left * sign[:, None]) @ right
    size = (singular * sign).sum(1) / (source**2).sum((1, 2))
    return size[:, None, None] * ((points - middle) @ rotation.transpose(0, 2, 1)) + goal
