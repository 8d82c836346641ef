"""Lips that round for W, U and O: the content branch, taught by least squares, only hints at what is so brief."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ..landmarks.ibug68 import LIPS

NARROWING = 0.06  # share of the mouth's width that rounded lips lose beyond what the content branch says
PROTRUSION = 0.01  # canonical units by which their middle comes forward
_EASE = 0.03  # s: standard deviation of the curve that eases in and out


def rounding_curve(rounded: np.ndarray, fps: float) -> np.ndarray:
    """How round the lips are to be: probability of a rounded phone (T,) at `fps` → (T,) 0–1, eased."""
    return np.asarray(gaussian_filter1d(rounded, _EASE * fps, mode="nearest"), np.float32)


def rounded_lips(face: np.ndarray) -> np.ndarray:
    """The displacement that rounds a face's lips: corners come together, the middle comes forward.

    Args:
        face: (68, 3) canonical landmarks at rest.

    Returns:
        (68, 3) canonical displacement, zero but for the lips; with it the mouth is narrower by `NARROWING`.
    """
    delta = np.zeros((len(face), 3))
    across = face[LIPS, 0] - face[[48, 54], 0].mean()
    half = 0.5 * float(np.ptp(face[[48, 54], 0]))
    delta[LIPS, 0] = -NARROWING * across
    delta[LIPS, 2] = -PROTRUSION * np.clip(1.0 - (across / half) ** 2, 0.0, 1.0)
    return delta
