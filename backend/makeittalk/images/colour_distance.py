"""How far pixels are from colours."""

from __future__ import annotations

import numpy as np


def nearest_distance(pixels: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """How far each pixel (h, w, 3) is from the nearest of the colours (k, 3), in their unit."""
    return np.min([np.linalg.norm(pixels - colour.astype(np.float32), axis=-1) for colour in colours], axis=0)
