"""Runs of keys."""

from __future__ import annotations

import numpy as np
from extension import part_outside

runs = part_outside("addon.core.runs").runs


def test_a_long_pause_parts_runs():
    assert runs(np.array([]), 24.0) == []
    assert runs(np.array([1.0, 10.0, 34.0, 59.0, 60.0]), 24.0) == [(1.0, 34.0), (59.0, 60.0)]


def test_a_curve_that_goes_on_acting_is_one_run():
    frames, resting = np.array([0.0, 5.0, 95.0, 100.0, 200.0]), np.array([True, False, False, True, True])
    assert runs(frames, 24.0, resting) == [(0.0, 100.0), (200.0, 200.0)]
