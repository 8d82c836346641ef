"""A portrait's landmarks: `face.json`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import storage
from ..constants import LANDMARKS, MAX_PORTRAIT_SIDE
from ..errors import InputError
from .checks import FORMAT, check_array, check_format


@dataclass
class Face:
    """A portrait's landmarks (`face.json`).

    Attributes:
        image: path of the prepared portrait (upright sRGB 8-bit PNG).
        width, height: its size, px.
        landmarks: (68, 3) float32, px.
        detector: who found them ("mediapipe", "face-alignment", "hand").
        confidence: 0–1.
    """

    image: Path
    width: int
    height: int
    landmarks: np.ndarray
    detector: str = "hand"
    confidence: float = 1.0

    @property
    def size(self) -> np.ndarray:
        return np.array([self.width, self.height], np.int32)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the face; the image is named relative to the file.

        Raises:
            OutputError: it cannot be written.
        """
        relative = os.path.relpath(self.image, Path(path).parent)
        points = [[round(float(v), 4) for v in point] for point in self.landmarks]
        image = {"path": Path(relative).as_posix(), "width": self.width, "height": self.height}
        storage.write_json(
            path,
            {
                "format": FORMAT,
                "image": image,
                "landmarks": points,
                "detector": self.detector,
                "confidence": round(float(self.confidence), 4),
            },
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
            picture = (folder / str(image["path"])).resolve()
            width, height = int(image["width"]), int(image["height"])
            landmarks = np.array(value["landmarks"], np.float64)
            detector, confidence = str(value.get("detector", "hand"))[:40], float(value.get("confidence", 1.0))
        except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
            raise InputError(f"{path} is not a face file.", "Make it with `makeittalk detect`.") from error
        if not picture.is_relative_to(folder):
            raise InputError(f"{path} names a picture outside its own folder.", "Keep the picture beside it.")
        if not (1 <= width <= MAX_PORTRAIT_SIDE and 1 <= height <= MAX_PORTRAIT_SIDE):
            raise InputError(f"{path} names an impossible picture size.", "Make it with `makeittalk detect`.")
        check_array(path, "landmarks", landmarks, (LANDMARKS, 3))
        if float(np.ptp(landmarks[:, :2], axis=0).min()) < 1.0:
            raise InputError(f"{path} holds landmarks that do not form a face.", "Correct the landmarks.")
        if not np.isfinite(confidence):
            confidence = 0.0
        return cls(picture, width, height, landmarks.astype(np.float32), detector, min(1.0, max(0.0, confidence)))
