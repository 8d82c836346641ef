"""A face through seven clicked points: hit exactly, in every pose, and refused where they form none."""

from __future__ import annotations

import numpy as np
import pytest
from faces import portrait
from makeittalk.exchange.constants import CLICKS
from makeittalk.exchange.errors import InputError
from makeittalk.landmarks.few_points import few_points, place_landmarks
from makeittalk.landmarks.ibug68 import INNER_PAIRS, MIRROR
from makeittalk.landmarks.measures import mouth_width
from makeittalk.landmarks.pose import Canonical

#: A drawing: huge eyes far apart, hardly a nose, a wide mouth low down. Px, in the order of CLICKS.
DRAWN = np.array([(120, 180), (300, 190), (205, 260), (130, 330), (290, 338), (212, 345), (210, 400)], float)


def turned(clicks: np.ndarray, degrees: float) -> np.ndarray:
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return (clicks - 200.0) @ np.array([[cos, sin], [-sin, cos]]) + 200.0


@pytest.mark.parametrize("degrees", [0, 25, -40, 90, 180])
@pytest.mark.parametrize("scale", [0.3, 1.0, 15.0])
def test_every_click_is_hit(degrees, scale):
    clicks = scale * turned(DRAWN, degrees)
    face = place_landmarks(clicks)
    assert face.shape == (68, 3) and face.dtype == np.float32
    np.testing.assert_allclose(few_points(face), clicks, atol=2e-3 * scale)
    assert abs(face[0, 2] + face[16, 2]) < 1e-3 * scale and face[30, 2] < face[36, 2] < 0


def test_a_mean_face_comes_back():
    """Photographed from the front and from the side, a face is found again from its seven points."""
    for yaw, most in ((0, 0.002), (25, 0.03), (-40, 0.04)):
        face = portrait((0, yaw, 8))
        found = place_landmarks(few_points(face))
        distances = np.linalg.norm(found[:, :2] - face[:, :2], axis=1)
        assert distances.mean() < most * 256, (yaw, distances.mean())
        across = Canonical.of(found).R[:, 2]
        assert abs(np.degrees(np.arctan2(across[0], across[2]))) == pytest.approx(abs(yaw), abs=8)


def test_parts_keep_their_order():
    face = place_landmarks(DRAWN)
    canonical = Canonical.of(face).to_canonical(face)
    assert (np.diff(canonical[2:15, 0]) > 0).all()  # the jaw from side to side
    assert canonical[17:27, 1].max() < canonical[36:48, 1].min() < canonical[48:68, 1].min() < canonical[8, 1]
    for upper, lower in INNER_PAIRS:
        assert canonical[upper, 1] <= canonical[lower, 1]
    assert mouth_width(face) == pytest.approx(np.linalg.norm(DRAWN[4] - DRAWN[3]), rel=1e-3)
    level = portrait()
    level = place_landmarks(few_points(level))
    np.testing.assert_allclose(level[MIRROR, 0], 512 - level[:, 0], atol=0.1)


@pytest.mark.parametrize("pair", [(0, 1), (3, 4)])
def test_left_and_right_are_exchanged_where_they_were_confused(pair):
    for degrees in (0, 170):
        clicks = turned(DRAWN, degrees)
        confused = clicks.copy()
        confused[list(pair)] = confused[list(pair)[::-1]]
        np.testing.assert_array_equal(place_landmarks(confused), place_landmarks(clicks))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({1: (120.5, 180.5)}, "middle of the right eye and the middle of the left eye are the same point"),
        ({5: (130, 330)}, "right corner of the mouth and the middle of the mouth are the same point"),
        ({6: (210, 60)}, "do not follow one another"),
        ({2: (205, 380)}, "do not follow one another"),
        ({0: (206, 120), 1: (207, 200)}, "line to the chin"),
        ({3: (np.nan, 3)}, "seven points"),
    ],
)
def test_what_is_no_face_is_refused_in_a_sentence(change, said):
    clicks = DRAWN.copy()
    for index, place in change.items():
        clicks[index] = place
    with pytest.raises(InputError, match=said) as raised:
        place_landmarks(clicks)
    assert "Click the seven points again" in raised.value.hint
    with pytest.raises(InputError):
        place_landmarks(clicks[: len(CLICKS) - 1])
