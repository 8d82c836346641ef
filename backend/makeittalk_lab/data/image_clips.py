"""Clips to learn pictures from: one portrait, and other moments of the same face as filmed and as warped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from makeittalk.exchange import storage
from makeittalk.exchange.constants import LANDMARKS
from makeittalk.exchange.errors import InputError
from makeittalk.images.face_crop import SIZE

from .mapped_npz import map_array, write_mapped

_MAX_PICTURES = 4096  # of one clip


@dataclass
class ImageClip:
    """The face's square of one portrait and of N moments.

    Attributes:
        name: of the clip. portrait: (256, 256, 3) uint8 RGB. warps, targets: (N, 256, 256, 3), the portrait moved by
            its mesh to each moment, and that moment itself.
        rest: (68, 2) px of the square, the portrait's landmarks. landmarks: (N, 68, 2), where the mesh took them.
    """

    name: str
    portrait: np.ndarray
    warps: np.ndarray
    targets: np.ndarray
    rest: np.ndarray
    landmarks: np.ndarray

    def save(self, folder: Path) -> None:
        """Writes `NAME.npy` (pictures, unpacked so that they can be mapped) and `NAME.npz` (points).

        Raises:
            OutputError: they cannot be written.
        """
        pictures = np.concatenate([self.portrait[None], self.warps, self.targets])
        write_mapped(
            folder / f"{self.name}.npz",
            {
                "format": 1,
                "rest": self.rest.astype(np.float32),
                "landmarks": self.landmarks.astype(np.float32),
            },
        )
        with storage.replacing(folder / f"{self.name}.npy") as temporary:
            np.save(temporary, pictures)

    @classmethod
    def load(cls, folder: Path, name: str) -> ImageClip:
        """Maps a clip's pictures into memory.

        Raises:
            InputError: it is missing or damaged.
        """
        points = storage.read_npz(folder / f"{name}.npz")
        path = folder / f"{name}.npy"
        try:
            pictures = map_array(path)
            count = len(points["landmarks"])
            fits = pictures.shape == (2 * count + 1, SIZE, SIZE, 3) and pictures.dtype == np.uint8
            if not fits or points["rest"].shape != (LANDMARKS, 2) or not 1 <= count < _MAX_PICTURES:
                raise ValueError("other shapes")
        except (KeyError, TypeError, ValueError, OverflowError, OSError, EOFError) as error:
            raise InputError(f"{path} is not an image clip.", "Prepare the frames again.") from error
        return cls(
            name, pictures[0], pictures[1 : count + 1], pictures[count + 1 :], points["rest"], points["landmarks"]
        )
