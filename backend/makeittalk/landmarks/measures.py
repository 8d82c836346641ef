"""Sizes of a face in landmarks: how far the mouth is open, how wide mouth and face are."""

from __future__ import annotations

import numpy as np

from .ibug68 import LIP_INNER

#: The share of an opening that the upper lip closes; the lower lip and the jaw do the rest.
UPPER_LIP_SHARE = 0.35


def opening(points: np.ndarray) -> np.ndarray:
    """‖62−66‖, the opening of metrics: (…, 68, 3) → (…)."""
    return np.linalg.norm(points[..., 62, :] - points[..., 66, :], axis=-1)


def mouth_width(points: np.ndarray) -> np.ndarray:
    """‖48−54‖: (…, 68, 3) → (…)."""
    return np.linalg.norm(points[..., 48, :] - points[..., 54, :], axis=-1)


def openness(points: np.ndarray) -> np.ndarray:
    """How far mouths (…, 68, ≥2) are open, in their widths: (…)."""
    return np.asarray(opening(points) / np.maximum(mouth_width(points), 1e-6))


def mouth_area(landmarks: np.ndarray) -> np.ndarray:
    """Area of the inner mouth (60–67) in x and y, (T,)."""
    x, y = landmarks[..., LIP_INNER, 0], landmarks[..., LIP_INNER, 1]
    return 0.5 * np.abs((x * np.roll(y, -1, -1) - np.roll(x, -1, -1) * y).sum(-1))


def face_width(reference: np.ndarray) -> float:
    """Mean distance of the jaw's ends, ‖0 − 16‖."""
    return float(np.linalg.norm(reference[:, 0] - reference[:, 16], axis=-1).mean())
