"""Eyes that wander and stay on the viewer: the same for a seed, small while words come, taken back from the head."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from makeittalk.animation.basis import character_keys
from makeittalk.animation.gaze import saccades, shown_gaze
from makeittalk.exchange.constants import FRAME_RATE, GAZE_KEYS
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.networks.noise import blink_shape

FRAMES = 60 * 62
TALKING, SILENT = np.ones(FRAMES, bool), np.zeros(FRAMES, bool)
OPEN = np.zeros(FRAMES)


def shifts(track: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """When the eyes begin to go to another place (n,), s, and how far (n,), degrees."""
    moving = np.concatenate([[False], np.abs(np.diff(track, axis=0)).max(axis=1) > 1e-6, [False]])
    edges = np.flatnonzero(np.diff(moving.astype(int))).reshape(-1, 2)
    far = [np.degrees(np.linalg.norm(track[min(b, len(track) - 1)] - track[max(a - 1, 0)])) for a, b in edges]
    return edges[:, 0] / FRAME_RATE, np.array(far)


def test_the_same_seed_gives_the_same_gaze() -> None:
    first = saccades(3, TALKING, OPEN, FRAME_RATE)
    np.testing.assert_array_equal(first, saccades(3, TALKING, OPEN, FRAME_RATE))
    assert np.abs(first - saccades(4, TALKING, OPEN, FRAME_RATE)).max() > 0.01
    assert first.shape == (FRAMES, 2) and first.dtype == np.float32


def test_a_longer_recording_begins_as_a_shorter_one() -> None:
    short = saccades(3, TALKING[:900], OPEN[:900], FRAME_RATE)
    np.testing.assert_array_equal(saccades(3, TALKING, OPEN, FRAME_RATE)[:900], short)


@pytest.mark.parametrize("speaking", [TALKING, SILENT])
def test_eyes_rest_and_leap(speaking: np.ndarray) -> None:
    track = saccades(1, speaking, OPEN, FRAME_RATE)
    when, far = shifts(track)
    rests = np.diff(when)
    assert 20 < len(when) < 150 and rests.min() > 0.25 and rests.max() < 2.2
    assert np.degrees(np.linalg.norm(track, axis=1)).max() <= 8.01
    assert np.median(far) < 5
    assert (np.abs(np.diff(track, axis=0)).max(axis=1) > 1e-6).mean() < 0.2  # most of the time they rest


def test_pauses_have_more_of_it() -> None:
    (often, far), (seldom, near) = (shifts(saccades(2, speaking, OPEN, FRAME_RATE)) for speaking in (SILENT, TALKING))
    assert len(often) > 1.1 * len(seldom) and far.mean() > 1.3 * near.mean()


def test_shifts_go_with_blinks() -> None:
    blink = OPEN.copy()
    starts = np.arange(2.0, 58.0, 4.0)
    for start in starts:
        blink += 0.75 * blink_shape(np.arange(FRAMES) / FRAME_RATE - start)
    when, _ = shifts(saccades(5, TALKING, blink, FRAME_RATE))
    hidden = np.abs(when[:, None] - starts).min(axis=0) < 0.2
    alone = np.abs(shifts(saccades(5, TALKING, OPEN, FRAME_RATE))[0][:, None] - starts).min(axis=0) < 0.2
    assert hidden.mean() > 0.35 and hidden.sum() > alone.sum()


def test_nothing_is_nothing() -> None:
    assert saccades(0, TALKING[:0], OPEN[:0], FRAME_RATE).shape == (0, 2)


def test_eyes_take_back_what_the_head_turns() -> None:
    head = np.zeros((2, 3))
    head[1] = np.deg2rad([8.0, 10.0, 3.0])  # down, and to the left of the picture
    gaze = shown_gaze(np.zeros((2, 2), np.float32), head)
    assert not gaze[0].any()
    assert gaze[1, 0] > np.deg2rad(4) and gaze[1, 1] < -np.deg2rad(3)


def test_keys_of_the_gaze_move_lids_a_little_and_nothing_else() -> None:
    neutral = np.array(MEAN_FACE) * 100
    names, moves, limits = character_keys(neutral)
    assert names.tolist().index("residual01") > max(names.tolist().index(key) for key in GAZE_KEYS)
    for key in GAZE_KEYS:
        move = moves[names == key][0]
        np.testing.assert_array_equal(limits[names == key], [[0.0, 1.0]])
        lids = slice(42, 48) if key.endswith("Left") else slice(36, 42)
        moved = move.copy()
        moved[lids] = 0.0
        assert not moved.any()
        assert move.any() == ("Up" in key or "Down" in key)
        if move.any():
            assert (np.sign(move[lids, 1].sum()) > 0) == ("Down" in key)


def test_gaze_lands_in_the_bake() -> None:
    from pathlib import Path

    from drawn_eyes import drawn_portrait
    from makeittalk.animation.bake import bake_motion
    from makeittalk.animation.postprocess import shown_motion
    from makeittalk.exchange.amounts import Amounts
    from makeittalk.exchange.formats import Bake, MotionParts
    from makeittalk.mesh.build import build_mesh

    face, picture, irises = drawn_portrait()
    mesh = build_mesh(replace(face, irises=irises.astype(np.float32)), picture)
    count = 100
    still, head = np.zeros((count, 68, 3), np.float32), np.zeros((count, 3), np.float32)
    parts = MotionParts(np.zeros((68, 3), np.float32), still, still, np.zeros(count, np.float32), head, head)
    old = bake_motion(shown_motion(face.landmarks, parts, FRAME_RATE, mesh.neck_pivot, face.size), mesh, 25.0)
    assert old.gaze_values is not None and not old.gaze_values.any()
    parts = replace(parts, saccades=np.tile(np.float32([0.05, -0.03]), (count, 1)), amounts=Amounts(gaze=0.5))
    motion = shown_motion(face.landmarks, parts, FRAME_RATE, mesh.neck_pivot, face.size)
    assert motion.gaze is not None
    np.testing.assert_allclose(motion.gaze, np.tile([0.025, -0.015], (count, 1)), atol=1e-6)
    bake = bake_motion(motion, mesh, 25.0)  # at amount 1
    assert bake.gaze_values is not None
    shown = {name for name, column in zip(bake.key_names.tolist(), bake.gaze_values.T, strict=True) if column.any()}
    assert shown == {"eyeLookOutLeft", "eyeLookInRight", "eyeLookUpLeft", "eyeLookUpRight"}
    half, none = bake.key_values(Amounts(gaze=0.5)), bake.key_values(Amounts(gaze=0.0))
    np.testing.assert_allclose(half - none, 0.5 * bake.gaze_values, atol=1e-6)
    assert Bake.shapes().keys() >= {"gaze_values"} and Path(face.image).name == "portrait.png"
