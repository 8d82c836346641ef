"""Where the vertices of a mesh and the points of its shape keys are: a file of others may have them nowhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import AddonError

_FARTHEST = 1e18  # m from the origin; products of two such places are still numbers


def read(points: Any) -> np.ndarray:
    """The coordinates of vertices, or of a shape key's points, (V, 3) float32."""
    found = np.empty(3 * len(points), np.float32)
    points.foreach_get("co", found)
    return found.reshape(-1, 3)


def check(name: str, *places: Any) -> None:
    """Sees to it that coordinates are numbers that can be reckoned with.

    Args:
        name: of whatever they belong to, for the sentence. places: arrays, or matrices of Blender's.

    Raises:
        AddonError: one is not.
    """
    for numbers in places:
        if not (np.abs(np.asarray(numbers, np.float64)) < _FARTHEST).all():
            raise AddonError(f"{name} has points that lie nowhere.", "Undo what moved them, or make it again.")
