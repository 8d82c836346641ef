"""Clips of rendered heads: pictures with their landmarks, one .npz a clip."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from makeittalk.exchange import storage
from makeittalk.exchange.constants import LANDMARKS
from makeittalk.exchange.errors import InputError

from .clips import FORMAT


@dataclass
class RenderedClip:
    """One person under one light.

    Attributes:
        pictures: (N, H, W, 3) uint8 RGB; the first is the portrait.
        landmarks: (N, 68, 3) float32 px: x right, y down, z away, 0 midway between the jaw ends; as MediaPipe finds
            them, because films and portraits are measured so, and its points are not quite those of the head.
        projected: the same of the head's own points, exact.
    """

    pictures: np.ndarray
    landmarks: np.ndarray
    projected: np.ndarray

    def save(self, path: Path) -> None:
        """Writes the clip."""
        storage.write_npz(path, {"format": FORMAT, **vars(self)})

    @classmethod
    def load(cls, path: Path) -> RenderedClip:
        """Reads a clip.

        Raises:
            InputError: the file is no clip.
        """
        values = storage.read_npz(path)
        try:
            pictures, landmarks, projected = values["pictures"], values["landmarks"], values["projected"]
            fits = (
                int(values["format"]) == FORMAT
                and pictures.dtype == np.uint8
                and pictures.ndim == 4
                and pictures.shape[3] == 3
                and landmarks.shape == projected.shape == (len(pictures), LANDMARKS, 3)
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(f"{path} is not a rendered clip.", "Run `makeittalk prepare renders` again.") from error
        if not fits:
            raise InputError(f"{path} is not a rendered clip.", "Run `makeittalk prepare renders` again.")
        return cls(pictures, landmarks, projected)
