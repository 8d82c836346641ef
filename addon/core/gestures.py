"""Gestures as a few keys a channel, in seconds and at a strength: nod, shake, blink, smile and others. No bpy here.

Channels are shape keys by name, and the head's axes `nod`, `turn` and `tilt`. Every stroke begins and ends at 0: it is
added to whatever moves there already. None of them opens the mouth, so that P, B and M stay shut.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

NOD, TURN, TILT = "nod", "turn", "tilt"

# Radians at strength 1: clearly seen, and within the ±20° that the picture's depth bears on top of speech.
_NOD_ANGLE = 0.16
_SHAKE_ANGLE = 0.16
_TILT_ANGLE = 0.17
_LOOK_ANGLE = 0.24
_LOOK_PITCH = 0.16
_REBOUND = -0.22  # how far a nod swings back above where it began
_FADE = 0.75  # what each further swing keeps of the one before

# Seconds.
_TILT_ATTACK, _TILT_RELEASE = 0.35, 0.45
_LOOK_ATTACK, _LOOK_RELEASE = 0.25, 0.35
_BROW_ATTACK, _BROW_RELEASE = 0.14, 0.30
_LID_CLOSE, _LID_OPEN = 0.08, 0.14  # lids close faster than they open
_SMILE_ATTACK, _SMILE_RELEASE = 0.30, 0.50
_SURPRISE_ATTACK, _SURPRISE_RELEASE = 0.12, 0.45


def _both(**values: float) -> dict[str, float]:
    return {f"{name}{side}": value for name, value in values.items() for side in ("Left", "Right")}


_RAISED_BROWS = {"browInnerUp": 0.9, **_both(browOuterUp=0.8)}
_SMILE = _both(mouthSmile=0.75, mouthDimple=0.2, eyeSquint=0.45, cheekSquint=0.4)
_FROWN = _both(mouthFrown=1.0, browDown=1.1)
_SURPRISE = {"browInnerUp": 1.0, **_both(browOuterUp=1.2, eyeWide=1.3)}


@dataclass(frozen=True)
class Stroke:
    """What one channel does: `seconds` (n,) from the gesture's beginning, `values` (n,), the first and the last 0."""

    channel: str
    seconds: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Gesture:
    """A gesture as a button offers it.

    Attributes:
        label, description: texts. length: usual length, s. directions: which it can take, the usual one first.
        repeats: how often it swings as a rule; 0 where it does not.
    """

    label: str
    description: str
    length: float
    directions: tuple[str, ...] = ()
    repeats: int = 0


GESTURES = {
    "NOD": Gesture("Nod", "Nod with the head", 0.7, ("DOWN", "UP"), 1),
    "SHAKE": Gesture("Shake", "Shake the head", 1.1, ("LEFT", "RIGHT"), 2),
    "TILT": Gesture("Tilt", "Tilt the head to one shoulder, and back", 1.8, ("LEFT", "RIGHT")),
    "LOOK_AWAY": Gesture("Look Away", "Turn the head away, and back", 1.8, ("LEFT", "RIGHT", "UP", "DOWN")),
    "BROWS": Gesture("Raise Brows", "Raise both brows", 0.8),
    "BLINK": Gesture("Blink", "Blink with both eyes", 0.28),
    "SMILE": Gesture("Smile", "Smile", 2.5),
    "FROWN": Gesture("Frown", "Frown: brows and corners of the mouth go down", 2.5),
    "SURPRISE": Gesture("Surprise", "Brows up and eyes wide; the mouth goes on speaking", 1.5),
}


def strokes(kind: str, strength: float, length: float, direction: str = "", repeats: int = 1) -> list[Stroke]:
    """The keys of a gesture.

    Args:
        kind: a name of `GESTURES`. strength: 1 is natural. length: s. direction: LEFT and RIGHT are the picture's.
        repeats: how many swings a nod or a shake has.
    """
    direction = direction or next(iter(GESTURES[kind].directions), "")
    sideways = {"LEFT": -1.0, "RIGHT": 1.0}.get(direction, 0.0)
    downwards = {"UP": -1.0, "DOWN": 1.0}.get(direction, 0.0)
    if kind == "NOD":
        return [_swing(NOD, strength * _NOD_ANGLE * (downwards or 1.0), _REBOUND, length, repeats)]
    if kind == "SHAKE":
        return [_swing(TURN, strength * _SHAKE_ANGLE * (sideways or -1.0), -1.0, length, repeats)]
    if kind == "TILT":
        # Around the axis that points at the viewer, a positive angle brings the top of the head to the left.
        return envelope({TILT: -_TILT_ANGLE * (sideways or -1.0)}, strength, length, _TILT_ATTACK, _TILT_RELEASE)
    if kind == "LOOK_AWAY":
        axes = {TURN: _LOOK_ANGLE * sideways, NOD: _LOOK_PITCH * (downwards or 0.3 * abs(sideways))}
        return envelope(axes, strength, length, _LOOK_ATTACK, _LOOK_RELEASE)
    channels, attack, release = {
        "BROWS": (_RAISED_BROWS, _BROW_ATTACK, _BROW_RELEASE),
        "BLINK": (_both(eyeBlink=1.0), _LID_CLOSE, _LID_OPEN),
        "SMILE": (_SMILE, _SMILE_ATTACK, _SMILE_RELEASE),
        "FROWN": (_FROWN, _SMILE_ATTACK, _SMILE_RELEASE),
        "SURPRISE": (_SURPRISE, _SURPRISE_ATTACK, _SURPRISE_RELEASE),
    }[kind]
    return envelope(channels, strength, length, attack, release)


def envelope(
    values: Mapping[str, float], strength: float, length: float, attack: float, release: float
) -> list[Stroke]:
    """Channels that rise to a value, hold it and fall back; attack and release (s) share too short a length."""
    share = min(1.0, length / (attack + release))
    seconds = np.array([0.0, attack * share, length - release * share, length])
    shape = np.array([0.0, 1.0, 1.0, 0.0])
    return [Stroke(name, seconds, strength * value * shape) for name, value in values.items() if value]


def on_frames(stroke: Stroke, start: float, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """The keys of a stroke on whole frames, one a frame.

    Returns:
        frames (m,) and values (m,); of keys that meet on one frame the one furthest from 0 is kept.
    """
    frames = np.round(start + stroke.seconds * fps)
    found = {}
    for frame, value in zip(frames.tolist(), stroke.values.tolist(), strict=True):
        if frame not in found or abs(value) > abs(found[frame]):
            found[frame] = value
    if stroke.values.any() and found[frames[0]]:  # shorter than two frames: the neutral ends go around it
        found[frames[0] - 1] = 0.0
    if stroke.values.any() and found[frames[-1]]:
        found[frames[-1] + 1] = 0.0
    times = np.array(sorted(found))
    return times, np.array([found[time] for time in times])


def _swing(channel: str, height: float, back: float, length: float, repeats: int) -> Stroke:
    """There and back several times, less each time, ending at rest."""
    peaks = [height * _FADE**turn * share for turn in range(max(1, repeats)) for share in (1.0, back)]
    values = np.array([0.0, *peaks, 0.0])
    return Stroke(channel, np.linspace(0.0, length, len(values)), values)
