"""The square around a mouth that the mouth network sees: it moves and turns with the skull, not with the lips."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..landmarks.pose import fit_rigid

SIZE = 256  # px of the square as the network sees it, whatever the portrait's size
_SIDE = 2.0  # side of the square in widths of the mouth
_EYES = 0.55  # a mouth's usual width in distances of the eyes' outer corners: a pursed one is no smaller
_DROP = 0.15  # of the side: how far the square's middle lies below the mouth, towards where jaws open to
_SMALLEST = 8.0  # px
_FAR = 4096.0  # px, of the square: points beyond are as good as there


@dataclass(frozen=True)
class MouthCrop:
    """The square around one character's mouth.

    Attributes:
        rest: (68, 3) px, the landmarks at rest. centre: (3,) px, the square's middle at rest, in the depth of the lips.
        along: (3,) unit vector from its left to its right side. side: px of the picture.
    """

    rest: np.ndarray
    centre: np.ndarray
    along: np.ndarray
    side: float

    @classmethod
    def of(cls, rest: np.ndarray) -> MouthCrop:
        """The square around landmarks (68, 3) px at rest."""
        rest = np.asarray(rest, np.float64)
        across = rest[45, :2] - rest[36, :2]
        eyes = float(np.linalg.norm(across))
        along = across / eyes if eyes > 1e-6 else np.array([1.0, 0.0])
        width = float(np.linalg.norm(rest[54, :2] - rest[48, :2]))
        side = max(_SMALLEST, _SIDE * max(width, _EYES * eyes))
        centre = (rest[48] + rest[54]) / 2
        centre[:2] += _DROP * side * np.array([-along[1], along[0]])
        return cls(rest, centre, np.append(along, 0.0), side)

    def maps(self, points: np.ndarray) -> np.ndarray:
        """Where the square lies as the head moves: maps (T, 2, 3) from px of the picture to px of the square.

        Corners of pixels are whole numbers on both sides.

        Args:
            points: (T, 68, 3) px, the landmarks with expression and head.
        """
        rotation, translation, _ = fit_rigid(points, self.rest)
        centre = (rotation @ self.centre + translation)[:, :2]
        along = (rotation @ self.along)[:, :2]
        along = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        matrix = SIZE / self.side * np.stack([along, np.stack([-along[:, 1], along[:, 0]], axis=1)], axis=1)
        shift = SIZE / 2 - np.einsum("tij,tj->ti", matrix, centre)
        return np.concatenate([matrix, shift[..., None]], axis=2)


def take_mouth(picture: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """The square (256, 256, C) of a picture (H, W, C) uint8, whose edges are extended.

    Args:
        affine: (2, 3), one of `MouthCrop.maps`.
    """
    inverse = cv2.invertAffineTransform(affine)
    corners = np.array([[0, 0], [SIZE, 0], [0, SIZE], [SIZE, SIZE]]) @ inverse[:, :2].T + inverse[:, 2]
    height, width = picture.shape[:2]
    low = np.clip(np.floor(corners.min(axis=0)).astype(int) - 2, 0, [width - 1, height - 1])
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 2, low + 1, [width, height])
    part = picture[low[1] : high[1], low[0] : high[0]]
    # What the square shrinks is averaged first: interpolation reads four pixels only.
    scale = float(np.linalg.norm(inverse[:, 0]))
    if scale > 1.5:
        size = np.maximum(np.rint((high - low) / scale).astype(int), 1)
        step = (high - low) / size
        part = cv2.resize(part, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
    else:
        step = np.ones(2)
    matrix = affine[:, :2] * step
    shift = affine[:, :2] @ low + affine[:, 2]
    shift = shift + matrix @ [0.5, 0.5] - 0.5  # OpenCV counts from the middles of pixels
    return np.asarray(
        cv2.warpAffine(
            np.ascontiguousarray(part),
            np.column_stack([matrix, shift]),
            (SIZE, SIZE),
            flags=cv2.INTER_LINEAR if scale > 1 else cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )


def place_mouth(points: np.ndarray, affines: np.ndarray) -> np.ndarray:
    """Where points (T, n, ≥2) px of the picture lie in their squares, (T, n, 2) px.

    Args:
        affines: (T, 2, 3), of `MouthCrop.maps`.
    """
    placed = np.einsum("tij,tnj->tni", affines[:, :, :2], np.asarray(points, np.float64)[..., :2])
    return np.asarray(np.clip(placed + affines[:, None, :, 2], -_FAR, _FAR))
