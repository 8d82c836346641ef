"""From the predicted parts to the face that is shown: smoothing, closures, amounts. Every number is a parameter."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
from scipy.signal import savgol_filter

from ..exchange.formats import Motion
from ..exchange.protocol import Amounts
from ..landmarks.ibug68 import LIPS
from ..landmarks.pose import Canonical, compose_pose
from .blinks import lid_displacement
from .lips import close_lips

# Savitzky–Golay windows (s) and order at smoothing amount 1.
SMOOTH_LIPS = 0.08
SMOOTH_FACE = 0.24
SMOOTH_HEAD = 0.496
ORDER = 3


def apply_amounts(motion: Motion, amounts: Amounts) -> None:
    """Makes the shown motion anew from its parts; `landmarks`, `expression`, the head and `post` change in place.

    A motion without parts (a tracked video) keeps what it has.
    """
    if not has_parts(motion):
        return
    motion.expression = compose(
        motion.neutral, motion.rest, motion.content, motion.speaker, motion.blink, motion.closure, motion.fps, amounts
    )
    motion.head_rotation, motion.head_translation = compose_head(
        motion.head_rotation_raw, motion.head_translation_raw, motion.fps, amounts
    )
    motion.landmarks = compose_pose(
        motion.neutral, motion.expression, motion.head_rotation, motion.head_translation, motion.neck_pivot
    )
    motion.post = json.dumps(asdict(amounts))


def has_parts(motion: Motion) -> bool:
    """Whether a motion still holds what its amounts are baked from."""
    needed = (
        motion.rest,
        motion.content,
        motion.speaker,
        motion.blink,
        motion.head_rotation_raw,
        motion.head_translation_raw,
        motion.neck_pivot,
    )
    return all(item is not None for item in needed)


def compose(
    neutral: np.ndarray,
    rest: np.ndarray,
    content: np.ndarray,
    speaker: np.ndarray,
    blink: np.ndarray,
    closure: np.ndarray | None,
    fps: float,
    amounts: Amounts,
) -> np.ndarray:
    """The expression that the amounts give.

    Args:
        neutral, rest: (68, 3) px. content, speaker: (T, 68, 3) px. blink: (T,).
        closure: (T,) how sure it is that the lips are shut, or None. fps: frames/s.
        amounts: lip scales `content`, head scales `speaker`, blink the lids; smooth widens the filters.

    Returns:
        (T, 68, 3) float32 px, displacement from neutral. With no lip motion it is `rest`: the mouth shut.
    """
    canonical = Canonical.of(neutral)
    shown = finish_lips(canonical.displacement_to(content), fps, closure, amounts.smooth)
    lips = canonical.displacement_from(shown)
    manner = smooth(speaker, SMOOTH_FACE * amounts.smooth, fps)
    lids = np.clip(blink * amounts.blink, 0.0, 1.0)[:, None, None] * lid_displacement(neutral)
    return (rest + amounts.lip * lips + amounts.head * manner + lids).astype(np.float32)


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
    """The content branch's answer as a character shows it: smoothed, its closures completed.

    Args:
        content: (T, 68, 3) canonical displacement from the shut mouth. fps: frames/s.
        closure: (T,) how sure it is that the lips are shut, or None. smoothing: amount, 1 by default.

    Returns:
        (T, 68, 3), canonical.
    """
    return close_lips(smooth_face(content, fps, smoothing), fps, closure)


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
