"""The index tables of the 68 face points."""

import numpy as np
from makeittalk.landmarks import ibug68
from makeittalk.landmarks.mean_face import MEAN_FACE


def test_parts_hold_every_point_once():
    assert len(ibug68.PARTS) == 8
    assert sorted(np.concatenate(list(ibug68.PARTS.values()))) == list(range(68))
    assert set(ibug68.PARTS) >= ibug68.CLOSED_PARTS


def test_mirror_is_its_own_inverse_and_keeps_parts():
    mirror = ibug68.MIRROR
    assert sorted(mirror) == list(range(68))
    assert (mirror[mirror] == np.arange(68)).all()
    other = {"brow_right": "brow_left", "brow_left": "brow_right", "eye_right": "eye_left", "eye_left": "eye_right"}
    for name, indices in ibug68.PARTS.items():
        assert set(mirror[indices]) == set(ibug68.PARTS[other.get(name, name)])


def test_mirror_fits_a_face():
    """On the symmetric mean face every point's partner lies across the middle line."""
    np.testing.assert_allclose(MEAN_FACE[ibug68.MIRROR] * (-1, 1, 1), MEAN_FACE, atol=1e-12)
    middle = np.flatnonzero(np.equal(ibug68.MIRROR, range(68)))
    assert middle.tolist() == [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]
    assert (MEAN_FACE[middle, 0] == 0).all()


def test_lip_pairs_face_each_other():
    for upper, lower in (*ibug68.INNER_PAIRS, *ibug68.OUTER_PAIRS):
        assert MEAN_FACE[upper, 1] < MEAN_FACE[lower, 1]
        assert abs(MEAN_FACE[upper, 0] - MEAN_FACE[lower, 0]) < 0.03
    assert ibug68.UPPER_INNER[0] == ibug68.LOWER_INNER[0] and ibug68.UPPER_INNER[-1] == ibug68.LOWER_INNER[-1]
    assert {*ibug68.UPPER_INNER, *ibug68.LOWER_INNER} == set(ibug68.LIP_INNER)


def test_mediapipe_indices():
    """No vertex stands for two points, and all lie in the mesh of 468 points."""
    assert len(set(ibug68.MEDIAPIPE.tolist())) == 68
    assert ibug68.MEDIAPIPE.min() >= 0 and ibug68.MEDIAPIPE.max() < 468


def test_mean_face_is_in_the_canonical_frame():
    np.testing.assert_allclose(MEAN_FACE[0] + MEAN_FACE[16], 0, atol=1e-12)
    assert np.linalg.norm(MEAN_FACE[16] - MEAN_FACE[0]) == 1.6
    assert MEAN_FACE[30, 2] == MEAN_FACE[:, 2].min(), "the nose tip is nearest to the viewer"
    assert MEAN_FACE[8, 1] == MEAN_FACE[:, 1].max(), "y grows downwards"
    assert MEAN_FACE[0, 0] < 0 < MEAN_FACE[16, 0], "the person's right is on the left"
