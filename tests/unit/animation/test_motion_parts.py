"""Blinks, head motion, post-processing and resampling."""

from __future__ import annotations

import numpy as np
import pytest
from faces import portrait
from makeittalk.animation import blinks
from makeittalk.animation.lips import shut_mouth
from makeittalk.animation.postprocess import SMOOTH_FACE, apply_amounts, finish_lips, shown_motion, smooth
from makeittalk.animation.resample import frame_count, resample
from makeittalk.animation.retarget import reface, retarget
from makeittalk.audio.windows import BLOCK
from makeittalk.exchange.amounts import Amounts
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.exchange.formats import Motion, MotionParts
from makeittalk.landmarks.measures import mouth_width, opening
from makeittalk.landmarks.pose import Canonical, compose_pose, neck_pivot, split_pose
from makeittalk.networks.noise import BLINK, noise_track


def motion(gape: float = 0.0, seed: int = 3, seconds: float = 4.0) -> Motion:
    """A motion with all parts: a mouth that opens and shuts twice a second."""
    neutral = portrait((3, 12, -4), gape=gape)
    canonical = Canonical.of(neutral)
    frames = int(seconds * FRAME_RATE)
    time = np.arange(frames) / FRAME_RATE
    gap = 0.06 * (1 - np.cos(2 * np.pi * 2.0 * time))
    content = np.zeros((frames, 68, 3))
    content[:, [61, 62, 63, 50, 51, 52], 1] = -0.3 * gap[:, None]
    content[:, [67, 66, 65, 58, 57, 56, 7, 8, 9], 1] = 0.7 * gap[:, None]
    noise = noise_track(seed, frames)
    rotation, sway, brows = 0.04 * noise[:, :3], 0.012 * noise[:, 3:6], np.zeros((frames, 68, 3))
    brows[:, 17:27, 1] = -0.02 * np.abs(noise[:, :1])
    parts = MotionParts(
        rest=canonical.displacement_from(shut_mouth(canonical.to_canonical(neutral))).astype(np.float32),
        content=canonical.displacement_from(content).astype(np.float32),
        speaker=canonical.displacement_from(brows).astype(np.float32),
        blink=blinks.blink_curve(noise[:, BLINK]),
        head_rotation=rotation.astype(np.float32),
        head_translation=(canonical.scale * sway).astype(np.float32),
    )
    return shown_motion(neutral.astype(np.float32), parts, FRAME_RATE, neck_pivot(neutral), np.array([512, 512]))


def test_blinks_are_whole_and_apart() -> None:
    lids = np.zeros(400)
    lids[50:60], lids[65:70], lids[200:210], lids[300:310] = 0.5, 0.6, 0.1, 0.4
    curve = blinks.blink_curve(lids)
    starts = np.flatnonzero((curve[1:] > 0) & (curve[:-1] == 0))
    assert len(starts) == 2  # one follows too soon, one is no blink
    assert curve.max() == pytest.approx(blinks.SHUT, abs=0.02) and curve.min() == 0.0


def test_amounts_scale_their_own_part_only() -> None:
    base = motion()
    without = apply_amounts(base, Amounts(head=0.0))
    assert np.abs(without.head_rotation).max() == 0.0 and np.abs(without.head_translation).max() == 0.0
    lips = slice(48, 68)
    assert np.allclose(base.expression[:, lips], without.expression[:, lips], atol=1e-4)
    still = apply_amounts(base, Amounts(lip=0.0, head=0.0, blink=0.0))
    assert np.allclose(still.expression, still.parts.rest[None], atol=1e-4)
    assert still.parts.amounts == Amounts(lip=0.0, head=0.0, blink=0.0) and base.parts.amounts == Amounts()


