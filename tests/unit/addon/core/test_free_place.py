"""Sliding boxes, against a search in small steps."""

from __future__ import annotations

import numpy as np
import pytest
from extension import part_outside

place = part_outside("addon.core.free_place")
BOX = np.array([[-0.4, -0.1, -0.5], [0.4, 0.1, 0.5]])


def cube(x: float, y: float = 0.0, z: float = 0.0, half: float = 1.0) -> np.ndarray:
    middle = np.array([x, y, z])
    return np.stack([middle - half, middle + half])


def test_what_is_free_stays():
    assert place.slide(BOX, np.array([cube(3.0), cube(0.0, y=5.0)]), 0, 0.1) == 0.0
    assert place.slide(BOX, np.empty((0, 2, 3)), 0, 0.1) == 0.0


def test_touching_is_not_meeting():
    assert not place.meets(BOX, np.array([cube(1.4)])).any()
    assert place.meets(BOX, np.array([cube(1.39)])).all()


def test_the_nearer_side_is_taken_and_right_of_two():
    assert place.slide(BOX, np.array([cube(0.0)]), 0, 0.1) == pytest.approx(1.5)
    assert place.slide(BOX, np.array([cube(0.3)]), 0, 0.1) == pytest.approx(-1.2)


def test_it_slides_past_what_stands_behind():
    row = np.array([cube(0.2), cube(-2.0), cube(2.9)])
    way = place.slide(BOX, row, 0, 0.1)
    assert not place.meets(BOX + [way, 0, 0], row).any()
    assert way == pytest.approx(-3.5)


@pytest.mark.parametrize("seed", range(20))
def test_no_shorter_way_is_free(seed):
    rng = np.random.default_rng(seed)
    middles, halves = rng.uniform(-3, 3, (12, 3)), rng.uniform(0.1, 1.2, (12, 3))
    boxes = np.stack([middles - halves, middles + halves], axis=1)
    axis = int(rng.integers(3))
    way = place.slide(BOX, boxes, axis, 0.0)
    shift = np.zeros(3)
    shift[axis] = way
    assert not place.meets(BOX + shift, boxes).any()
    for part in np.linspace(-0.999, 0.999, 801) * abs(way):
        shift[axis] = part
        assert way == 0.0 or place.meets(BOX + shift, boxes).any()


def test_a_turned_box_holds_its_points():
    corners = np.array([(x, y, z) for x in BOX[:, 0] for y in BOX[:, 1] for z in BOX[:, 2]])
    quarter = np.eye(4)
    quarter[:2, :2], quarter[:3, 3] = [[0, -1], [1, 0]], (5, 6, 7)
    np.testing.assert_allclose(place.box_of(corners, quarter), [[4.9, 5.6, 6.5], [5.1, 6.4, 7.5]])


def test_a_room_encloses_and_a_floor_does_not():
    room, floor = cube(0.0, half=5.0), np.array([[-9, -9, -0.5], [9, 9, -0.5]])
    assert place.encloses(BOX, np.array([room, floor])).tolist() == [True, False]
