"""Closures: whatever the portrait and the prediction, lips that should meet do meet."""

from __future__ import annotations

import numpy as np
import pytest
from faces import portrait
from makeittalk.animation.lips import close_lips, closure_curve, gaps, resample_closures, shut_mouth
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.landmarks.ibug68 import INNER_PAIRS
from makeittalk.landmarks.measures import mouth_width, opening
from makeittalk.landmarks.pose import Canonical

UPPER = [pair[0] for pair in INNER_PAIRS]
LOWER = [pair[1] for pair in INNER_PAIRS]


def speech(gap: np.ndarray, skew: float = 0.0) -> np.ndarray:
    """Content whose middle gap follows `gap`; a skew moves the pairs apart sideways."""
    content = np.zeros((len(gap), 68, 3))
    content[:, UPPER, 1] = -0.4 * gap[:, None]
    content[:, LOWER, 1] = 0.6 * gap[:, None]
    content[:, LOWER, 0] = skew
    return content


@pytest.mark.parametrize("gape", [0.0, 0.05, 0.15, 0.3])
@pytest.mark.parametrize("turn", [(0, 0, 0), (10, 25, -8)])
def test_a_gaping_portrait_shuts(gape: float, turn: tuple[float, float, float]) -> None:
    neutral = portrait(turn, gape=gape)
    canonical = Canonical.of(neutral)
    frontal = canonical.to_canonical(neutral)
    shut = frontal + shut_mouth(frontal)
    assert np.abs(shut[UPPER] - shut[LOWER]).max() < 1e-9
    back = canonical.from_canonical(shut)
    assert opening(back) / mouth_width(back) < 1e-6
    # Lips keep their order: no outer lip inside the inner one.
    assert (shut[[50, 51, 52], 1] <= shut[UPPER, 1] + 1e-9).all()
    assert (shut[[58, 57, 56], 1] >= shut[LOWER, 1] - 1e-9).all()


def test_the_eyes_and_nose_stay_when_the_mouth_shuts() -> None:
    delta = shut_mouth(Canonical.of(portrait(gape=0.2)).to_canonical(portrait(gape=0.2)))
    assert np.abs(delta[17:48]).max() == 0.0
    assert np.abs(delta[[0, 1, 2, 14, 15, 16]]).max() == 0.0


def test_shallow_dips_are_completed_and_the_vowels_kept() -> None:
    time = np.arange(int(2 * FRAME_RATE)) / FRAME_RATE
    gap = 0.13 - 0.10 * np.exp(-(((time - 1.0) / 0.04) ** 2))  # a P that the network only hints at: down to 0.03
    closed = close_lips(speech(gap, skew=0.01), FRAME_RATE)
    result = gaps(closed).mean(axis=1)
    assert result[np.abs(time - 1.0) < 0.02].max() < 1e-6
    assert np.abs(result[np.abs(time - 1.0) > 0.2] - 0.13).max() < 0.01
    frame = int(np.argmin(result))
    assert np.abs(closed[frame, UPPER] - closed[frame, LOWER]).max() < 1e-6  # sideways too


def test_a_mild_dip_between_two_vowels_is_no_closure() -> None:
    time = np.arange(125) / FRAME_RATE
    gap = 0.14 - 0.03 * np.exp(-(((time - 1.0) / 0.05) ** 2))
    assert closure_curve(gap, FRAME_RATE).max() == 0.0
    assert np.allclose(gaps(close_lips(speech(gap), FRAME_RATE)).mean(axis=1), gap, atol=1e-6)


def test_lips_never_cross() -> None:
    random = np.random.default_rng(1)
    content = random.normal(0.0, 0.05, (400, 68, 3))
    assert gaps(close_lips(content, FRAME_RATE)).min() > -1e-9


def test_a_mouth_that_hangs_open_by_a_bias_rests_shut() -> None:
    gap = np.full(200, 0.012)
    gap[80:120] += 0.1 * np.hanning(40)
    result = gaps(close_lips(speech(gap), FRAME_RATE)).mean(axis=1)
    assert result[:70].max() < 1e-6
    assert result[95:105].mean() > 0.09


def test_a_closure_between_two_frames_is_kept() -> None:
    fps = 24.0
    time = np.arange(200) / FRAME_RATE
    gap = np.full(200, 0.3)
    gap[np.abs(time - 1.0 - 0.5 / fps) < 0.010] = 0.0  # exactly between two frames of the scene
    times = np.arange(70) / fps
    shown = resample_closures(times, gap, FRAME_RATE, 0.02)
    assert np.abs(shown - times).max() <= 0.5 / fps + 1e-9
    assert (np.interp(shown, time, gap) < 0.02).any()
    assert not (np.interp(times, time, gap) < 0.02).any()
    assert (np.diff(shown) > -1e-9).all()