@pytest.mark.parametrize("amount", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("gape", [0.0, 0.2])
def test_closures_survive_every_lip_amount_and_every_rate(amount: float, gape: float) -> None:
    made = apply_amounts(motion(gape), Amounts(lip=amount))
    for fps in (24.0, 25.0, 30000 / 1001, 30.0, 60.0):
        shown = resample(made, fps)
        face = shown.neutral + shown.expression
        ratio = opening(face) / mouth_width(face)
        for closure in np.arange(0.5, 3.6, 0.5):  # the mouth shuts every half second
            near = np.abs(np.arange(len(ratio)) / fps - closure) <= 0.5 / fps + 0.025
            assert ratio[near].min() < 0.03, (fps, closure)
        assert ratio.max() > 0.05 * amount


def test_landmarks_are_what_the_parts_say() -> None:
    made = motion()
    rotation, _, expression = split_pose(made.landmarks, made.neutral, made.neck_pivot)
    assert np.degrees(np.abs(rotation - made.head_rotation)).max() < 0.5
    shown = resample(made, FRAME_RATE)
    assert np.abs(shown.landmarks[:100] - made.landmarks[:100]).max() < 0.5
    assert np.abs(expression - made.expression).max() < 3.0


@pytest.mark.parametrize(("seconds", "fps", "frames"), [(1.0, 24.0, 24), (1.0, 30000 / 1001, 30), (0.5, 25.0, 13)])
def test_frames_cover_the_sound(seconds: float, fps: float, frames: int) -> None:
    assert frame_count(seconds, fps) == frames


def test_a_motion_shuts_the_mouth_of_any_other_face() -> None:
    made = motion(gape=0.0)
    other = portrait((0, -15, 5), width=120.0, gape=0.25)
    moved = retarget(made, other)
    face = moved.neutral + moved.expression
    ratio = opening(face) / mouth_width(face)
    assert ratio.min() < 0.02 and ratio.max() > 0.1
    assert np.allclose(moved.head_rotation, made.head_rotation)


def test_a_motion_stays_what_it_is_on_corrected_landmarks() -> None:
    """The same landmarks give the same motion; others move as far in their own frame, and all amounts still act."""
    made = motion(gape=0.1)
    same = reface(made, made.neutral)
    assert np.abs(same.landmarks - made.landmarks).max() < 0.02
    corrected = made.neutral.copy()
    corrected[48:68, 1] += 12.0  # the mouth lies lower and is drawn further open
    corrected[[65, 66, 67], 1] += 15.0
    moved = reface(made, corrected)
    assert np.array_equal(moved.neutral, corrected) and moved.parts is not None
    assert np.array_equal(moved.head_rotation, made.head_rotation)
    face = moved.neutral + apply_amounts(moved, Amounts(head=0.0, blink=0.0)).expression
    before = made.neutral + apply_amounts(made, Amounts(head=0.0, blink=0.0)).expression
    assert opening(face).min() < 0.02 * mouth_width(corrected)
    np.testing.assert_allclose(opening(face), opening(before), atol=1.5)
    still = apply_amounts(moved, Amounts(lip=0.0, head=0.0, blink=0.0))
    assert opening(still.neutral + still.expression).max() < 0.5
    larger = reface(made, made.neutral * 2.0)
    np.testing.assert_allclose(larger.landmarks, 2.0 * made.landmarks, atol=0.1)
    filmed = reface(retarget(made, made.neutral), corrected)
    assert filmed.parts is None and np.array_equal(filmed.neutral, corrected)


@pytest.mark.parametrize("smooth_amount", [0.0, 1.0, 3.0])
def test_a_face_made_in_blocks_is_the_one_made_at_once(smooth_amount: float) -> None:
    """Over several blocks, the last of them a short one, at random: nothing shows where two of them meet."""
    frames, random = 2 * BLOCK + 5, np.random.default_rng(0)
    neutral = portrait((3, 12, -4), gape=0.1)
    canonical = Canonical.of(neutral)
    amounts = Amounts(lip=1.3, head=0.7, blink=0.9, smooth=smooth_amount)
    parts = MotionParts(
        rest=random.normal(size=(68, 3)).astype(np.float32),
        content=random.normal(size=(frames, 68, 3)).astype(np.float32),
        speaker=random.normal(size=(frames, 68, 3)).astype(np.float32),
        blink=random.random(frames).astype(np.float32),
        head_rotation=(0.1 * random.normal(size=(frames, 3))).astype(np.float32),
        head_translation=random.normal(size=(frames, 3)).astype(np.float32),
        closure=random.random(frames).astype(np.float32),
        amounts=amounts,
    )
    pivot = neck_pivot(neutral)
    made = shown_motion(neutral, parts, FRAME_RATE, pivot)
    lips = finish_lips(canonical.displacement_to(parts.content), FRAME_RATE, parts.closure, smooth_amount)
    speaker = smooth(parts.speaker, SMOOTH_FACE * smooth_amount, FRAME_RATE)
    shut = (0.9 * parts.blink)[:, None, None] * blinks.lid_displacement(neutral)
    whole = parts.rest + 1.3 * canonical.displacement_from(lips) + 0.7 * speaker + shut
    assert np.abs(made.expression - whole).max() < 1e-5
    posed = compose_pose(neutral, made.expression, made.head_rotation, made.head_translation, pivot)
    assert np.abs(made.landmarks - posed).max() < 1e-4


def test_smoothing_keeps_short_clips() -> None:
    values = np.random.default_rng(0).normal(size=(3, 2))
    assert np.allclose(smooth(values, 0.5, FRAME_RATE), values)
