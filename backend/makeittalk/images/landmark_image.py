"""Landmarks drawn as the image translation network reads them: coloured polylines on white (paper section 3.4)."""

from __future__ import annotations

import cv2
import numpy as np

from ..landmarks import ibug68
from .face_crop import SIZE

_WIDTH = 2  # px
_SHIFT = 4  # bits of a pixel's fraction that lines are drawn with
#: Points, whether their line is closed, colour in the order of the network's channels.
_LINES: tuple[tuple[tuple[int, ...], bool, tuple[int, int, int]], ...] = (
    (tuple(range(0, 17)), False, (255, 144, 25)),
    (tuple(range(17, 22)), False, (50, 205, 50)),
    (tuple(range(22, 27)), False, (50, 205, 50)),
    (tuple(range(27, 31)), False, (208, 224, 63)),
    (tuple(range(31, 36)), False, (208, 224, 63)),
    (tuple(range(36, 42)), True, (71, 99, 255)),
    (tuple(range(42, 48)), True, (71, 99, 255)),
    (tuple(range(48, 60)), True, (238, 130, 238)),
    (tuple(range(60, 68)), True, (238, 130, 238)),
)


def draw_landmarks(points: np.ndarray, size: int = SIZE) -> np.ndarray:
    """The landmark image (size, size, 3) uint8 of points (68, 2) px in it, channels blue, green, red."""
    picture = np.full((size, size, 3), 255, np.uint8)
    places = fixed_points(points)
    for indices, closed, colour in _LINES:
        cv2.polylines(picture, [places[list(indices)]], closed, colour, _WIDTH, cv2.LINE_AA, _SHIFT)
    return picture


def fill_mouth(points: np.ndarray, size: int = SIZE) -> np.ndarray:
    """The opening between the inner lips, (size, size) uint8, 255 within, of points (68, 2) px."""
    picture = np.zeros((size, size), np.uint8)
    cv2.fillPoly(picture, [fixed_points(points)[ibug68.LIP_INNER]], 255, cv2.LINE_AA, _SHIFT)
    return picture


def fixed_points(points: np.ndarray) -> np.ndarray:
    """Points as OpenCV's fixed-point numbers; its pixels have their middles at whole numbers."""
    places = np.clip(np.asarray(points, np.float64)[:, :2] - 0.5, -4096, 4096)
    return np.rint(places * 2**_SHIFT).astype(np.int32)
