"""What somebody has made of a mesh's vertices, on the vertices of another mesh of the same portrait."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ...backend.makeittalk.exchange.formats import Mesh

_NEAREST = 4  # old vertices that a new one takes after
_BLOCK = 256  # new vertices looked at together


@dataclass
class VertexTransfer:
    """For each new vertex the old ones that it takes after (V, n), and how much after each (V, n)."""

    indices: np.ndarray
    shares: np.ndarray

    @classmethod
    def between(cls, before: Mesh, after: Mesh, count: int) -> VertexTransfer:
        """How the vertices of a corrected face follow those of the face before.

        A new vertex is looked for where it would have been with the old landmarks: a dimple at a corner of the mouth
        goes where the corner goes.

        Args:
            before, after: the meshes. count: vertices that the old one has now; further ones are not looked at.
        """
        moved = after.vertices[after.landmark_vertices] - before.vertices[before.landmark_vertices]
        places = (after.vertices - after.W @ moved)[:, :2].astype(np.float64)
        known = before.vertices[:count, :2].astype(np.float64)
        indices, distances = [], []
        for start in range(0, len(places), _BLOCK):
            apart = np.linalg.norm(places[start : start + _BLOCK, None] - known[None], axis=2)
            nearest = np.argpartition(apart, min(_NEAREST, len(known)) - 1, axis=1)[:, :_NEAREST]
            indices.append(nearest)
            distances.append(np.take_along_axis(apart, nearest, axis=1))
        near = 1.0 / np.maximum(np.concatenate(distances), 1e-3) ** 2
        return cls(np.concatenate(indices), near / near.sum(axis=1, keepdims=True))

    def offsets(self, values: np.ndarray) -> np.ndarray:
        """Values (V_old, …) of the old vertices on the new ones, (V, …)."""
        return np.einsum("vn,vn...->v...", self.shares, values[self.indices])

    def weights(self, body: bpy.types.Object, group: bpy.types.VertexGroup) -> np.ndarray:
        """The weights of a vertex group, which has those of the old vertices, on the new ones, (V,)."""
        held = np.zeros(len(body.data.vertices))
        for vertex in body.data.vertices:
            for item in vertex.groups:
                if item.group == group.index:
                    held[vertex.index] = item.weight
        return self.offsets(held)
