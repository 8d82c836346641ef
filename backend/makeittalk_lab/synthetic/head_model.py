"""ICT-FaceKit's morphable head with all its parts: skin, eyes, lashes, teeth, gums and tongue, cm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from makeittalk.exchange import storage
from makeittalk.exchange.constants import LANDMARKS
from makeittalk.exchange.errors import InputError
from scipy import sparse
from scipy.spatial import cKDTree

#: How each of the head's materials is drawn; those that are missing here are not.
SKIN, FLESH, TOOTH, EYE, LASH, CLOTH, LONG_HAIR = range(7)
_DRAWN = {
    "M_Face": SKIN,
    "M_BackHead": SKIN,
    "M_GumsTongue": FLESH,
    "M_Teeth": TOOTH,
    "M_ScleraLeft": EYE,
    "M_ScleraRight": EYE,
    "M_EyeLashes": LASH,
}


class HeadModel:
    """The head: x to its left, y up, z to its front, cm.

    Attributes:
        neutral: (V, 3). names: of the expressions. expressions: (E, V, 3). identities: (I, V, 3).
        quads: (Q, 4), lashes last. kinds: (V,) how a vertex is drawn. uv: (V, 2) of the texture.
        landmarks: (68,) vertices of the face points.
    """

    def __init__(self, values: dict[str, np.ndarray]) -> None:
        self.neutral = np.asarray(values["neutral"], np.float32)
        self.names = [str(name) for name in values["expression_names"]]
        self._column = {name: index for index, name in enumerate(self.names)}
        self._expressions = np.asarray(values["expressions"], np.float32).reshape(len(self.names), -1)
        self._identities = np.asarray(values["identities"], np.float32)
        self.landmarks = np.asarray(values["landmarks68"], np.int64)
        kinds = np.array([_DRAWN.get(str(name), -1) for name in values["material_names"]])[values["materials"]]
        quads = np.asarray(values["quads"], np.int64)
        order = np.argsort(kinds, kind="stable")
        order = order[kinds[order] >= 0]
        self.quads = quads[order]
        self.kinds = np.full(len(self.neutral), -1)
        self.kinds[self.quads.ravel()] = np.repeat(kinds[order], 4)
        self.uv = np.zeros((len(self.neutral), 2), np.float32)
        self.uv[quads.ravel()] = values["uv"][values["uv_quads"].ravel()]
        rows = self.quads.ravel()
        columns = np.repeat(np.arange(len(self.quads)), 4)
        shape = (len(self.neutral), len(self.quads))
        self._around = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape)

    @classmethod
    def load(cls, path: str | Path) -> HeadModel:
        """Reads `ict_facekit.npz`.

        Raises:
            InputError: it is missing or damaged.
        """
        values = storage.read_npz(path)
        try:
            count = len(values["neutral"])
            quads = values["quads"]
            fits = (
                values["neutral"].shape == (count, 3)
                and values["expressions"].shape == (len(values["expression_names"]), count, 3)
                and values["identities"].shape[1:] == (count, 3)
                and values["landmarks68"].shape == (LANDMARKS,)
                and quads.shape == values["uv_quads"].shape == (len(values["materials"]), 4)
                and min(quads.min(), values["landmarks68"].min()) >= 0
                and max(quads.max(), values["landmarks68"].max()) < count
            )
            head = cls(values) if fits else None
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise InputError(f"{path} is not an ICT-FaceKit head.", "Get the file again.") from error
        if head is None:
            raise InputError(f"{path} is not an ICT-FaceKit head.", "Get the file again.")
        return head

    @property
    def modes(self) -> int:
        """How many identity modes there are."""
        return len(self._identities)

    def person(self, weights: np.ndarray) -> np.ndarray:
        """The head of a person at rest, (V, 3), from weights (I,) of the identity modes."""
        return self.neutral + np.tensordot(np.asarray(weights, np.float32), self._identities, 1)

    def express(self, person: np.ndarray, curves: dict[str, float]) -> np.ndarray:
        """A person's head (V, 3) with an expression: values of the head's own expression names."""
        used = {self._column[name]: value for name, value in curves.items() if value}
        if not used:
            return person
        values = np.array(list(used.values()), np.float32)
        return person + (values @ self._expressions[list(used)]).reshape(-1, 3)

    def normals(self, vertices: np.ndarray) -> np.ndarray:
        """Unit normals (V, 3) of vertices (V, 3)."""
        corner = vertices[self.quads]
        facing = np.cross(corner[:, 2] - corner[:, 0], corner[:, 3] - corner[:, 1])
        summed = self._around @ facing
        return summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-9)

    def lash_tips(self) -> np.ndarray:
        """How far from the lid each vertex of a lash lies, (V,) 0–1."""
        lash = self.kinds == LASH
        away = cKDTree(self.neutral[self.kinds == SKIN]).query(self.neutral[lash])[0]
        tips = np.zeros(len(self.neutral), np.float32)
        tips[lash] = np.clip(away / 0.55, 0.0, 1.0)
        return tips
