"""What the mouth network is told of lips and jaw, drawn in the mouth's square (images/mouth_crop.py)."""

from __future__ import annotations

import cv2
import numpy as np

from ..landmarks.ibug68 import LIP_OUTER
from .landmark_image import fill_mouth, fixed_points
from .mouth_crop import SIZE

_CHIN = [7, 8, 9]
_JAW_DOWN = 0.35  # of the square's side: a jaw so far down is drawn white
_REACH = 0.07  # of the square's side around the opening that is drawn anew, too: lips change their light as they part
_THREAD = 0.004  # of the square's side: an opening so narrow is as good as shut


def draw_mouth(points: np.ndarray, rest: np.ndarray, size: int = SIZE) -> np.ndarray:
    """Four channels (size, size, 4) uint8: the opening, the lips with it, the opening at rest, how far the jaw is down.

    Args:
        points: (68, 2) px of the square. rest: (68, 2) px of its own square, the face at rest.
    """
    lips = np.zeros((size, size), np.uint8)
    cv2.fillPoly(lips, [fixed_points(points)[LIP_OUTER]], 255, cv2.LINE_AA, 4)
    down = float((points[_CHIN, 1] - rest[_CHIN, 1]).mean()) / (_JAW_DOWN * size)
    jaw = np.full((size, size), round(255 * min(max(down, 0.0), 1.0)), np.uint8)
    return np.dstack([fill_mouth(points, size), lips, fill_mouth(rest, size), jaw])


def mouth_zone(points: np.ndarray, size: int = SIZE) -> np.ndarray:
    """Where the mouth network may change what is shown, (size, size) float32: 1 in the opening, softly 0 on the lips.

    Args:
        points: (68, 2) px of the square.
    """
    reach = 2 * round(_REACH * size) + 1
    opening = cv2.dilate(fill_mouth(points, size), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    zone = cv2.GaussianBlur(opening, (0, 0), reach / 4).astype(np.float32) / 255
    gap = float(np.linalg.norm(points[66] - points[62])) / size
    return np.asarray(zone * min(1.0, gap / (10 * _THREAD)), np.float32)


def is_shut(points: np.ndarray, size: int = SIZE) -> bool:
    """Whether lips (68, 2) px of the square are so near each other that nothing is seen between them."""
    gaps = np.linalg.norm(points[[65, 66, 67]] - points[[63, 62, 61]], axis=1)
    return bool(gaps.max() < _THREAD * size)
