"""Portrait pixels and Blender units. No bpy here.

Portrait: x right, y down, z away from the viewer, pixels. Blender: X right, Z up, the viewer at −Y; one unit is the
portrait's height and the picture's middle is the origin.
"""

from __future__ import annotations

import numpy as np


def points_to_blender(points: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Turns places in the portrait into Blender's.

    Args:
        points: (…, 3) px.
        size: (2,) width and height of the portrait, px.

    Returns:
        (…, 3) float64, Blender units.
    """
    width, height = float(size[0]), float(size[1])
    x, y, z = np.moveaxis(np.asarray(points, np.float64), -1, 0)
    return np.stack([(x - width / 2) / height, z / height, (height / 2 - y) / height], axis=-1)


def points_from_blender(points: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Turns places in Blender (…, 3) into the portrait's, (…, 3) float64 px; the inverse of `points_to_blender`."""
    width, height = float(size[0]), float(size[1])
    x, y, z = np.moveaxis(np.asarray(points, np.float64), -1, 0)
    return np.stack([x * height + width / 2, height / 2 - z * height, y * height], axis=-1)


def offsets_to_blender(offsets: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Turns displacements in the portrait (…, 3 px) into Blender's (…, 3 float64)."""
    x, y, z = np.moveaxis(np.asarray(offsets, np.float64), -1, 0)
    return np.stack([x, z, -y], axis=-1) / float(size[1])
