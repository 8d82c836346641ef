"""MakeHuman's base mesh with its targets and what is worn on it (CC0): heads put together in NumPy.

Source: makehumancommunity/mpfb2, makehuman-assets and makehuman; macro targets are mixed by the shares of age, sex and
origin, as MakeHuman's modelling tab does.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
from makeittalk.exchange import storage
from makeittalk.exchange.errors import InputError

KIT_FILE = "heads.npz"
_MOUTH_ISLAND = 1  # row of `uv_islands`
_NO_CORNER = 65535  # of a triangle among quads
_METRES = 0.1  # a unit of the kit, a decimetre
ETHNICITIES = ("african", "asian", "caucasian")
AGES = ("child", "young", "old")


class HumanKit:
    """Heads and all their parts, metres: x to the head's left, y up, z to its front.

    Attributes:
        folder: where it was read from; `textures` lies there. skin: how many vertices are skin, the first ones.
    """

    def __init__(self, folder: Path, values: dict[str, np.ndarray]) -> None:
        self.folder, self.values = folder, values
        self.skin = int(values["n_skin_verts"])
        self._base = _METRES * np.asarray(values["base_verts"], np.float64)
        self._index = {k: {str(n): i for i, n in enumerate(values[f"{k}_names"])} for k in ("macro", "shape", "expr")}

    @classmethod
    def load(cls, folder: str | Path) -> HumanKit:
        """Reads the kit's folder.

        Raises:
            InputError: it is missing or damaged.
        """
        path = Path(folder) / KIT_FILE
        values = storage.read_npz(path, most=512)
        try:
            count = len(values["base_verts"])
            fits = (
                all(
                    values[kind].shape == (len(values[f"{kind}_names"]), count, 3)
                    for kind in ("macro", "shape", "expr")
                )
                and int(values["skin_faces"].max()) < int(values["n_skin_verts"]) <= count
            )
            kit = cls(Path(folder), values) if fits else None
        except (KeyError, IndexError, ValueError, TypeError, OverflowError) as error:
            raise InputError(f"{path} is not a kit of human heads.", "Get the file again.") from error
        if kit is None:
            raise InputError(f"{path} is not a kit of human heads.", "Get the file again.")
        return kit

    def names(self, kind: str) -> list[str]:
        """The names of `macro`, `shape` or `expr`."""
        return list(self._index[kind])

    def person(
        self,
        ages: dict[str, float],
        male: float,
        origins: dict[str, float],
        weight: float,
        muscle: float,
        shapes: dict[str, float],
    ) -> np.ndarray:
        """A head at rest (V, 3).

        Args:
            ages, origins: shares with sum 1. male: 0–1. weight, muscle: -1–1. shapes: amounts of shape targets, 0–1.
        """
        sexes = {"male": male, "female": 1.0 - male}
        macro = {f"{o}-{s}-{a}": origins[o] * sexes[s] * ages[a] for o, s, a in product(origins, sexes, ages)}
        for s, a in product(sexes, ages):
            share = sexes[s] * ages[a]
            macro[f"universal-{s}-{a}-averagemuscle-{'max' if weight > 0 else 'min'}weight"] = abs(weight) * share
            macro[f"universal-{s}-{a}-{'max' if muscle > 0 else 'min'}muscle-averageweight"] = abs(muscle) * share
        return self._base + self.offset("macro", macro) + self.offset("shape", shapes)

    def offset(self, kind: str, amounts: dict[str, float]) -> np.ndarray:
        """The sum of targets (V, 3)."""
        total = np.zeros_like(self._base)
        for name, amount in amounts.items():
            if amount:
                total += (_METRES * amount) * self.values[kind][self._index[kind][name]].astype(np.float64)
        return total

    def fit(self, asset: str, head: np.ndarray) -> np.ndarray:
        """An asset's vertices (n, 3) on a head (V, 3)."""
        pairs, spans = self.values[f"{asset}__scale_ref"], self.values[f"{asset}__scale_den"]
        scale = np.array(
            [
                abs(head[a, axis] - head[b, axis]) / span if span else _METRES
                for axis, ((a, b), span) in enumerate(zip(pairs, spans, strict=True))
            ]
        )
        held = (head[self.values[f"{asset}__ref"]] * self.values[f"{asset}__w"][..., None]).sum(1)
        return np.asarray(held + self.values[f"{asset}__off"] * scale)

    def mesh(self, asset: str) -> tuple[np.ndarray, np.ndarray]:
        """Faces (n, 4), -1 for no fourth corner, and the UV of each corner, in the faces' order (corners, 2)."""
        name = "teeth_base" if asset.startswith("teeth") else asset
        gap = "_" if name == "skin" else "__"
        faces = self.values[f"{name}{gap}faces"].astype(np.int64)
        corners = self.values[f"{name}{gap}face_uv"].astype(np.int64)
        uv = self.values[f"{name}{gap}uv"][corners[corners != _NO_CORNER]]
        return np.where(faces == _NO_CORNER, -1, faces), np.asarray(uv, np.float32)

    def mouth_inside(self) -> np.ndarray:
        """Vertices of the skin that line the mouth: those of its island of the texture."""
        left, low, right, high = self.values["uv_islands"][_MOUTH_ISLAND, 4:]
        u, v = self.values["skin_uv"].T
        inside = (u >= left) & (u <= right) & (v >= low) & (v <= high)
        return np.unique(self.values["skin_faces"][inside[self.values["skin_face_uv"]].all(1)]).astype(np.int64)

    def region(self, name: str) -> np.ndarray:
        """Vertices of a region."""
        return self.values[f"region_{name}"].astype(np.int64)

    def group(self, name: str) -> np.ndarray:
        """Vertices of a group of helpers."""
        return self.values[f"group_{name}"].astype(np.int64)

    def joint(self, name: str, head: np.ndarray) -> np.ndarray:
        """Where a joint is (3,)."""
        return np.asarray(head[self.values[f"joint_{name}"]].mean(0))
