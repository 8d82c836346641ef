"""The smooth step between two levels, that blinks, lips and soft edges are shaped with. NumPy only."""

from __future__ import annotations

import numpy as np


def smoothstep(share: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, and 3x² − 2x³ between them, level at both ends."""
    x = np.clip(share, 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x))
