"""Portrait pixels and Blender units."""

from __future__ import annotations

import numpy as np
from extension import part_outside

SIZE = np.array([120, 160])
coordinates = part_outside("addon.core.coordinates")


def test_the_picture_stands_upright_one_unit_high_around_the_origin() -> None:
    corners = [(0, 0, 0), (120, 160, 0), (60, 80, 0), (60, 80, -16)]
    expected = [(-0.375, 0, 0.5), (0.375, 0, -0.5), (0, 0, 0), (0, -0.1, 0)]  # nearer is towards −Y
    np.testing.assert_allclose(coordinates.points_to_blender(np.array(corners), SIZE), expected, atol=1e-12)


def test_there_and_back() -> None:
    points = np.random.default_rng(1).normal(0, 300, (5, 7, 3))
    there = coordinates.points_to_blender(points, SIZE)
    np.testing.assert_allclose(coordinates.points_from_blender(there, SIZE), points, atol=1e-9)


def test_displacements_are_differences_of_places() -> None:
    points, offsets = np.random.default_rng(2).normal(0, 300, (2, 11, 3))
    moved = coordinates.points_to_blender(points + offsets, SIZE) - coordinates.points_to_blender(points, SIZE)
    np.testing.assert_allclose(coordinates.offsets_to_blender(offsets, SIZE), moved, atol=1e-12)
