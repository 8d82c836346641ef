"""What comes between the released networks and the face that is shown."""

import numpy as np
import pytest
from makeittalk.animation.released_motion import ReleasedManner, released_blinks, shaped_lips, split_speaker
from makeittalk.landmarks.ibug68 import INNER_PAIRS, OUTER_PAIRS
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.landmarks.pose import compose_pose, neck_pivot

PLAIN = ReleasedManner(head=1.0, head_smoothing=(3, 2), shut=0.0, lips=1.0, lip_smoothing=(3, 2))
MANNER = ReleasedManner()


def wander(frames, size=0.02, seed=0):
    """Slow motion of every landmark."""
    random = np.random.default_rng(seed)
    phase = np.arange(frames)[:, None, None] / 62.5 * random.uniform(1.0, 4.0, (68, 3)) + random.uniform(0, 6, (68, 3))
    return (size * np.sin(phase)).astype(np.float32)


def test_the_lowest_half_of_a_clip_is_rest():
    moved = np.zeros((40, 68, 3), np.float32)
    moved[:, :, 0] = 0.01 * np.arange(40)[:, None]  # the lowest half is 0 … 0.19: 0.095 in the mean
    moved[:, :, 1] = 5.0
    found = shaped_lips(moved.copy(), PLAIN)
    assert np.abs(found[:, 5, 0] - 0.01 * (np.arange(40) - 9.5)).max() < 1e-6
    assert np.abs(found[..., 1:]).max() < 1e-5
    assert shaped_lips(np.zeros((0, 68, 3), np.float32), MANNER).shape == (0, 68, 3)
    assert np.abs(shaped_lips(np.ones((1, 68, 3), np.float32), MANNER)).max() < 1e-6


def test_lips_are_larger_in_the_plane_and_nothing_else_is():
    moved = wander(200)
    once, twice = (shaped_lips(moved.copy(), ReleasedManner(lips=amount)) for amount in (1.0, 2.0))
    assert np.abs(twice[:, 48:, :2] - 2 * once[:, 48:, :2]).max() < 1e-6
    assert np.array_equal(twice[:, :48], once[:, :48]) and np.array_equal(twice[..., 2], once[..., 2])
    for found in (once, twice):
        assert np.abs(found[:, 27] - 2 * found[:, 28] + found[:, 29]).max() < 1e-6


def test_lips_are_smoothed_over_five_frames():
    noise = (0.1 * np.random.default_rng(0).normal(size=(300, 68, 3))).astype(np.float32)
    found = shaped_lips(noise.copy(), ReleasedManner(lips=1.0))
    # A cubic over five frames leaves 17/35 of the noise's variance.
    assert found[5:-5, 30].var() == pytest.approx(0.01 * 17 / 35, rel=0.1)


@pytest.mark.parametrize("shut", [0.0, 0.99, 1.0])
def test_the_head_is_split_off_and_its_lips_are_shut(shut):
    moved = wander(120)
    pivot = neck_pivot(MEAN_FACE)
    turned = np.stack([0.1 * np.sin(np.arange(120) / 30 + phase) for phase in (0, 1, 2)], 1)
    shift = np.zeros((120, 3))
    delta = compose_pose(MEAN_FACE, np.zeros((120, 68, 3)), turned, shift, pivot) - MEAN_FACE
    given = (delta + 0.1 * moved).astype(np.float32)
    rotation, translation, left = split_speaker(given.copy(), MEAN_FACE, ReleasedManner(head=1.0, shut=shut))
    assert np.degrees(np.abs(rotation - turned).max()) < 0.6 and np.abs(translation).max() < 0.02
    assert np.abs(left).max() < 0.02
    upper, lower = np.array([*INNER_PAIRS, *OUTER_PAIRS]).T
    apart = np.abs(left[:, upper] - left[:, lower]).max()
    assert apart == pytest.approx((1.0 - shut) * open_apart(given), abs=1e-6)


def open_apart(given):
    """How far the speaker branch itself moves a pair of lips apart, the head held still."""
    left = split_speaker(given.copy(), MEAN_FACE, ReleasedManner(head=1.0, shut=0.0))[2]
    upper, lower = np.array([*INNER_PAIRS, *OUTER_PAIRS]).T
    apart = np.abs(left[:, upper] - left[:, lower]).max()
    assert apart > 0.002
    return apart


def test_a_still_head_shuts_its_lips():
    moved = np.zeros((60, 68, 3), np.float32)
    for upper, lower in (*INNER_PAIRS, *OUTER_PAIRS):
        moved[:, upper, 1], moved[:, lower, 1] = -0.01, 0.03
    _, _, left = split_speaker(moved.copy(), MEAN_FACE, ReleasedManner(head=1.0))
    upper, lower = np.array(INNER_PAIRS).T
    assert np.abs(left[:, lower, 1] - left[:, upper, 1] - 0.0004).max() < 1e-5
    assert np.abs(left[:, lower, 1] - 0.01).max() < 1e-3  # where both meet


def test_half_of_the_head_is_shown():
    pivot = neck_pivot(MEAN_FACE)
    turned = np.tile([[0.0, 0.08, 0.0]], (50, 1))
    delta = compose_pose(MEAN_FACE, np.zeros((50, 68, 3)), turned, np.zeros((50, 3)), pivot) - MEAN_FACE
    rotation, _, _ = split_speaker(delta.astype(np.float32), MEAN_FACE, MANNER)
    assert rotation[:, 1] == pytest.approx(0.04, rel=0.03)


def test_no_landmark_moves_further_than_half_a_face():
    """Networks of chance, or damaged ones, must not throw the mesh about."""
    wild = (1000 * np.random.default_rng(0).normal(size=(90, 68, 3))).astype(np.float32)
    assert np.abs(shaped_lips(wild.copy(), MANNER)).max() <= np.float32(0.8)
    rotation, translation, left = split_speaker(wild.copy(), MEAN_FACE, MANNER)
    assert np.isfinite(rotation).all()
    assert np.abs(translation).max() <= np.float32(0.8) and np.abs(left).max() <= np.float32(0.8)


def test_blinks_come_when_and_as_they_are_said_to():
    closure = released_blinks(62 * 60, 3, MANNER)
    assert closure.dtype == np.float32 and closure.max() == pytest.approx(0.75)
    deepest = np.flatnonzero(closure == closure.max())
    assert deepest[0] == round(0.5 * 62.5) + 10
    gaps = np.diff(deepest) / 62.5
    assert gaps.min() > 1.4 - 0.02 and gaps.max() < 2.4 + 0.02 and gaps.std() > 0.1
    first = closure[deepest[0] - 10 : deepest[0] + 16]
    assert first[0] == first[-1] == 0 and (np.diff(first[:11]) > 0).all() and (np.diff(first[10:]) < 0).all()
    assert not closure[: deepest[0] - 10].any()
    assert np.array_equal(closure, released_blinks(62 * 60, 3, MANNER))
    assert not np.array_equal(closure, released_blinks(62 * 60, 4, MANNER))
    assert np.array_equal(closure[:1000], released_blinks(1000, 3, MANNER))  # whatever comes later
    assert released_blinks(0, 0, MANNER).shape == (0,)
