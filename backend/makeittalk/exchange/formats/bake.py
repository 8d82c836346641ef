"""A motion on the frames of a scene, and a mesh as it moves there: `bake.npz` and `moves.npz`."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from .. import storage
from ..amounts import Amounts
from .arrays import ArraysFile
from .checks import FORMAT, check_keys, check_rate


@dataclass
class Bake(ArraysFile):
    """A motion on the scene's frames (`bake.npz`): what the add-on turns into F-curves.

    Frame i of the arrays lands on `start + i`; time of frame i is `i · fps_base / fps`. What an amount scales stands
    apart and at amount 1, so that amounts need no other bake; smoothing alone is in the arrays.

    Attributes:
        fps: the scene's rate, `fps / fps_base`.
        key_names: (K,). key_range: (K, 2) slider limits.
        rest_values: (K,) the face that says nothing: its mouth shut. No amount scales it.
        lip_values: (N, K) what the lip amount scales. expression_values: (N, K) what the head amount scales: brows,
            eyes. blink_values: (N, K) what the blink amount scales. gaze_values: (N, K) what the gaze amount scales,
            None in older files. A face has the sum of all.
        head_rotation: (N, 3) the bone's `rotation_euler`, rad. head_location: (N, 3) its `location`, Blender units.
        residual: (N,) what the keys leave of the prediction: largest landmark error, px at 256 px face width.
    """

    fps: float
    key_names: np.ndarray
    key_range: np.ndarray
    rest_values: np.ndarray
    lip_values: np.ndarray
    expression_values: np.ndarray
    blink_values: np.ndarray
    head_rotation: np.ndarray
    head_location: np.ndarray
    residual: np.ndarray
    gaze_values: np.ndarray | None = None

    @property
    def frames(self) -> int:
        return len(self.lip_values)

    def key_values(self, amounts: Amounts | None = None) -> np.ndarray:
        """The values (N, K) that a face has with these amounts, 1 where None."""
        amounts = amounts or Amounts()
        values = self.rest_values + np.float32(amounts.lip) * self.lip_values
        values += np.float32(amounts.head) * self.expression_values
        values += np.minimum(np.float32(amounts.blink) * self.blink_values, 1.0)  # an eye is no more than shut
        if self.gaze_values is not None:
            values += np.minimum(np.float32(amounts.gaze) * self.gaze_values, 1.0)  # nor turned further than it goes
        return values

    @classmethod
    def shapes(cls) -> dict[str, tuple[int | str, ...]]:
        return {
            "fps": (),
            "key_names": ("K",),
            "key_range": ("K", 2),
            "rest_values": ("K",),
            "lip_values": ("N", "K"),
            "expression_values": ("N", "K"),
            "blink_values": ("N", "K"),
            "head_rotation": ("N", 3),
            "head_location": ("N", 3),
            "residual": ("N",),
            "gaze_values": ("N", "K"),
        }

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Bake:
        """Reads a bake.

        Raises:
            InputError: the file is damaged.
        """
        values = cls.read(path, frozenset(cls.shapes()) - {"gaze_values"})
        values["fps"] = check_rate(path, values["fps"])
        check_keys(path, values["key_names"], values["key_range"])
        return cls(**values)


@dataclass
class Moves(ArraysFile):
    """How a character's mesh moves, frame by frame: what the add-on reads from Blender for photoreal frames.

    Attributes:
        vertices: (T, V, 3) float32 px of the portrait, the order that of `Mesh.vertices`; expression and head included.
    """

    vertices: np.ndarray

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the file whole or not at all, as it is: it is read once, and packing takes longer than reading.

        Raises:
            OutputError: it cannot be written.
        """
        with storage.replacing(path) as temporary:
            np.savez(temporary, format=FORMAT, vertices=self.vertices)

    @classmethod
    def shapes(cls) -> dict[str, tuple[int | str, ...]]:
        return {"vertices": ("T", "V", 3)}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Moves:
        """Reads a character's moves.

        Raises:
            InputError: the file is damaged.
        """
        values = cls.read(path, frozenset(cls.shapes()))
        return cls(values["vertices"].astype(np.float32, copy=False))
