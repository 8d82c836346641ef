"""Variation of pictures."""

import numpy as np
from makeittalk.images.face_crop import SIZE
from makeittalk_lab.data.image_clips import ImageClip
from makeittalk_lab.data.picture_augment import PictureAugment, move_picture, move_points, patch_map, recolour


def test_patches_and_their_landmarks_are_varied_alike(prepared_frames):
    clip = ImageClip.load(prepared_frames, "one")
    rng, augment = np.random.default_rng(0), PictureAugment()
    seen = set()
    for _ in range(12):
        affine, mirrored = patch_map(rng, augment, clip.landmarks[5], 128)
        seen.add(mirrored)
        points = move_points(clip.landmarks[5], affine, mirrored)
        # A dot painted at a landmark is found where that landmark, under its mirrored name, has gone.
        for point, other in ((48, 54), (36, 45), (8, 8)):
            picture = np.zeros((SIZE, SIZE, 3), np.uint8)
            x, y = clip.landmarks[5, point]
            rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
            picture[..., 0] = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18)
            moved = move_picture(picture, affine, 128)[..., 0].astype(float)
            at = points[other if mirrored else point]
            if at.min() > 12 and at.max() < 116:
                rows, columns = np.mgrid[:128, :128] + 0.5
                moved = moved * (np.hypot(columns - at[0], rows - at[1]) < 10)  # not its reflection at the border
                centre = np.array([(moved * columns).sum(), (moved * rows).sum()]) / moved.sum()
                assert np.abs(centre - at).max() < 0.3
    assert seen == {True, False}


def test_colours_change_alike_and_stay_in_range():
    rng = np.random.default_rng(2)
    picture = rng.random((8, 8, 1, 3)).astype(np.float32)
    for _ in range(20):
        varied = recolour(rng, PictureAugment(), np.concatenate([picture, picture], axis=2))
        assert varied.min() >= 0 and varied.max() <= 1
        assert np.array_equal(varied[:, :, 0], varied[:, :, 1])
        assert np.abs(varied[:, :, :1] - picture).max() > 0.01
