"""Lips no faster than those of filmed speakers, before and after resampling."""

from __future__ import annotations

import numpy as np
import pytest
from faces import portrait
from makeittalk.animation.lip_speed import (
    BRIEF,
    BRIEF_OPENING,
    CLOSING_SPEED,
    OPENING_SPEED,
    limit_brief,
    limit_rate,
    limit_speed,
)
from makeittalk.animation.lips import gaps, shut_mouth
from makeittalk.animation.postprocess import apply_amounts, shown_motion
from makeittalk.animation.resample import resample
from makeittalk.animation.retarget import retarget
from makeittalk.exchange.amounts import Amounts
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.exchange.formats import Motion, MotionParts
from makeittalk.landmarks.landmark_motion import motion_of_landmarks
from makeittalk.landmarks.pose import Canonical, neck_pivot

RATES = (12.0, 24.0, 25.0, 30000 / 1001, 30.0, FRAME_RATE)


def content_of(gap: np.ndarray) -> np.ndarray:
    """(T, 68, 3) canonical content whose three inner gaps follow `gap` (T,), outer lips and chin with them."""
    content = np.zeros((len(gap), 68, 3))
    content[:, [61, 62, 63, 50, 51, 52], 1] = -0.3 * gap[:, None]
    content[:, [67, 66, 65, 58, 57, 56, 7, 8, 9], 1] = 0.7 * gap[:, None]
    return content


def predicted(gap: np.ndarray, lip: float = 1.0, gape: float = 0.1) -> Motion:
    """A motion of a gaping portrait whose networks said `gap` (T,), canonical units; nothing smooths it."""
    neutral = portrait((3, 12, -4), gape=gape)
    canonical = Canonical.of(neutral)
    still = np.zeros((len(gap), 3), np.float32)
    parts = MotionParts(
        rest=canonical.displacement_from(shut_mouth(canonical.to_canonical(neutral))).astype(np.float32),
        content=canonical.displacement_from(content_of(gap)).astype(np.float32),
        speaker=np.zeros((len(gap), 68, 3), np.float32),
        blink=np.zeros(len(gap), np.float32),
        head_rotation=still,
        head_translation=still,
        closure=np.zeros(len(gap), np.float32),
        amounts=Amounts(lip=lip, smooth=0.0),
    )
    return shown_motion(neutral.astype(np.float32), parts, FRAME_RATE, neck_pivot(neutral), np.array([512, 512]))


def shown_gap(motion: Motion) -> np.ndarray:
    """(T,) mean inner-lip gap, canonical units."""
    face = Canonical.of(motion.neutral).to_canonical(motion.neutral + motion.expression.astype(np.float64))
    return gaps(face).mean(axis=1)


def popping() -> np.ndarray:
    """(250,) gap of a mouth that is shut or wide and nothing between, at 62.5 frames/s."""
    gap = np.zeros(250)
    for start, stop in ((20, 60), (80, 83), (100, 104), (120, 127), (135, 160), (168, 172), (181, 230)):
        gap[start:stop] = 0.17
    return gap


@pytest.mark.parametrize(("rise", "fall"), [(0.3, 0.5), (0.7, 0.2)])
def test_the_rate_limit_leaves_the_largest_curve(rise: float, fall: float) -> None:
    gap = np.abs(np.random.default_rng(0).normal(size=60))
    frame = np.arange(60)
    since = frame[:, None] - frame[None]  # from another frame to this one
    expected = (gap[None] + np.where(since > 0, rise * since, -fall * since)).min(axis=1)
    assert np.allclose(limit_rate(gap, rise, fall), expected)


def test_the_brief_limit_leaves_the_largest_curve() -> None:
    gap = np.abs(np.random.default_rng(1).normal(size=60))
    expected = gap.copy()
    for frame in range(4, 56):
        windows = [gap[start : start + 4].min() for start in range(frame - 3, frame + 1)]
        expected[frame] = min(gap[frame], max(windows) + 0.1)
    result = limit_brief(gap, 3, 0.1)
    assert np.allclose(result[4:56], expected[4:56]) and (result <= gap).all()
    assert np.allclose(limit_brief(result, 3, 0.1), result)


def test_an_hour_is_held_as_exactly_as_a_second() -> None:
    gap = 0.2 * (np.random.default_rng(2).random(225_000) > 0.5)
    slow = limit_rate(gap, OPENING_SPEED / FRAME_RATE, CLOSING_SPEED / FRAME_RATE)
    assert np.diff(slow).max() <= OPENING_SPEED / FRAME_RATE + 1e-9
    assert np.diff(slow).min() >= -CLOSING_SPEED / FRAME_RATE - 1e-9
    assert np.allclose(
        slow[-500:], limit_rate(gap[-600:], OPENING_SPEED / FRAME_RATE, CLOSING_SPEED / FRAME_RATE)[100:]
    )


def test_a_pop_is_slowed_and_every_closure_stays() -> None:
    before = content_of(popping())
    after = limit_speed(before, FRAME_RATE)
    gap = gaps(after).mean(axis=1)
    assert np.diff(gap).max() <= OPENING_SPEED / FRAME_RATE + 1e-9
    assert np.diff(gap).min() >= -CLOSING_SPEED / FRAME_RATE - 1e-9
    assert (gap <= popping() + 1e-12).all()
    assert np.abs(gaps(after)[popping() == 0.0]).max() < 1e-12  # a closure is neither delayed nor shortened
    assert gap[30:50].min() == pytest.approx(0.17)  # and what lasts opens in full
    assert gap[80:83].max() <= BRIEF_OPENING + 1e-9  # and what is over at once opens hardly at all


