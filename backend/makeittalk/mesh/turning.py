"""What a plane's relief does to its triangles when the head turns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..exchange import formats
from .deform import deform, signed_areas

_TURN = np.deg2rad(20.0)  # yaw and pitch that no triangle may flip at
#: Keys at 1 in which the head is turned that far.
_TURNED = (
    ("jawOpen",),
    ("mouthShut",),
    ("mouthSmileLeft", "mouthSmileRight"),
    ("mouthPucker",),
    ("mouthFunnel",),
    ("mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight"),
)
_MARGINS = (0.02, 0.2)  # share of a triangle's own area that must be left there, and that shall be
_KEPT = 0.35  # of what is left of it without any depth: no more can be asked
_FOLDED = 0.06  # share of it below which a triangle is folded by the expression alone


@dataclass
class Turning:
    """The triangles' areas with the head turned to every side, in several expressions: P poses, F triangles.

    All vertices that the head carries move the same way for their depth, so areas are linear in the depths: a
    triangle's is `flat` + `gain` · (depths of its corners).

    Attributes:
        triangles: (F, 3). flat: (P, F) shares of their area at rest, where no vertex has any depth.
        gain: (P, F, 3) the same for each px of a corner's depth.
        needed: (P, F) shares that must be left.
        helped: (P, F) whether depth can help it: not those that the expression alone folds, as it may at a steep
            edge of a drawn mouth, whichever way the face looks.
    """

    triangles: np.ndarray
    flat: np.ndarray
    gain: np.ndarray
    needed: np.ndarray
    helped: np.ndarray

    @classmethod
    def of(cls, mesh: formats.Mesh, ground: float, edges: np.ndarray) -> Turning:
        """Those of a mesh for depths over `ground`, px.

        Args:
            edges: (n,) vertices of lids and lips, of whose triangles twice as much must be left: eyes are laid in, and
                their lids moved, later.
        """
        steps = np.array([-1.0, 0.0, 1.0]) * _TURN
        pitch, yaw = (axis.ravel() for axis in np.meshgrid(steps, steps))
        turns = np.stack([pitch, yaw, np.zeros_like(yaw)], axis=1)
        faces = np.zeros((1 + len(_TURNED), 68, 3))
        for face, names in zip(faces[1:], _TURNED, strict=True):
            face += mesh.key_landmarks[np.isin(mesh.key_names, names)].sum(axis=0)
        expression = np.repeat(faces, len(turns), axis=0)
        rotation = np.tile(turns, (len(faces), 1))
        rest = signed_areas(mesh.vertices, mesh.triangles)
        # Seen from the front a vertex moves linearly with its depth: two depths tell all others.
        still = deform(_at_depth(mesh, ground), expression, rotation, np.zeros(3))[..., :2].astype(np.float64)
        swing = deform(_at_depth(mesh, ground + 1.0), expression, rotation, np.zeros(3))[..., :2] - still
        flat = signed_areas(still, mesh.triangles) / rest
        gain = np.empty((*flat.shape, 3))
        for corner in range(3):
            at, following, last = (mesh.triangles[:, (corner + step) % 3] for step in range(3))
            lifted = np.stack([still[:, at] + swing[:, at], still[:, following], still[:, last]], axis=2)
            corners = np.arange(3 * len(at)).reshape(-1, 3)
            gain[..., corner] = signed_areas(lifted.reshape(len(still), -1, 2), corners) / rest - flat
        ahead = np.flatnonzero((turns == 0.0).all(axis=1))[0]
        folded = flat.reshape(len(faces), len(turns), -1)[:, ahead] < _FOLDED
        more = np.where(np.isin(mesh.triangles, edges).any(axis=1), 2.0, 1.0)
        needed = np.maximum(more * np.clip(_KEPT * flat, None, _MARGINS[1]), _MARGINS[0])
        return cls(mesh.triangles, flat, gain, needed, np.repeat(~folded, len(turns), axis=0))

    def left(self, depth: np.ndarray) -> np.ndarray:
        """What is left of each triangle beyond what must be, (P, F), shares of its area; depth: (V,) px."""
        left = self.flat + np.einsum("pfc,fc->pf", self.gain, depth[self.triangles]) - self.needed
        return np.where(self.helped, left, np.inf)

    def flips(self, depth: np.ndarray) -> bool:
        """Whether any triangle flips in any pose for a depth (V,) px."""
        return bool((self.left(depth) < 0.0).any())

    def demands(self, poses: np.ndarray, chosen: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows (n, count) and bounds (n,): rows · depth ≥ bounds where triangles `chosen` (n,) have not flipped in
        `poses` (n,), for a depth of `count` vertices."""
        rows = np.zeros((len(chosen), count))
        for corner in range(3):
            np.add.at(rows, (np.arange(len(chosen)), self.triangles[chosen, corner]), self.gain[poses, chosen, corner])
        return rows, self.needed[poses, chosen] - self.flat[poses, chosen]


def _at_depth(mesh: formats.Mesh, depth: float) -> formats.Mesh:
    """The mesh with all vertices at one depth."""
    vertices = mesh.vertices.copy()
    vertices[:, 2] = depth
    return replace(mesh, vertices=vertices)
