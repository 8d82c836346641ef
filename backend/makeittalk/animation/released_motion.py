"""A motion from the released networks, with the post-processing that they were released with.

What the released pipeline does at the end, smoothing over 15 and 5 frames, uncrossing the lips and smoothing the head
over 31 frames, is `postprocess.show`, for every motion alike; here is what comes before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import savgol_filter

from ..exchange.constants import FRAME_RATE, LANDMARKS
from ..exchange.progress import Progress, part, silent
from ..landmarks.ibug68 import INNER_PAIRS, LIPS, OUTER_PAIRS
from ..landmarks.pose import neck_pivot, split_pose
from ..landmarks.smoothstep import smoothstep
from ..networks.released_inference import ReleasedSet, released_content, released_features, released_speaker
from ..networks.speech import Speech
from .head_motion import POSED_TOGETHER

_UPPER, _LOWER = np.array([*INNER_PAIRS, *OUTER_PAIRS]).T
_FARTHEST = 0.8  # canonical units, half a face's width: no landmark of a face moves as far
_BRIDGE = (27, 28, 29)  # the nose bridge's top, and the points whose line it continues


@dataclass(frozen=True)
class ReleasedManner:
    """What is done to the released networks' answers; the defaults are the released ones.

    Attributes:
        voice: what the speaker embedding is multiplied by. head: the same of the speaker branch's displacement.
        head_smoothing: frames and order of its smoothing. shut: how far its lips are pulled together, 0–1.
        lips: what the content branch's lips are multiplied by in x and y. lowest: share of a clip, from the lowest
            values of each coordinate on, whose mean is rest. lip_smoothing: frames and order.
        first_blink: s. blink_gaps: shortest and longest time from one blink to the next, s. blink_depth: share of the
            eye's opening that is shut at the deepest. blink_down, blink_up: frames of 16 ms.
    """

    voice: float = 3.0
    head: float = 0.5
    head_smoothing: tuple[int, int] = (31, 3)
    shut: float = 0.99
    lips: float = 2.0
    lowest: float = 0.5
    lip_smoothing: tuple[int, int] = (5, 3)
    first_blink: float = 0.5
    blink_gaps: tuple[float, float] = (1.4, 2.4)
    blink_depth: float = 0.75
    blink_down: int = 10
    blink_up: int = 15


@dataclass
class ReleasedMotion:
    """What the released networks make of a recording and a face, at 62.5 frames/s, canonical.

    Attributes:
        content: (T, 68, 3), lips and jaw. speaker: (T, 68, 3), the rest of the face, the head held still.
        rotation: (T, 3) rad. translation: (T, 3). blink: (T,) lid closure 0–1.
    """

    content: np.ndarray
    speaker: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    blink: np.ndarray


def released_motion(
    models: ReleasedSet,
    speech: Speech,
    face: np.ndarray,
    seed: int = 0,
    progress: Progress = silent,
    manner: ReleasedManner | None = None,
) -> ReleasedMotion:
    """How a face moves that says what a recording says.

    Args:
        speech: the recording, and the voice whose manner the head takes on. face: (68, 3) at rest, canonical, frontal.
        seed: of the blinks, which alone are drawn.
    """
    manner = manner or ReleasedManner()
    axes = models.statistics.axes().astype(np.float32)
    features = released_features(models, speech, part(progress, 0.0, 0.4))
    moved = released_speaker(models.speaker, features, manner.voice * speech.style_embedding, part(progress, 0.4, 0.7))
    rotation, translation, speaker = split_speaker(moved * axes, face, manner)
    del moved
    given = models.statistics.face(face)
    lips = shaped_lips(released_content(models.content, features, given, part(progress, 0.7, 1.0)), manner)
    lips *= axes
    return ReleasedMotion(lips, speaker, rotation, translation, released_blinks(len(features), seed, manner))


def shaped_lips(moved: np.ndarray, manner: ReleasedManner) -> np.ndarray:
    """The content branch's displacement (T, 68, 3), in the networks' own frame, re-centred, smoothed, its lips larger.

    It is changed in place.
    """
    half = max(1, int(manner.lowest * len(moved)))
    for point in range(LANDMARKS if len(moved) else 0):  # one after another: hours of all of them are large
        lowest = np.partition(moved[:, point], half - 1, axis=0)[:half]
        moved[:, point] = _smooth(moved[:, point] - lowest.mean(0, dtype=np.float64), manner.lip_smoothing)
    moved[:, LIPS, :2] *= manner.lips
    _straighten(moved)
    return np.clip(moved, -_FARTHEST, _FARTHEST, out=moved)


def split_speaker(
    moved: np.ndarray, face: np.ndarray, manner: ReleasedManner
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The head's motion, and what else the speaker branch moves in a face (68, 3), its lips left to the content branch.

    Args:
        moved: (T, 68, 3) canonical displacement with the head's motion in it; it is changed.

    Returns:
        rotation (T, 3) rad, translation (T, 3), and displacement (T, 68, 3) with the head held still, smoothed.
    """
    face = np.asarray(face, np.float64)
    moved *= np.float32(manner.head)
    pivot = neck_pivot(face)
    rotation, translation = np.zeros((2, len(moved), 3), np.float32)
    for start in range(0, len(moved), POSED_TOGETHER):
        some = slice(start, start + POSED_TOGETHER)
        rotation[some], translation[some], moved[some] = split_pose(face + moved[some], face, pivot)
    # Pairs of lips move apart as the head turns, too: they are pulled together once it is held still.
    middle = 0.5 * (moved[:, _UPPER] + moved[:, _LOWER])
    for points in (_UPPER, _LOWER):
        moved[:, points] += np.float32(manner.shut) * (middle - moved[:, points])
    _straighten(moved)
    for point in range(LANDMARKS):
        moved[:, point] = _smooth(moved[:, point], manner.head_smoothing)
    np.clip(translation, -_FARTHEST, _FARTHEST, out=translation)
    return rotation, translation, np.clip(moved, -_FARTHEST, _FARTHEST, out=moved)


def released_blinks(frames: int, seed: int, manner: ReleasedManner) -> np.ndarray:
    """Blinks of chance: lid closure (T,) float32, 0 open, `manner.blink_depth` at the deepest."""
    closure = np.zeros(frames, np.float32)
    shortest, longest = manner.blink_gaps
    random = np.random.default_rng([seed, 0xB12])
    count = int(frames / FRAME_RATE / shortest) + 2
    starts = manner.first_blink + np.concatenate([[0.0], np.cumsum(random.uniform(shortest, longest, count))])
    down, up = manner.blink_down, manner.blink_up
    steps = np.arange(down + up + 1)
    shape = manner.blink_depth * smoothstep(np.minimum(steps / down, (down + up - steps) / up))
    numbers = np.rint(starts * FRAME_RATE).astype(int)[:, None] + steps
    inside = numbers < frames
    np.maximum.at(closure, numbers[inside], np.broadcast_to(shape, numbers.shape)[inside].astype(np.float32))
    return closure


def _straighten(moved: np.ndarray) -> None:
    """Lets the top of the nose bridge, which networks place badly, continue the line of the points below it."""
    top, below, next_below = _BRIDGE
    moved[:, top] = 2.0 * moved[:, below] - moved[:, next_below]


def _smooth(values: np.ndarray, smoothing: tuple[int, int]) -> np.ndarray:
    """Savitzky–Golay over time of (T, 3); a recording shorter than the window stays as it is."""
    frames, order = smoothing
    if len(values) < frames:
        return values
    return np.asarray(savgol_filter(values, frames, order, axis=0, mode="nearest"))
