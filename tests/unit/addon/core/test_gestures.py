"""Gestures as keys."""

from __future__ import annotations

import numpy as np
import pytest
from extension import part_outside

gestures = part_outside("addon.core.gestures")
regions = part_outside("addon.core.regions")
KINDS = list(gestures.GESTURES)


def every(kind: str):
    for direction in gestures.GESTURES[kind].directions or ("",):
        for length in (0.02, 0.3, 2.0, 20.0):
            yield from gestures.strokes(kind, 1.0, length, direction, gestures.GESTURES[kind].repeats)


@pytest.mark.parametrize("kind", KINDS)
def test_a_gesture_begins_and_ends_at_rest(kind):
    for stroke in every(kind):
        assert stroke.values[0] == stroke.values[-1] == 0.0 and stroke.values.any()
        assert (np.diff(stroke.seconds) >= 0.0).all()


@pytest.mark.parametrize("fps", [8.0, 24.0, 60.0])
@pytest.mark.parametrize("kind", KINDS)
def test_it_lands_on_whole_frames_however_short(kind, fps):
    for stroke in every(kind):
        frames, values = gestures.on_frames(stroke, 17.0, fps)
        assert (np.diff(frames) >= 1.0).all() and (frames == frames.round()).all()
        assert values[0] == values[-1] == 0.0 and values.any()


def test_strength_and_direction():
    (half,), (whole,) = (gestures.strokes("NOD", strength, 0.7) for strength in (0.5, 1.0))
    np.testing.assert_allclose(2.0 * half.values, whole.values)
    assert whole.values.max() > -whole.values.min()  # further down than it swings back
    (left,), (right,) = (gestures.strokes("TILT", 1.0, 1.8, side) for side in ("LEFT", "RIGHT"))
    np.testing.assert_allclose(left.values, -right.values)
    turn, nod = gestures.strokes("LOOK_AWAY", 1.0, 1.8, "LEFT")
    assert turn.channel == "turn" and turn.values.min() < 0.0 and nod.values.max() > 0.0
    (up,) = gestures.strokes("LOOK_AWAY", 1.0, 1.8, "UP")
    assert up.channel == "nod" and up.values.min() < 0.0


def test_shaking_goes_both_ways_as_often_as_asked():
    (stroke,) = gestures.strokes("SHAKE", 1.0, 1.1, "LEFT", 3)
    assert len(stroke.values) == 8 and (np.diff(np.sign(stroke.values[1:-1])) != 0).all()


def test_no_gesture_opens_the_mouth():
    """What moves the jaw or parts the lips would leave P, B and M open."""
    moved = {stroke.channel for kind in KINDS for stroke in every(kind)} - {"nod", "turn", "tilt"}
    parting = ("jaw", "mouthLower", "mouthUpper", "mouthFunnel", "mouthRoll", "mouthShrug", "noseSneer")
    assert moved and not [name for name in moved if name.startswith(parting)]


@pytest.mark.parametrize(
    ("path", "index", "region", "label"),
    [
        ('key_blocks["jawOpen"].value', 0, "Jaw and Mouth", "jawOpen"),
        ('key_blocks["mouthSmileLeft"].value', 0, "Lips", "mouthSmileLeft"),
        ('key_blocks["browInnerUp"].value', 0, "Brows", "browInnerUp"),
        ('key_blocks["residual07"].value', 0, "Detail", "residual07"),
        ('key_blocks["my \\"own\\""].value', 0, "Other", 'my "own"'),
        ('pose.bones["head"].rotation_euler', 1, "Head", "Turn"),
        ('pose.bones["head"].location', 2, "Head", "Sway Z"),
        ("makeittalk.still", 0, "Head", "Hold Still"),
        ("makeittalk.eyes_open", 0, "Eyes", "No Blink"),
        ("makeittalk.lip", 0, "Amounts", "Amount of Lip"),
    ],
)
def test_regions(path, index, region, label):
    assert (regions.region(path), regions.label(path, index)) == (region, label)
    assert region in regions.ORDER


def test_names_of_both_sides_are_one():
    names = ["eyeSquintRight", "eyeSquintLeft", "mouthLeft", "jawOpen", "jawOpen", "mouthSmileLeft"]
    assert regions.sides_joined(names) == ["eyeSquint", "mouthLeft", "jawOpen", "mouthSmileLeft"]