def test_outer_lips_follow_and_the_rest_stays() -> None:
    gap = popping()
    after = limit_speed(content_of(gap), FRAME_RATE)
    moved = after[20] - content_of(gap)[20]  # the first frame of an opening
    assert moved[62, 1] > 0.01 and moved[66, 1] < -0.01
    assert np.allclose(moved[[50, 51, 52], 1], moved[62, 1]) and np.allclose(moved[[56, 57, 58], 1], moved[66, 1])
    assert np.abs(moved[:48]).max() == 0.0 and np.abs(moved[[48, 54, 60, 64]]).max() == 0.0
    assert (after[:, [50, 51, 52], 1] <= after[:, [61, 62, 63], 1] + 1e-9).all()  # no outer lip inside the inner one


def test_slow_speech_is_left_alone() -> None:
    time = np.arange(250) / FRAME_RATE
    content = content_of(0.06 * (1 - np.cos(2 * np.pi * 3.0 * time)))
    assert np.abs(limit_speed(content, FRAME_RATE) - content).max() < 1e-9


@pytest.mark.parametrize("lip", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("fps", RATES)
def test_no_rate_and_no_amount_pops(fps: float, lip: float) -> None:
    motion = predicted(popping(), lip)
    gap = shown_gap(resample(motion, fps))
    assert np.diff(gap).max() * fps <= lip * OPENING_SPEED * 1.001
    assert -np.diff(gap).min() * fps <= lip * CLOSING_SPEED * 1.001
    assert gap.max() > 0.99 * lip * 0.17
    # Every closure that lasts for a scene's frame, or half of one to either side, is still seen.
    shut = shown_gap(motion) < 1e-4
    for start in np.flatnonzero(np.diff(shut.astype(int)) == 1) + 1:
        stop = start + int(np.argmin(np.append(shut[start:], False)))
        first, last = (start - 0.5) / FRAME_RATE, (stop - 0.5) / FRAME_RATE
        times = np.arange(len(gap)) / fps
        near = (times >= first - 0.5 / fps) & (times <= last + 0.5 / fps)
        assert gap[near].min() < 0.01 * lip, (fps, first, last)


@pytest.mark.parametrize("fps", [24.0, 25.0, 30.0])
def test_a_frame_moved_to_a_closure_makes_no_jump(fps: float) -> None:
    """Swept over where the closure falls between two frames: what moves a sample must not make it faster."""
    for shift in np.linspace(0.0, 1.0, 9):
        time = np.arange(125) / FRAME_RATE - 1.0 - shift / fps
        gap = np.clip(OPENING_SPEED * (np.abs(time) - 0.012), 0.0, 0.17)
        shown = shown_gap(resample(predicted(gap), fps))
        assert shown.min() < 0.01
        assert np.abs(np.diff(shown)).max() * fps <= CLOSING_SPEED * 1.001, shift


def test_the_limits_scale_with_the_lip_amount() -> None:
    motion = predicted(popping())
    once, twice = shown_gap(motion), shown_gap(apply_amounts(motion, Amounts(lip=2.0, smooth=0.0)))
    assert np.allclose(twice, 2.0 * once, atol=1e-5)
    assert np.diff(twice).max() * FRAME_RATE == pytest.approx(2.0 * OPENING_SPEED, rel=1e-3)


@pytest.mark.parametrize("fps", [24.0, 25.0])
def test_a_prediction_on_another_face_keeps_its_limits(fps: float) -> None:
    motion = retarget(predicted(popping()), portrait((0, -15, 5), width=120.0, gape=0.2))
    assert motion.parts is None
    assert np.diff(shown_gap(resample(motion, fps))).max() * fps <= OPENING_SPEED * 1.001


def test_filmed_motion_is_as_fast_as_it_was_filmed() -> None:
    fps = 25.0
    face = portrait()
    gap = np.zeros(100)
    gap[20:22], gap[40:60] = 0.25, 0.3
    canonical = Canonical.of(face)
    landmarks = (face + canonical.displacement_from(content_of(gap))).astype(np.float32)
    motion = motion_of_landmarks(landmarks, landmarks[0], fps)
    assert motion.parts is None and np.diff(shown_gap(motion)).max() * fps > 2.0 * OPENING_SPEED
    assert np.array_equal(resample(motion, fps).expression, motion.expression)
    moved = retarget(motion, portrait((0, -15, 5), width=120.0))
    assert np.diff(shown_gap(moved)).max() * fps == pytest.approx(np.diff(shown_gap(motion)).max() * fps, rel=0.02)
    assert np.array_equal(apply_amounts(motion, Amounts(lip=0.5)).expression, motion.expression)
    for rate in (24.0, 30.0):  # a rise between two frames of film is split between two of the scene
        assert np.diff(shown_gap(resample(motion, rate))).max() * rate > 1.5 * OPENING_SPEED


def test_brief_means_two_frames_of_film() -> None:
    gap = np.zeros(125)
    steps = round(BRIEF * FRAME_RATE)
    gap[50 : 50 + steps] = 0.03 + BRIEF_OPENING  # over before it has lasted
    gap[80:110] = 0.1
    lowered = limit_brief(gap, steps, BRIEF_OPENING)
    assert lowered[50 : 50 + steps].max() == pytest.approx(BRIEF_OPENING)
    assert np.allclose(lowered[80:110], 0.1)
