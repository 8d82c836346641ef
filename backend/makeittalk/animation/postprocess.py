"""From the predicted parts to the face that is shown: smoothing, closures, speed of the lips, amounts."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.signal import savgol_filter

from ..audio.windows import in_blocks
from ..exchange.amounts import Amounts
from ..exchange.formats import Motion, MotionParts
from ..landmarks.ibug68 import INNER_PAIRS, LIPS
from ..landmarks.pose import Canonical, compose_pose
from .blinks import lid_displacement
from .gaze import shown_gaze
from .lip_speed import limit_speed, speed_scale
from .lips import close_lips, closing_scale, gaps, scale_gaps

# Savitzky–Golay windows (s) and order at smoothing amount 1.
SMOOTH_LIPS = 0.08
SMOOTH_FACE = 0.24
SMOOTH_HEAD = 0.496
ORDER = 3


class Shown(NamedTuple):
    """A face and a head as amounts make them.

    Attributes:
        expression: (T, 68, 3) px, displacement from neutral. head_rotation: (T, 3) rad. head_translation: (T, 3) px.
        gaze: (T, 2) as `Motion.gaze`, or None.
    """

    expression: np.ndarray
    head_rotation: np.ndarray
    head_translation: np.ndarray
    gaze: np.ndarray | None

    @classmethod
    def of(cls, motion: Motion) -> Shown:
        """Face and head of a motion as it stands."""
        return cls(motion.expression, motion.head_rotation, motion.head_translation, motion.gaze)


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
    expression, rotation, translation, gaze = show(neutral, parts, fps)
    landmarks = in_blocks(
        lambda some, turned, shift: compose_pose(neutral, some, turned, shift, pivot),
        [expression, rotation, translation],
        np.empty_like(expression),
    )
    return Motion(fps, landmarks, neutral, expression, rotation, translation, pivot, image_size, parts, gaze)


def show(neutral: np.ndarray, parts: MotionParts, fps: float) -> Shown:
    """The same without the landmarks that follow from it."""
    rotation, translation = compose_head(parts.head_rotation, parts.head_translation, fps, parts.amounts)
    gaze = None
    if parts.saccades is not None:
        gaze = np.float32(parts.amounts.gaze) * shown_gaze(parts.saccades, rotation)
    return Shown(compose(neutral, parts, fps), rotation, translation, gaze)


def compose(neutral: np.ndarray, parts: MotionParts, fps: float) -> np.ndarray:
    """The expression that the parts' amounts give: lip scales `content`, head `speaker`, blink the lids.

    The lips are those of `finish_lips`, made block by block.

    Args:
        neutral: (68, 3) px. fps: frames/s of the parts.

    Returns:
        (T, 68, 3) float32 px, displacement from neutral. With no lip motion it is `rest`: the mouth shut.
    """
    amounts, canonical, frames = parts.amounts, Canonical.of(neutral), len(parts.content)
    lips, face = (_window(seconds * amounts.smooth, fps, frames) for seconds in (SMOOTH_LIPS, SMOOTH_FACE))
    lids = lid_displacement(neutral)
    # The lips' gaps decide over the whole recording what becomes of them, and are smoothed as the lips are.
    gap = in_blocks(
        lambda content: gaps(canonical.displacement_to(content)), [parts.content], np.empty((frames, len(INNER_PAIRS)))
    )
    gap = _filtered(gap, lips)
    kept = closing_scale(gap, fps, parts.closure)
    kept *= speed_scale(kept * gap, fps)

    def compose_block(content: np.ndarray, speaker: np.ndarray, blink: np.ndarray, kept: np.ndarray) -> np.ndarray:
        shown = scale_gaps(_smooth_face(canonical.displacement_to(content), lips, face), kept)
        shut = np.clip(blink * amounts.blink, 0.0, 1.0)[:, None, None] * lids
        moved = amounts.lip * canonical.displacement_from(shown) + amounts.head * _filtered(speaker, face)
        return parts.rest + moved + shut

    tracks = [parts.content, parts.speaker, parts.blink, kept]
    return in_blocks(compose_block, tracks, np.empty(parts.content.shape, np.float32), max(lips, face) // 2)


def smooth_speaker(parts: MotionParts, fps: float) -> np.ndarray:
    """What the speaker branch moves in the face, smoothed as `compose` does, (T, 68, 3) float32 px."""
    face = _window(SMOOTH_FACE * parts.amounts.smooth, fps, len(parts.speaker))
    answer = np.empty(parts.speaker.shape, np.float32)
    return in_blocks(lambda speaker: _filtered(speaker, face), [parts.speaker], answer, face // 2)


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
    lips, face = (_window(seconds * smoothing, fps, len(content)) for seconds in (SMOOTH_LIPS, SMOOTH_FACE))
    return limit_speed(close_lips(_smooth_face(content, lips, face), fps, closure), fps)


def smooth(values: np.ndarray, seconds: float, fps: float) -> np.ndarray:
    """Savitzky–Golay over time (axis 0) with a window of `seconds`; too short a window changes nothing."""
    return _filtered(values, _window(seconds, fps, len(values)))


def _smooth_face(points: np.ndarray, lips: int, face: int) -> np.ndarray:
    """Smooths landmarks (T, 68, 3), lips less than the rest, with windows of so many frames."""
    result = _filtered(points, face)
    result[:, LIPS] = _filtered(points[:, LIPS], lips)
    return result


def _window(seconds: float, fps: float, frames: int) -> int:
    """The odd number of frames of a window of `seconds` in a recording of so many."""
    return min(round(seconds * fps) | 1, frames if frames % 2 else frames - 1)


def _filtered(values: np.ndarray, window: int) -> np.ndarray:
    """`smooth` with a window of so many frames."""
    if window < ORDER + 2:
        return np.array(values, dtype=np.float64)
    return savgol_filter(values, window, ORDER, axis=0, mode="nearest")
