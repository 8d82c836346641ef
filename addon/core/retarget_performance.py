"""A face in motion, as it is put onto another character: named keys, lips in widths of the mouth, what must be kept.

The frontal frame: x right as the viewer sees it (towards the person's left), y down, z away from the viewer. The unit
is the width of the mouth at rest, from corner 48 to corner 54. No bpy here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .errors import AddonError
from .retarget_shapes import canonical_shapes

UPPER_INNER, LOWER_INNER = (61, 62, 63), (67, 66, 65)  # landmarks that meet where lips are shut
SHUT = 0.012  # mouth widths: lips that are no further apart count as shut
_HALF = 0.05  # mouth widths: from here on they count as open


@dataclass(frozen=True)
class Performance:
    """A face in motion.

    Attributes:
        fps: frames/s.
        keys: (T,) values of the keys by their ARKit names, 0 to 1 and beyond; gaze and blinks among them.
        landmarks: (T, 68, 3) displacement from the face with shut lips, mouth widths, frontal frame.
        opening: (T,) largest distance of the three inner pairs of the lips, mouth widths.
        shut: (T,) how much the lips must be shut, 0 (free) to 1 (they meet): P, B, M and wherever they are.
        contact: (T,) how much the lower lip must lie on the upper teeth, 0 to 1: F and V; zeros where unknown.
    """

    fps: float
    keys: dict[str, np.ndarray]
    landmarks: np.ndarray
    opening: np.ndarray
    shut: np.ndarray
    contact: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @property
    def frames(self) -> int:
        return len(self.landmarks)


def performance_of(
    names: Sequence[str],
    values: np.ndarray,
    key_landmarks: np.ndarray,
    neutral: np.ndarray,
    fps: float,
    contact: Sequence[tuple[float, float]] = (),
    closures: Sequence[tuple[float, float]] = (),
) -> Performance:
    """The performance of one of our own characters.

    Args:
        names: (K,) of its keys. values: (T, K) what they are on each frame, rest, amounts and edits included.
        key_landmarks: (K, 68, 3) px, what each moves at 1. neutral: (68, 3) px, its landmarks at rest.
        fps: frames/s. contact: from when to when F and V are said, seconds from the first frame, where it is known.
        closures: the same of P, B and M: on the most shut frame of each the lips meet.

    Raises:
        AddonError: the arrays do not go together.
    """
    values, moves = np.asarray(values, np.float64), np.asarray(key_landmarks, np.float64)
    names = [str(name) for name in names]
    if values.ndim != 2 or moves.shape != (values.shape[1], 68, 3) or len(names) != len(moves):
        raise AddonError("The character's keys and its motion do not go together.", "Make the character anew.")
    to_frontal, width = _frontal(names, moves, np.asarray(neutral, np.float64))
    moved = (moves @ to_frontal) / width
    rest = (np.asarray(neutral, np.float64) @ to_frontal) / width
    displacement = np.einsum("tk,klc->tlc", values, moved)
    gap = lip_gaps(rest + displacement)
    opening = np.maximum(gap, 0.0).max(axis=1)
    from_shut = displacement - _shut_mouth(names, moved, rest)
    shut = np.clip((_HALF - opening) / (_HALF - SHUT), 0.0, 1.0)
    for start, end in closures:
        rows = _rows(start, end, fps, len(shut))
        if len(rows):
            shut[rows[opening[rows].argmin()]] = 1.0
    around = np.maximum(np.pad(shut, (1, 0))[:-1], np.pad(shut, (0, 1))[1:])
    shut = np.maximum(shut, 0.4 * around)  # a closure comes and goes
    touching = np.zeros(len(values))
    for start, end in contact:
        touching[_rows(start, end, fps, len(shut))] = 1.0
    return Performance(
        *(fps, dict(zip(names, values.T, strict=True)), from_shut, opening, shut, _eased(touching, fps)),
    )


def lip_gaps(points: np.ndarray) -> np.ndarray:
    """How far the inner pairs of the lips are apart, downwards positive: (…, 68, 3) → (…, 3)."""
    return np.asarray(points[..., LOWER_INNER, 1] - points[..., UPPER_INNER, 1])


def _shut_mouth(names: Sequence[str], moved: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """What shuts the mouth at rest, (68, 3): the character's own key for it; nothing where it has none."""
    del rest
    return moved[names.index("mouthShut")] if "mouthShut" in names else np.zeros((68, 3))


def _frontal(names: Sequence[str], moves: np.ndarray, neutral: np.ndarray) -> tuple[np.ndarray, float]:
    """What turns px into the frontal frame (3, 3), and the width of the mouth in px.

    The keys are one fixed set that was turned into the portrait's pose, so that they tell this pose.
    """
    known, shapes = canonical_shapes()
    pairs = [(names.index(name), known.index(name)) for name in known if name in names]
    across = neutral[54] - neutral[48]
    if len(pairs) < 3:  # keys of another make: the portrait as it is
        return np.eye(3), float(np.linalg.norm(across))
    here, there = np.array(pairs).T
    left, _, right = np.linalg.svd(moves[here].reshape(-1, 3).T @ shapes[there].reshape(-1, 3))
    turn = left @ np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))]) @ right
    return turn, float(np.linalg.norm(across))


def _rows(start: float, end: float, fps: float, frames: int) -> np.ndarray:
    """The frames from one time to another, half a frame more to either side."""
    times = np.arange(frames) / fps
    return np.flatnonzero((times >= start - 0.5 / fps) & (times <= end + 0.5 / fps))


def _eased(weight: np.ndarray, fps: float) -> np.ndarray:
    """A weight that comes and goes within 60 ms instead of at once."""
    reach = max(1, round(0.06 * fps))
    bell = np.hanning(2 * reach + 3)[1:-1]
    if len(weight) < 1:
        return weight
    padded = np.pad(weight, reach, mode="edge")
    smooth = np.convolve(padded, bell / bell.sum(), mode="valid")
    return np.asarray(np.maximum(smooth, weight * smooth.max(initial=0.0)))
