"""Clips of a mouth up close: one person's shut mouth, and the same mouth in other moments under the same light."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from makeittalk.exchange import storage
from makeittalk.exchange.constants import LANDMARKS
from makeittalk.exchange.errors import InputError

FORMAT = 1


@dataclass
class MouthClip:
    """One person's pictures.

    Attributes:
        pictures: (N, s, s, 3) uint8 RGB; the first is the mouth shut. moments: (N,) names of the sound or expression,
            "rest" first. whole: (N,) bool, the whole face and not the mouth alone.
        landmarks: (N, 68, 2) px of the picture, which may lie outside it; the corner of the first pixel is 0.
        inner: (N, R, 2) px, the edge of the mouth: upper lip from the person's right to the left, then the lower back.
        jaw: (N,) mm that the lower teeth are down. pose: (N, 3) degrees yaw, pitch and roll.
        teeth: number of the set of teeth, the same in the whole clip. person: (3,) male, old, origin's number.
    """

    pictures: np.ndarray
    moments: np.ndarray
    whole: np.ndarray
    landmarks: np.ndarray
    inner: np.ndarray
    jaw: np.ndarray
    pose: np.ndarray
    teeth: int
    person: np.ndarray

    def save(self, path: Path) -> None:
        """Writes the clip.

        Raises:
            OutputError: it cannot be written.
        """
        storage.write_npz(path, {"format": FORMAT, **vars(self)})

    @classmethod
    def load(cls, path: Path) -> MouthClip:
        """Reads a clip.

        Raises:
            InputError: the file is no clip.
        """
        values = storage.read_npz(path)
        try:
            count = len(values["pictures"])
            fits = (
                int(values.pop("format")) == FORMAT
                and values["pictures"].dtype == np.uint8
                and values["pictures"].ndim == 4
                and values["pictures"].shape[3] == 3
                and values["landmarks"].shape == (count, LANDMARKS, 2)
                and values["inner"].ndim == 3
                and values["pose"].shape == (count, 3)
                and all(len(values[name]) == count for name in ("moments", "whole", "inner", "jaw"))
            )
            clip = cls(**(values | {"teeth": int(values["teeth"])})) if fits else None  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(f"{path} is not a clip of a mouth.", "Prepare the heads again.") from error
        if clip is None:
            raise InputError(f"{path} is not a clip of a mouth.", "Prepare the heads again.")
        return clip
