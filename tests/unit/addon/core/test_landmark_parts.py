"""The parts that the viewport shows are those of the backend, and a face is mirrored about its own middle."""

from __future__ import annotations

import numpy as np
import pytest
from extension import part_outside
from faces import portrait
from makeittalk.landmarks import ibug68

landmark_parts = part_outside("addon.core.landmark_parts")


def test_both_sides_know_the_same_parts():
    assert {name.lower(): list(part.indices) for name, part in landmark_parts.PARTS.items()} == {
        name: indices.tolist() for name, indices in ibug68.PARTS.items()
    }
    closed = {name.lower() for name, part in landmark_parts.PARTS.items() if part.closed}
    assert closed == ibug68.CLOSED_PARTS
    np.testing.assert_array_equal(landmark_parts.MIRROR, ibug68.MIRROR)
    halves = [*landmark_parts.RIGHT, *landmark_parts.MIRROR[landmark_parts.RIGHT], *landmark_parts.MIDDLE]
    assert sorted(halves) == list(range(68))
    assert (portrait()[landmark_parts.RIGHT, 0] < 256).all()


def test_contours_join_every_landmark_with_its_part():
    edges = landmark_parts.edges()
    assert set(edges.ravel().tolist()) == set(range(68))
    part_of = np.empty(68, int)
    for number, part in enumerate(landmark_parts.PARTS.values()):
        part_of[list(part.indices)] = number
    assert (part_of[edges[:, 0]] == part_of[edges[:, 1]]).all()
    assert len(edges) == 16 + 4 + 4 + 7 + 6 + 6 + 12 + 8


@pytest.mark.parametrize("from_right", [True, False])
def test_a_mirrored_face_keeps_one_half(from_right):
    face = portrait((0, 0, 12))
    crooked = face.copy()
    other = landmark_parts.MIRROR[landmark_parts.RIGHT] if from_right else landmark_parts.RIGHT
    crooked[other] += np.random.default_rng(1).normal(0, 6, (len(other), 3))
    mended = landmark_parts.mirrored(crooked, from_right)
    np.testing.assert_allclose(mended, face, atol=0.05)  # it was symmetric about its tilted middle
    kept = np.setdiff1d(np.arange(68), [*other, *landmark_parts.MIDDLE])
    np.testing.assert_array_equal(mended[kept], crooked[kept])
