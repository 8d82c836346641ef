"""The landmarks of ICT-FaceKit's morphable head, moved by curves of expressions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from makeittalk.exchange import storage
from makeittalk.exchange.errors import InputError

HEAD_FILE = "ict_facekit.npz"
_IDENTITY_STD = 0.7  # standard deviation of each identity's weight
_PIXELS = 10.0  # px a centimetre
_TO_IMAGE = np.array([1.0, -1.0, -1.0])  # x right, y down, z away


def find_head_file(source: Path) -> Path | None:
    """The head's file in a folder or beside it, where there is one."""
    return next((path for path in (source / HEAD_FILE, source.parent / HEAD_FILE) if path.is_file()), None)


class LandmarkHead:
    """The landmarks of ICT-FaceKit's morphable head, cm: neutral (68, 3), expressions (E, 68, 3), identities."""

    def __init__(self, neutral: np.ndarray, names: list[str], expressions: np.ndarray, identities: np.ndarray) -> None:
        self.neutral, self.names, self.expressions, self.identities = neutral, names, expressions, identities

    @classmethod
    def load(cls, path: Path) -> LandmarkHead:
        """Reads the head.

        Raises:
            InputError: it is missing or damaged.
        """
        values = storage.read_npz(path)
        try:
            points = values["landmarks68"]
            names = [str(name) for name in values["expression_names"]]
            parts = (values["neutral"][points], values["expressions"][:, points], values["identities"][:, points])
        except (KeyError, IndexError) as error:
            raise InputError(f"{path} is not an ICT-FaceKit head.", "Get the file again.") from error
        neutral, expressions, identities = (np.asarray(part, np.float64) for part in parts)
        return cls(neutral, names, expressions, identities)

    def play(self, curves: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A random head at rest (68, 3) and moving (T, 68, 3), px, from expression curves (T, E)."""
        weights = rng.normal(0.0, _IDENTITY_STD, len(self.identities))
        neutral = self.neutral + np.tensordot(weights, self.identities, 1)
        moved = neutral + np.tensordot(curves, self.expressions, 1)
        scale = _PIXELS * _TO_IMAGE
        middle = (neutral[0] + neutral[16]) / 2
        return (neutral - middle) * scale, (moved - middle) * scale
