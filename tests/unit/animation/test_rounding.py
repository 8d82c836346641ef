"""Lips that round for W, U and O."""

import numpy as np
import pytest
from makeittalk.animation.lips import gaps, shut_mouth
from makeittalk.animation.rounding import NARROWING, rounded_lips, rounding_curve
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.landmarks.ibug68 import LIPS
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.landmarks.measures import mouth_width
from makeittalk.networks.phones import PHONES
from makeittalk.networks.phones_inference import rounding_of


def test_a_round_mouth_is_narrower_and_comes_forward() -> None:
    face = MEAN_FACE + shut_mouth(MEAN_FACE)
    moved = face + rounded_lips(face)
    width = mouth_width(np.stack([face, moved]))
    assert width[1] == pytest.approx((1.0 - NARROWING) * width[0], rel=1e-3)
    assert moved[51, 2] < face[51, 2] and moved[48, 2] == pytest.approx(face[48, 2])
    assert np.abs(gaps(moved)).max() < 1e-9  # what is shut stays shut
    still = np.delete(np.arange(68), LIPS)
    assert (moved[still] == face[still]).all()
    assert moved[48, 1] == face[48, 1]


def test_only_what_is_said_with_round_lips_rounds_them() -> None:
    said = np.eye(len(PHONES), dtype=np.float32)[[PHONES.index(name) for name in ("W", "UW", "IY", "P", "SIL")]]
    assert rounding_of(said).tolist() == [1.0, 1.0, 0.0, 0.0, 0.0]


def test_lips_are_eased_into_it() -> None:
    rounded = np.zeros(100, np.float32)
    rounded[40:60] = 1.0
    curve = rounding_curve(rounded, FRAME_RATE)
    assert curve[50] > 0.95 and curve[30] < 0.01 and 0.3 < curve[40] < 0.7
    assert np.abs(np.diff(curve)).max() < 0.3
