"""Brows: how far they rise, and how far each of their landmarks travels then."""

from __future__ import annotations

import numpy as np

from ..exchange.constants import LANDMARKS
from ..landmarks.ibug68 import BROW_LEFT, BROW_RIGHT

_PROFILE = np.array([0.55, 0.75, 0.9, 1.0, 1.0])  # from the outer end to the inner, which rises most

#: (68, 3) displacement of brows raised by one unit; y points down.
RAISED = np.zeros((LANDMARKS, 3))
RAISED[BROW_RIGHT, 1] = -_PROFILE
RAISED[BROW_LEFT, 1] = -_PROFILE[::-1]
RAISED.setflags(write=False)


def brow_raise(delta: np.ndarray) -> np.ndarray:
    """How far a displacement (T, 68, 3) raises both brows together, (T,), in its unit.

    What else it does to them is mostly the head's pose, fitted a little wrong; shape keys would not hold it.
    """
    return np.tensordot(delta, RAISED, 2) / float((RAISED**2).sum())
