"""Reads tables between their rows."""

from __future__ import annotations

import numpy as np


def interpolate_table(table: np.ndarray, position: float) -> np.ndarray:
    """A table (N, …) read at a position between 0 and N − 1, linearly."""
    low = min(int(position), len(table) - 2)
    return np.asarray(table[low] + (position - low) * (table[low + 1] - table[low]))
