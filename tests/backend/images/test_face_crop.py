"""The square around a face that image networks see."""

import numpy as np
from makeittalk.images.face_crop import SIZE, FaceCrop


def test_the_square_follows_the_face_and_not_the_picture():
    landmarks = np.random.default_rng(0).uniform(40, 100, (68, 2))
    crop = FaceCrop.of(landmarks)
    moved = FaceCrop.of(landmarks + [30, -20])
    assert (moved.left - crop.left, moved.top - crop.top, moved.side) == (30, -20, crop.side)
    picture = np.zeros((120, 120, 3), np.uint8)
    picture[60:62, 70:72] = 255
    taken = crop.take(picture)
    rows, columns = np.nonzero(taken[..., 0] > 100)
    assert np.allclose([columns.mean() + 0.5, rows.mean() + 0.5], crop.place(np.array([71.0, 61.0])), atol=1.5)
    beyond = FaceCrop(-30, -30, 60).take(picture + np.uint8(9))
    assert beyond.shape == (SIZE, SIZE, 3) and beyond.min() == 9  # edges are extended, not left black
