"""The square around a face that networks see: one a character, it stays where it is while the head moves."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

SIZE = 256  # px of the square as the networks see it
_REACH = 1.5  # side of the square in extents of the landmarks
_RISE = 0.04  # how far it lies above their middle, in its sides: brows end the landmarks, foreheads do not
_SMALLEST = 16  # px


@dataclass(frozen=True)
class FaceCrop:
    """A square of a picture, px; it may reach beyond the picture, whose edges are then extended."""

    left: int
    top: int
    side: int

    @classmethod
    def of(cls, landmarks: np.ndarray) -> FaceCrop:
        """The square around landmarks (68, ≥2) px at rest."""
        low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
        side = max(_SMALLEST, round(_REACH * float((high - low).max())))
        corner = np.rint((low + high) / 2 - [side / 2, (0.5 + _RISE) * side]).astype(int)
        return cls(int(corner[0]), int(corner[1]), side)

    def take(self, picture: np.ndarray, size: int = SIZE) -> np.ndarray:
        """The square of a picture (H, W, C) uint8, resampled to (size, size, C)."""
        height, width = picture.shape[:2]
        left, top = max(0, -self.left), max(0, -self.top)
        right, bottom = max(0, self.left + self.side - width), max(0, self.top + self.side - height)
        part = picture[
            max(0, self.top) : max(0, self.top + self.side), max(0, self.left) : max(0, self.left + self.side)
        ]
        if left or top or right or bottom:
            part = cv2.copyMakeBorder(part, top, bottom, left, right, cv2.BORDER_REPLICATE)
        if self.side == size:
            return np.ascontiguousarray(part)
        way = cv2.INTER_AREA if self.side > size else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(part, (size, size), interpolation=way))

    def place(self, points: np.ndarray, size: int = SIZE) -> np.ndarray:
        """Where points (…, 2) px of the picture lie in the resampled square, px."""
        return (np.asarray(points, np.float64) - [self.left, self.top]) * (size / self.side)
