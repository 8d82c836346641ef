"""From the predicted parts to the face that is shown: smoothing, closures, speed of the lips, amounts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.signal import savgol_filter

from ..exchange.amounts import Amounts
from ..exchange.formats import Motion, MotionParts
from ..landmarks.ibug68 import LIPS
from ..landmarks.pose import Canonical, compose_pose
from .blinks import lid_displacement
from .lip_speed import limit_speed
from .lips import close_lips

# Savitzky–Golay windows (s) and order at smoothing amount 1.
SMOOTH_LIPS = 0.08
SMOOTH_FACE = 0.24
SMOOTH_HEAD = 0.496
ORDER = 3


def apply_amounts(motion: Motion, amounts: Amounts) -> Motion:
    """The motion with its shown face and head made anew from its parts; one without parts stays as it is."""
    if motion.parts is None:
        return motion
    parts = replace(motion.parts, amounts=amounts)
    return shown_motion(motion.neutral, parts, motion.fps, motion.neck_pivot, motion.image_size)


def shown_motion(
    neutral: np.ndarray, parts: MotionParts, fps: float, pivot: np.ndarray, image_size: np.ndarray | None = None
) -> Motion:
    """What the amounts in `parts` make of them.

    Args:
        neutral: (68, 3) px. fps: frames/s of the parts. pivot: (3,) px, the neck. image_size: (2,) px.
    """
    expression = compose(neutral, parts, fps)
    rotation, translation = compose_head(parts.head_rotation, parts.head_translation, fps, parts.amounts)
    landmarks = compose_pose(neutral, expression, rotation, translation, pivot)
    return Motion(fps, landmarks, neutral, expression, rotation, translation, pivot, image_size, parts)


def compose(neutral: np.ndarray, parts: MotionParts, fps: float) -> np.ndarray:
    """The expression that the parts' amounts give: lip scales `content`, head `speaker`, blink the lids.

    Args:
        neutral: (68, 3) px. fps: frames/s of the parts.

    Returns:
        (T, 68, 3) float32 px, displacement from neutral. With no lip motion it is `rest`: the mouth shut.
    """
    amounts, canonical = parts.amounts, Canonical.of(neutral)
    shown = finish_lips(canonical.displacement_to(parts.content), fps, parts.closure, amounts.smooth)
    lips = canonical.displacement_from(shown)
    speaker = smooth(parts.speaker, SMOOTH_FACE * amounts.smooth, fps)
    lids = np.clip(parts.blink * amounts.blink, 0.0, 1.0)[:, None, None] * lid_displacement(neutral)
    return (parts.rest + amounts.lip * lips + amounts.head * speaker + lids).astype(np.float32)


def compose_head(
    rotation: np.ndarray, translation: np.ndarray, fps: float, amounts: Amounts
) -> tuple[np.ndarray, np.ndarray]:
    """The head that the amounts give: (T, 3) rad and (T, 3) px in, the same out."""
    window = SMOOTH_HEAD * amounts.smooth
    turned = amounts.head * smooth(rotation, window, fps)
    moved = amounts.head * smooth(translation, window, fps)
    return turned.astype(np.float32), moved.astype(np.float32)


def finish_lips(
    content: np.ndarray, fps: float, closure: np.ndarray | None = None, smoothing: float = 1.0
) -> np.ndarray:
    """The content branch's answer as a character shows it: smoothed, its closures completed, no faster than people.

    Args:
        content: (T, 68, 3) canonical displacement from the shut mouth. fps: frames/s.
        closure: (T,) how sure it is that the lips are shut, or None. smoothing: amount, 1 by default.

    Returns:
        (T, 68, 3), canonical.
    """
    return limit_speed(close_lips(smooth_face(content, fps, smoothing), fps, closure), fps)


def smooth_face(points: np.ndarray, fps: float, amount: float) -> np.ndarray:
    """Smooths landmarks, lips less than the rest: (T, 68, 3) → (T, 68, 3)."""
    result = smooth(points, SMOOTH_FACE * amount, fps)
    result[:, LIPS] = smooth(points[:, LIPS], SMOOTH_LIPS * amount, fps)
    return result


def smooth(values: np.ndarray, seconds: float, fps: float) -> np.ndarray:
    """Savitzky–Golay over time (axis 0) with a window of `seconds`; too short a window changes nothing."""
    window = round(seconds * fps) | 1
    window = min(window, len(values) if len(values) % 2 else len(values) - 1)
    if window < ORDER + 2:
        return np.array(values, dtype=np.float64)
    return savgol_filter(values, window, ORDER, axis=0, mode="nearest")
