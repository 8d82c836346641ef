"""Lips that open and shut no faster than those of filmed speakers, so that no mouth pops open for a frame or two.

The limits are the 99.5th percentiles of six speakers of GRID at 25 frames/s, each speaker of the same weight, as
`python -m makeittalk_lab.evaluation.lip_speed` measures them. The speed goes with how far a speaker opens: counted in
widest openings (15.9 a second to open, 16.6 to shut) the speakers differ half as much as in canonical units or in mouth
widths. The widest opening is 0.155 canonical units of the middle speaker, and of what the networks predict.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import grey_opening

from ..landmarks.ibug68 import INNER_PAIRS
from ..landmarks.pose import Canonical
from .lips import gaps, scale_gaps

OPENING_SPEED = 2.4  # canonical units/s, of the mean inner-lip gap at lip amount 1
CLOSING_SPEED = 2.5  # the same; people shut their lips a little faster than they open them
BRIEF = 0.08  # s: two frames at 25 frames/s
BRIEF_OPENING = (
    0.04  # canonical units by which a gap may exceed, for a shorter time than that, what it keeps for longer
)

_UPPER, _LOWER = np.array(INNER_PAIRS).T
_CHANGED = 1e-4  # share of a gap that must be taken away before a resampled frame is touched


def limit_speed(content: np.ndarray, fps: float) -> np.ndarray:
    """Holds the lips to what filmed speakers do: what opens too fast or too briefly opens later, or less far.

    No gap ever grows, so every closure stays as long and as shut as it is. What is shown scales with the lip amount,
    and so do the limits.

    Args:
        content: (T, 68, 3) canonical displacement from the shut mouth. fps: its rate, frames/s.

    Returns:
        (T, 68, 3); outer lips follow, the jaw keeps its own pace: it is lips that pop, where they part from a closure.
    """
    return scale_gaps(content, speed_scale(gaps(content), fps))


def speed_scale(gap: np.ndarray, fps: float) -> np.ndarray:
    """What `limit_speed` leaves of the gaps (T, 3) of the inner lip pairs: their scale, (T, 1)."""
    mean = np.maximum(gap.mean(axis=1), 0.0)
    slow = limit_rate(mean, OPENING_SPEED / fps, CLOSING_SPEED / fps)
    return _scale(mean, limit_brief(slow, round(BRIEF * fps), BRIEF_OPENING))


def keep_speed(
    expression: np.ndarray, fps: float, original: np.ndarray, original_fps: float, neutral: np.ndarray
) -> np.ndarray:
    """Holds resampled lips to the speed that they had before: a frame that was moved to a closure makes no jump.

    Args:
        expression: (N, 68, 3) px, sampled from `original` at `fps`, not in even steps.
        original: (T, 68, 3) px at `original_fps`. neutral: (68, 3) px.

    Returns:
        (N, 68, 3); where even steps were taken it is the same to the bit.
    """
    if len(expression) < 2 or len(original) < 2:
        return expression
    canonical = Canonical.of(neutral)
    before = _shown_gap(original, neutral, canonical)
    gap = _shown_gap(expression, neutral, canonical)
    steps = np.diff(before) * (original_fps / fps)
    slow = limit_rate(gap, max(0.0, float(steps.max())), max(0.0, float(-steps.min())))
    # A frame between two others stands for what the lips do while those two last.
    brief = before - _lasting(before, int(np.ceil(2.0 * original_fps / fps)))
    slow = limit_brief(slow, 1, float(brief.max()))
    fast = slow < gap * (1.0 - _CHANGED)
    result = expression.copy()
    if fast.any():
        face = canonical.to_canonical(neutral) + canonical.displacement_to(expression[fast])
        change = scale_gaps(face, _scale(gap[fast], slow[fast])) - face
        result[fast] += canonical.displacement_from(change).astype(result.dtype)
    return result


def limit_rate(gap: np.ndarray, rise: float, fall: float) -> np.ndarray:
    """The largest curve under `gap` (T,) that rises by `rise` and falls by `fall` a frame at most, (T,)."""
    frames = np.arange(len(gap))
    up = np.minimum.accumulate(gap - rise * frames) + rise * frames
    return (np.minimum.accumulate(up[::-1] - fall * frames) + fall * frames)[::-1]


def limit_brief(gap: np.ndarray, steps: int, height: float) -> np.ndarray:
    """The largest curve under `gap` (T,) that exceeds what it keeps for `steps` frame steps by `height` at most, (T,).

    It keeps the limits that `limit_rate` set: what lasts rises and falls no faster than the gap itself.
    """
    return np.minimum(gap, _lasting(gap, steps) + height)


def _lasting(gap: np.ndarray, steps: int) -> np.ndarray:
    """At each frame, what the gap (T,) does not go below for `steps` frame steps around it: a morphological opening."""
    return np.asarray(grey_opening(gap, size=max(1, steps) + 1))


def _shown_gap(expression: np.ndarray, neutral: np.ndarray, canonical: Canonical) -> np.ndarray:
    """Mean distance (T,) of a face's inner lip pairs, 0 where they cross, canonical units.

    Args:
        expression: (T, 68, 3) px. neutral: (68, 3) px. canonical: the face's frame.
    """
    down = canonical.R[:, 1] / canonical.scale
    apart = neutral[_LOWER] - neutral[_UPPER] + (expression[:, _LOWER] - expression[:, _UPPER])
    return np.maximum((apart @ down).mean(axis=1), 0.0)


def _scale(gap: np.ndarray, slow: np.ndarray) -> np.ndarray:
    """The scale (T, 1) of lip gaps that brings their mean `gap` (T,) down to `slow` (T,)."""
    scale = np.where(gap > 1e-9, slow / np.maximum(gap, 1e-9), 1.0)
    return np.clip(scale, 0.0, 1.0)[:, None]
