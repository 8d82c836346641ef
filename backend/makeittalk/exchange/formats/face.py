"""A portrait's landmarks: `face.json`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import storage
from ..constants import LANDMARKS
from ..errors import InputError
from .checks import FORMAT, check_face, check_format, check_numbers, check_shape, check_size


@dataclass
class Face:
    """A portrait's landmarks (`face.json`).

    Attributes:
        image: path of the prepared portrait (upright sRGB 8-bit PNG).
        width, height: its size, px.
        landmarks: (68, 3) float32, px.
        detector: who found them ("mediapipe", "face-alignment", "hand").
        confidence: 0–1.
        irises: (2, 3) float32 px, right and left: middle x, y and radius; None where nobody has looked for them.
    """

    image: Path
    width: int
    height: int
    landmarks: np.ndarray
    detector: str = "hand"
    confidence: float = 1.0
    irises: np.ndarray | None = None

    @property
    def size(self) -> np.ndarray:
        return np.array([self.width, self.height], np.int32)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the face; the image is named relative to the file.

        Raises:
            OutputError: it cannot be written.
        """
        # Seen from where the file really is, as `load` does: `path` may be a link.
        picture = os.path.join(os.path.realpath(self.image.parent), self.image.name)
        relative = os.path.relpath(picture, os.path.dirname(os.path.realpath(path)))
        points = [[round(float(v), 4) for v in point] for point in self.landmarks]
        irises = {} if self.irises is None else {"irises": [[round(float(v), 4) for v in i] for i in self.irises]}
        image = {"path": Path(relative).as_posix(), "width": self.width, "height": self.height}
        storage.write_json(
            path,
            {
                "format": FORMAT,
                "image": image,
                "landmarks": points,
                "detector": self.detector,
                "confidence": round(float(self.confidence), 4),
            }
            | irises,
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Face:
        """Reads a face; its image must lie in the file's own folder or below.

        Raises:
            InputError: the file is damaged, of another format, or leaves its folder.
        """
        value = storage.read_json(path)
        check_format(path, value.get("format"))
        folder = Path(path).resolve().parent
        try:
            image = value["image"]
            name, detector = image["path"], value.get("detector", "hand")
            size = np.array([image["width"], image["height"]])
            landmarks, confidence = np.array(value["landmarks"], np.float64), float(value.get("confidence", 1.0))
            irises = np.array(value["irises"], np.float64) if value.get("irises") is not None else None
            if not isinstance(name, str) or not isinstance(detector, str) or size.shape != (2,):
                raise TypeError("a word or a number is something else")
            picture = (folder / name).resolve()
        except (KeyError, TypeError, ValueError, OverflowError, OSError, RuntimeError) as error:
            raise InputError(f"{path} is not a face file.", "Make it with `makeittalk detect`.") from error
        if not picture.is_relative_to(folder):
            raise InputError(f"{path} names a picture outside its own folder.", "Keep the picture beside it.")
        width, height = (int(side) for side in check_size(path, size))
        check_shape(path, "landmarks", landmarks.shape, (LANDMARKS, 3))
        check_numbers(path, "landmarks", landmarks)
        check_face(path, landmarks)
        if irises is not None:
            check_shape(path, "irises", irises.shape, (2, 3))
            check_numbers(path, "irises", irises)
            irises = irises.astype(np.float32)
        confidence = min(1.0, max(0.0, confidence))
        return cls(picture, width, height, landmarks.astype(np.float32), detector[:40], confidence, irises)
