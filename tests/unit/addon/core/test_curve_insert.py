"""Keys added onto a curve, by arrays alone; `tests/blender/scene/test_gestures.py` asks Blender the same."""

from __future__ import annotations

import numpy as np
import pytest
from extension import part_outside

insert = part_outside("addon.core.curve_insert")


def curve(co, interpolation=insert.BEZIER, slope: float = 0.0):
    co = np.array(co, float).reshape(-1, 2)
    reach = np.array([4.0, 4.0 * slope])
    ones = np.ones(len(co), np.int32)
    return insert.Points(
        *(co, co - reach, co + reach),
        *(ones * insert.AUTO, ones * insert.AUTO, ones * interpolation, np.arange(len(co), dtype=np.int32)),
    )


def course(points, frames) -> np.ndarray:
    return np.array([insert.evaluate(points, frame) for frame in frames])


BUMP = np.array([20.0, 24.0, 30.0]), np.array([0.0, 1.0, 0.0])
FRAMES = np.arange(0.0, 80.0, 0.5)
OUTSIDE = (FRAMES <= 20.0) | (FRAMES >= 30.0)


@pytest.mark.parametrize("interpolation", [insert.CONSTANT, insert.LINEAR, insert.BEZIER])
@pytest.mark.parametrize(
    "keys",
    [
        [],
        [(5, 0.3)],
        [(50, 0.3)],
        [(5, 0.0), (60, 0.9)],
        [(5, 0.0), (25, 0.7), (60, -0.4)],
        [(20, 0.1), (30, 0.5)],
        [(2, 0.0), (20, 0.4), (22, 0.1), (28, 0.6), (30, 0.2), (44, 1.0)],
    ],
)
def test_outside_the_span_the_course_stays(keys, interpolation):
    before = curve(keys, interpolation, slope=0.02)
    after = insert.insert(before, *BUMP)
    np.testing.assert_allclose(course(after, FRAMES[OUTSIDE]), course(before, FRAMES[OUTSIDE]), atol=1e-6)
    np.testing.assert_allclose(course(after, BUMP[0]), course(before, BUMP[0]) + BUMP[1], atol=1e-6)
    kept = after.origin != insert.NEW
    np.testing.assert_allclose(after.frames[kept], before.frames)
    assert (np.diff(after.frames) > 0.0).all()


def test_a_curve_cubic_in_time_is_added_to_exactly():
    before = curve([(0, 0.0), (60, 1.0)])
    before.right[0], before.left[1] = (20.0, 0.5), (40.0, 0.2)
    after = insert.insert(before, *BUMP)
    inside = FRAMES[~OUTSIDE]
    alone = course(insert.insert(curve([]), BUMP[0], BUMP[1], np.zeros(3)), inside)
    np.testing.assert_allclose(course(after, inside), course(before, inside) + alone, atol=1e-6)


def test_on_a_flat_curve_the_middle_keys_follow_their_neighbours():
    after = insert.insert(curve([(5, 0.2)]), *BUMP)
    assert after.left_type[2] == insert.AUTO_CLAMPED


def test_a_step_stays_a_step():
    before = curve([(5, 0.0), (26, 1.0)], insert.CONSTANT)
    after = insert.insert(before, *BUMP)
    added = course(insert.insert(curve([]), *BUMP), [25.0, 26.0])
    np.testing.assert_allclose(course(after, [25.0, 26.0]), [0.0 + added[0], 1.0 + added[1]], atol=1e-6)
