"""What the mouth's network answers stands in the picture where its square lies, at any size, and nowhere else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from makeittalk.images.mouth_crop import SIZE, MouthCrop, take_mouth
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.rendering.mouth_change import MouthChange

DISC = cv2.circle(np.zeros((SIZE, SIZE), np.float32), (128, 128), 40, 1.0, -1)


def scene(scale: float) -> tuple[np.ndarray, np.ndarray]:
    """A picture and where the mouth's square lies in it."""
    points = (MEAN_FACE * 120.0 + [400.0, 350.0, 0.0]) * scale
    noise = np.random.default_rng(0).integers(40, 140, (round(700 * scale), round(800 * scale), 4)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 3 * scale), MouthCrop.of(points).maps(points[None])[0]


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_a_change_stands_where_it_was_answered(scale: float) -> None:
    picture, affine = scene(scale)
    before = picture.copy()
    change = np.zeros((SIZE, SIZE, 6), np.float32)
    change[..., :3], change[..., 4] = -0.5, 0.2
    MouthChange(change, DISC, affine).onto(picture)
    one, other = (take_mouth(part[..., :3], affine).astype(float) for part in (before, picture))
    expected = one + DISC[..., None] * (-0.5 * one + [0.0, 51.0, 0.0])
    inner = cv2.erode(DISC, np.ones((17, 17), np.uint8)) > 0
    outer = cv2.dilate(DISC, np.ones((17, 17), np.uint8)) == 0
    assert np.abs(other - expected)[inner].mean() < 1.5
    assert np.abs(other - one)[outer].max() <= 3
    assert np.array_equal(picture[..., 3], before[..., 3])
    away = np.abs(picture.astype(int) - before).max(axis=2) > 0
    assert away.sum() < 1.5 * DISC.sum() / np.linalg.det(affine[:, :2])


def test_a_gain_keeps_detail_that_is_finer_than_the_square() -> None:
    picture, affine = scene(4.0)
    fine = np.random.default_rng(1).integers(-30, 31, picture.shape[:2])
    picture[..., :3] = np.clip(picture[..., :3].astype(int) + fine[..., None], 0, 255)
    before = picture.astype(float)
    change = np.zeros((SIZE, SIZE, 6), np.float32)
    change[..., :3] = 0.5
    MouthChange(change, DISC, affine).onto(picture)
    middle = cv2.invertAffineTransform(affine) @ [128.0, 128.0, 1.0]
    x, y = middle.astype(int)
    part = np.s_[y - 20 : y + 20, x - 20 : x + 20, :3]
    assert np.allclose(picture[part], np.clip(1.5 * before[part], 0, 255), atol=1.0)


@pytest.mark.parametrize("zone", [np.zeros((SIZE, SIZE), np.float32), DISC])
def test_what_shows_nothing_changes_nothing(zone: np.ndarray) -> None:
    picture, affine = scene(1.0)
    before = picture.copy()
    if zone.any():
        affine = affine + [[0, 0, 5000.0], [0, 0, 0]]  # beyond the picture
    MouthChange(np.ones((SIZE, SIZE, 6), np.float32), zone, affine).onto(picture)
    assert np.array_equal(picture, before)
