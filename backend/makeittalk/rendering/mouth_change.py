"""Puts what the mouth network answers for its square into the full-resolution picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_UNSEEN = 1 / 255  # share of a change that no pixel shows
_BAND = 1 << 20  # px of the picture worked on together


@dataclass(frozen=True)
class MouthChange:
    """How a mouth changes: picture · (1 + zone · gain) + zone · difference, smooth enough to be enlarged.

    A gain leaves the picture's own detail, finer than the square's pixels, where it is.

    Attributes:
        change: (256, 256, 6) float32, gain and difference RGB, −1 to 1. zone: (256, 256) float32, 0–1, where it counts.
        affine: (2, 3), from px of the picture to px of the square.
    """

    change: np.ndarray
    zone: np.ndarray
    affine: np.ndarray

    def onto(self, picture: np.ndarray) -> None:
        """Changes the colours of a picture (H, W, ≥3) uint8 in place; its alpha stays."""
        rows, columns = (np.nonzero(self.zone.max(axis=axis) > _UNSEEN)[0] for axis in (1, 0))
        if not len(rows):
            return
        inverse = cv2.invertAffineTransform(self.affine)
        left, right, top, bottom = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
        corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]], np.float64)
        corners = corners @ inverse[:, :2].T + inverse[:, 2]
        height, width = picture.shape[:2]
        low = np.maximum(np.floor(corners.min(axis=0)).astype(int) - 1, 0)
        high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, [width, height])
        if (high <= low).any():
            return
        layers = self.zone[..., None] * self.change
        scale = float(np.linalg.norm(inverse[:, 0]))  # px of the picture that a pixel of the square is wide
        if scale < 0.67:  # reading between the square's pixels would leave some out
            layers = cv2.GaussianBlur(layers, (0, 0), 0.5 * np.sqrt(1 / scale**2 - 1))
        step = max(1, _BAND // int(high[0] - low[0]))
        for first in range(int(low[1]), int(high[1]), step):
            last = min(first + step, int(high[1]))
            matrix = self.affine.copy()
            matrix[:, 2] += self.affine[:, :2] @ [low[0] + 0.5, first + 0.5] - 0.5  # OpenCV counts from middles
            size = (int(high[0] - low[0]), last - first)
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            # From the picture's pixels to the square's: OpenCV is given the way it reads.
            gain, difference = np.split(_read(layers, matrix, size, flags), 2, axis=2)
            part = picture[first:last, low[0] : high[0], :3]
            value = part * (1.0 + gain) + 255.0 * difference
            part[...] = np.rint(np.clip(value, 0.0, 255.0))


def _read(layers: np.ndarray, matrix: np.ndarray, size: tuple[int, int], flags: int) -> np.ndarray:
    """Layers (n, n, 6) read where `matrix` puts the pixels of a picture of a size; OpenCV takes four at a time."""
    return np.dstack(
        [
            cv2.warpAffine(np.ascontiguousarray(part), matrix, size, flags=flags, borderMode=cv2.BORDER_CONSTANT)
            for part in (layers[..., :3], layers[..., 3:])
        ]
    )
