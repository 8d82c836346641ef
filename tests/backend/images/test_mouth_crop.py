"""The mouth's square: it follows the skull, not the lips, and has one size whatever the portrait's."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from makeittalk.images.mouth_crop import SIZE, MouthCrop, place_mouth, take_mouth
from makeittalk.images.mouth_image import draw_mouth, is_shut, mouth_zone
from makeittalk.landmarks.mean_face import MEAN_FACE
from scipy.spatial.transform import Rotation

REST = MEAN_FACE * 120.0 + [400.0, 350.0, 0.0]
JAW_AND_LOWER_LIP = [*range(4, 13), 65, 66, 67, 55, 56, 57, 58, 59]


def opened(share: float) -> np.ndarray:
    """The lower lip and the jaw, `share` of the mouth's width down."""
    points = REST.copy()
    points[JAW_AND_LOWER_LIP, 1] += share * np.linalg.norm(REST[54] - REST[48])
    return points


def test_the_mouth_lies_in_the_middle_and_keeps_its_place_as_it_opens() -> None:
    crop = MouthCrop.of(REST)
    still, wide = place_mouth(np.stack([REST, opened(0.5)]), crop.maps(np.stack([REST, opened(0.5)])))
    corners = still[[48, 54]]
    assert np.allclose(corners.mean(axis=0)[0], SIZE / 2, atol=1.0)
    assert 0.4 * SIZE < np.linalg.norm(corners[1] - corners[0]) <= 0.5 * SIZE
    assert np.allclose(still[[27, 30, 33, 48, 54, 62]], wide[[27, 30, 33, 48, 54, 62]], atol=0.5)
    assert 0 < wide[66, 1] < SIZE


@pytest.mark.parametrize("turn", [(0, 0, 12), (0, 12, 0), (-8, 10, 5)])
def test_the_square_goes_with_the_head(turn: tuple[float, float, float]) -> None:
    crop = MouthCrop.of(REST)
    rotation = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
    moved = (REST - REST[8]) @ rotation.T + REST[8] + [15.0, -9.0, 0.0]
    placed = place_mouth(moved[None], crop.maps(moved[None]))[0]
    middle = placed[[48, 54]].mean(axis=0)
    still = place_mouth(REST[None], crop.maps(REST[None]))[0]
    assert np.linalg.norm(middle - still[[48, 54]].mean(axis=0)) < 4.0
    across = placed[54] - placed[48]
    assert abs(np.degrees(np.arctan2(across[1], across[0]))) < 2.5


@pytest.mark.parametrize("scale", [0.15, 1.0, 4.0])
def test_the_square_shows_what_lies_there_at_any_size(scale: float) -> None:
    points = REST * scale
    crop = MouthCrop.of(points)
    affine = crop.maps(points[None])[0]
    width, height = round(800 * scale), round(700 * scale)
    picture = np.full((height, width, 3), 40, np.uint8)
    lip = np.rint(points[57, :2] - 0.5).astype(int)
    cv2.circle(picture, (int(lip[0]), int(lip[1])), max(2, round(6 * scale)), (250, 30, 30), -1)
    square = take_mouth(picture, affine).astype(float)
    assert square.shape == (SIZE, SIZE, 3)
    red = square[..., 0] - square[..., 1]
    rows, columns = np.nonzero(red > 0.5 * red.max())
    seen = np.array([columns.mean(), rows.mean()]) + 0.5
    half_pixel = 0.5 * SIZE / crop.side  # the disc's middle was rounded to the picture's pixels
    assert np.abs(seen - place_mouth(points[None], affine[None])[0, 57]).max() < 1.5 + half_pixel


def test_a_square_may_reach_beyond_the_picture() -> None:
    crop = MouthCrop.of(REST)
    affine = crop.maps(REST[None])[0]
    picture = np.full((int(REST[66, 1]) + 10, 800, 3), 90, np.uint8)
    assert (take_mouth(picture, affine) == 90).all()


def test_what_is_drawn_says_how_far_lips_and_jaw_are_open() -> None:
    crop = MouthCrop.of(REST)
    poses = np.stack([REST, opened(0.3)])
    still, wide = place_mouth(poses, crop.maps(poses))
    drawn = draw_mouth(wide, still)
    opening, lips, own, jaw = (drawn[..., channel] for channel in range(4))
    assert (opening > 127).sum() > 3 * (own > 127).sum()
    assert ((opening > 127) <= (lips > 127)).all()
    assert jaw.min() == jaw.max() and 0 < int(jaw[0, 0]) < 255
    assert draw_mouth(still, still)[0, 0, 3] == 0
    assert draw_mouth(still, wide)[0, 0, 3] == 0  # a jaw that is up further than at rest


def test_the_zone_vanishes_with_the_opening() -> None:
    crop = MouthCrop.of(REST)
    shut = REST.copy()
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        shut[[upper, lower]] = (REST[upper] + REST[lower]) / 2
    places = [place_mouth(pose[None], crop.maps(pose[None]))[0] for pose in (shut, opened(0.4))]
    assert is_shut(places[0]) and not is_shut(places[1])
    assert mouth_zone(places[0]).max() < 0.02
    zone = mouth_zone(places[1])
    middle = places[1][60:68].mean(axis=0).astype(int)
    assert zone[middle[1], middle[0]] > 0.99 and zone[0].max() == zone[-1].max() == 0.0
    # It grows little by little as lips part: nothing pops up.
    shares = np.linspace(0.0, 0.12, 13)
    lower = [66, 65, 67]
    steps = []
    for share in shares:
        pose = shut.copy()
        pose[lower, 1] += share * np.linalg.norm(REST[54] - REST[48])
        steps.append(mouth_zone(place_mouth(pose[None], crop.maps(pose[None]))[0]))
    assert max(np.abs(after - before).max() for before, after in itertools.pairwise(steps)) < 0.45
