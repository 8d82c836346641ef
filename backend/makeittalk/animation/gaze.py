"""The gaze: keys that turn the eyes, and small movements of eyes that look at a listener while they speak."""

from __future__ import annotations

import numpy as np

from ..exchange.constants import GAZE_KEYS
from ..landmarks.ibug68 import LID_PAIRS
from ..landmarks.smoothstep import smoothstep

GAZE_RANGE = (0.0, 1.0)  # at 1 the iris is at the edge of what the eye shows
#: How far the lids go with the eyes at 1, shares of the opening: upper, lower; down is positive.
_LIDS = {"Up": (-0.16, -0.05), "Down": (0.45, 0.08)}
_BEFORE = "residual"  # keys without a meaning of their own stand last

_STREAM = 0x6A2E  # of the random numbers, so that they are not those of head and blinks
_FIXATION = (0.3, 2.0)  # s
_AT_VIEWER, _AWAY = 1.1, 0.35  # s beyond the shortest, in the mean
_HASTE = 0.6  # of that, in a pause
_GLANCES = (0.35, 0.7)  # how likely the next shift goes aside: while words come, in a pause
_SIZE = 6.9  # degrees: A = -6.9 ln(P / 15.7), their figure 6
_SMALL, _LARGE = (1.0, 4.5), (2.0, 8.0)  # degrees, while words come and in a pause
_DRIFT = 1.0  # degrees: on the viewer, from one eye of his to the other
_FLAT = 0.7  # of a glance up or down: portraits show little of it
#: How often they go to the right, right and up, up, …, their table 2, summed.
_DIRECTIONS = np.cumsum([15.54, 6.46, 17.69, 7.44, 16.80, 7.89, 20.38, 7.79])
_LEAST, _PER_DEGREE = 0.025, 0.0024  # s: D = 25 ms + 2.4 ms a degree
_WITH_BLINK = 0.6  # how likely a blink hides a shift
_STEADY = 0.65  # of the head's turn that the eyes take back; the rest is a look that goes with the head


def with_gaze_keys(
    neutral: np.ndarray, names: np.ndarray, moves: np.ndarray, limits: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The shape keys of a portrait with those of the gaze among them.

    What they do to the landmarks is what the lids do; the irises are the mesh's.

    Args:
        neutral: (68, 3) px. names: (K,). moves: (K, 68, 3) px. limits: (K, 2).

    Returns:
        the same, with K + 8 keys.
    """
    own = np.stack([_lids(neutral, key) for key in GAZE_KEYS])
    place = next((i for i, name in enumerate(names) if str(name).startswith(_BEFORE)), len(names))
    return (
        np.insert(names.astype("U64"), place, GAZE_KEYS),
        np.insert(moves, [place] * len(own), own, axis=0).astype(moves.dtype),
        np.insert(limits, [place] * len(own), np.array(GAZE_RANGE), axis=0).astype(limits.dtype),
    )


def _lids(neutral: np.ndarray, key: str) -> np.ndarray:
    """What a key of the gaze does to the lids: (68, 3) px."""
    moved = np.zeros_like(neutral)
    for way, (above, below) in _LIDS.items():
        if not key.startswith(f"eyeLook{way}"):
            continue
        for upper, lower in LID_PAIRS:
            if (upper >= 42) == key.endswith("Left"):
                gap = neutral[lower] - neutral[upper]
                moved[upper], moved[lower] = above * gap, below * gap
    return moved


def saccades(seed: int, speaking: np.ndarray, blink: np.ndarray, fps: float) -> np.ndarray:
    """Where the eyes of somebody who talks to a viewer wander, apart from what the head does.

    They rest on the viewer and glance aside in turns, seldom and little while words come, more in pauses, where
    speakers think of what comes next; a blink often hides a shift. Size, direction and duration are those of Lee,
    Badler and Badler, "Eyes Alive" (2002), sizes cut to what suits a head that talks to its viewer.

    Args:
        seed: not negative; a longer recording begins as a shorter one does. speaking: (T,) bool, whether anybody is
            heard. blink: (T,) lid closure 0–1. fps: frames/s of both.

    Returns:
        (T, 2) float32 rad: to the right of the picture, down.
    """
    frames = len(speaking)
    if not frames:
        return np.zeros((0, 2), np.float32)
    length = frames / fps
    drawn = np.random.default_rng([seed, _STREAM]).random((int(length / _FIXATION[0]) + 2, 6))
    blinks = np.flatnonzero(_begins(blink > 0.5 * max(float(blink.max()), 1e-6))) / fps
    track = np.zeros((frames, 2))
    time, now, away = 0.0, np.zeros(2), False
    for chance in drawn:
        pause = not speaking[min(frames - 1, int(time * fps))]
        mean = (_AWAY if away else _AT_VIEWER) * (_HASTE if pause else 1.0)
        lasts = min(_FIXATION[1], _FIXATION[0] - mean * np.log(1.0 - chance[0]))
        until = time + lasts
        hidden = blinks[(blinks > time + _FIXATION[0]) & (blinks < time + _FIXATION[1])]
        if len(hidden) and chance[1] < _WITH_BLINK:
            until = float(hidden[0])
        begin = int(np.ceil(until * fps))
        if begin >= frames:
            break
        silent = not speaking[begin]
        away = not away and (chance[2] < (_GLANCES[1] if silent else _GLANCES[0]) or len(hidden) > 0)
        if away:
            size = np.clip(-_SIZE * np.log(chance[3] * (1 - 1e-3) + 1e-3), *(_LARGE if silent else _SMALL))
            angle = np.deg2rad(45.0 * np.searchsorted(_DIRECTIONS, chance[4] * _DIRECTIONS[-1]))
            aim = size * np.array([np.cos(angle), -_FLAT * np.sin(angle)])
        else:
            aim = _DRIFT * np.array([chance[3] - 0.5, chance[4] - 0.5])
        shift = aim - now
        duration = _LEAST + _PER_DEGREE * float(np.linalg.norm(shift))
        since = (np.arange(begin, frames) / fps - until) / duration
        stop = begin + int(np.ceil(duration * fps)) + 1
        track[begin:stop] = now + smoothstep(since[: stop - begin])[:, None] * shift
        track[stop:] = aim
        time, now = until, aim
    return np.deg2rad(track).astype(np.float32)


def shown_gaze(wandering: np.ndarray, head_rotation: np.ndarray) -> np.ndarray:
    """The eyes in the head: where they wander, and most of the head's turn taken back, so that they stay on the viewer.

    Args:
        wandering: (T, 2) rad, see `saccades`. head_rotation: (T, 3) rad, as the head is shown.

    Returns:
        (T, 2) float32 rad.
    """
    # A positive turn about x is a nod down, one about y a look to the left of the picture.
    turned = np.stack([-head_rotation[:, 1], head_rotation[:, 0]], axis=1)
    return np.asarray(wandering - _STEADY * turned, np.float32)


def _begins(on: np.ndarray) -> np.ndarray:
    """Where each stretch of a (T,) bool begins."""
    return np.asarray(on & ~np.concatenate([[False], on[:-1]]))
