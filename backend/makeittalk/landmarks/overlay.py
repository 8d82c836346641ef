"""Draws landmarks over a picture, to be judged by eye."""

from __future__ import annotations

import cv2
import numpy as np

from .ibug68 import CLOSED_PARTS, PARTS

_COLOURS = {
    "jaw": (90, 170, 255),
    "brow_right": (120, 220, 90),
    "brow_left": (120, 220, 90),
    "nose": (255, 200, 60),
    "eye_right": (70, 235, 225),
    "eye_left": (70, 235, 225),
    "lip_outer": (255, 80, 130),
    "lip_inner": (255, 150, 190),
}
_SUBPIXEL = 4  # bits of cv2's fixed-point coordinates


def draw_overlay(rgb: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The picture with the facial parts drawn as smooth lines and their points as dots.

    Args:
        rgb: (H, W, 3) uint8. landmarks: (68, 2 or 3) px.

    Returns:
        (H, W, 3) uint8, a copy.
    """
    canvas = np.ascontiguousarray(rgb[..., :3]).copy()
    points = np.asarray(landmarks, np.float64)[:, :2]
    width = max(1, round(float(np.ptp(points, axis=0).max()) / 250))
    fixed = np.rint((points - 0.5) * 2**_SUBPIXEL).astype(np.int32)
    for name, indices in PARTS.items():
        # The nose is two lines: the bridge down to its tip, and the wings.
        for line in (indices[:4], indices[4:]) if name == "nose" else (indices,):
            cv2.polylines(
                canvas, [fixed[line]], name in CLOSED_PARTS, _COLOURS[name], width, cv2.LINE_AA, shift=_SUBPIXEL
            )
    for point in fixed:
        radius = round(1.3 * width * 2**_SUBPIXEL)
        cv2.circle(canvas, point.tolist(), radius, (255, 255, 255), -1, cv2.LINE_AA, shift=_SUBPIXEL)
    return canvas
