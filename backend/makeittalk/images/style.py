"""Tells photographs from drawings by how shading is spread over the face.

Skin that was filmed changes a little everywhere, and so does a painter's; a drawing keeps its changes for its outlines,
with flat or evenly shaded areas between them. So the gradient of an ordinary place is compared with that of the
sharpest ones, which leaves contrast, light and colours out of it.
"""

from __future__ import annotations

import cv2
import numpy as np

from ..landmarks.face_frame import FaceFrame
from .face_crop import SIZE, FaceCrop
from .picture import on_grey

#: A photograph from here on. Eleven photographs and paintings, each also compressed, noisy, blurred, sharpened, pale,
#: dark, grey, enlarged and reduced to 128 px, lie at 0.176 and above; ten drawings in the same conditions at 0.131 and
#: below, but for one of few flat tones when it is blurred.
THRESHOLD = 0.152
_SMOOTHED = 1.0  # px of 256: what noise and compression add is finer
_ORDINARY, _SHARPEST = 60, 98  # percent of the face that is smoother
_RIM = 21  # px of 256: hair and background at the face's outline are left out
_LEAST = 0.05  # levels a px of 256


def resolve_style(style: str, rgba: np.ndarray, landmarks: np.ndarray) -> tuple[str, str]:
    """The way to draw a portrait, chosen by the picture where it is left open.

    Args:
        style: one of `STYLES`. rgba: (H, W, 3 or 4) uint8. landmarks: (68, ≥2) px.

    Returns:
        "photo" or "cartoon", and a sentence that says why, empty where `style` said it.
    """
    return choose_style(rgba, landmarks) if style == "auto" else (style, "")


def choose_style(rgba: np.ndarray, landmarks: np.ndarray) -> tuple[str, str]:
    """How a portrait is best moved.

    Args:
        rgba: (H, W, 3 or 4) uint8. landmarks: (68, ≥2) px.

    Returns:
        "photo" or "cartoon", and a sentence that says why.
    """
    share = shading(rgba, landmarks)
    if share >= THRESHOLD:
        return "photo", "The portrait looks like a photograph, shaded all over the face: style photo."
    return "cartoon", "The portrait looks like a drawing, with even areas between outlines: style cartoon."


def shading(rgba: np.ndarray, landmarks: np.ndarray) -> float:
    """The gradient of an ordinary place of the face, as a share of its sharpest ones (0–1).

    Args:
        rgba: (H, W, 3 or 4) uint8. landmarks: (68, ≥2) px.
    """
    crop = FaceCrop.of(landmarks)
    grey = cv2.cvtColor(on_grey(crop.take(rgba)), cv2.COLOR_RGB2GRAY).astype(np.float32)
    smooth = cv2.GaussianBlur(grey, (0, 0), _SMOOTHED)
    across, along = (cv2.Sobel(smooth, -1, dx, 1 - dx, scale=1 / 8) for dx in (1, 0))
    hull = FaceFrame.of(crop.place(landmarks[:, :2]), SIZE, SIZE).hull
    face = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillConvexPoly(face, np.rint(hull).astype(np.int32), 255)
    face = cv2.erode(face, np.ones((_RIM, _RIM), np.uint8))
    if not face.any():
        return 0.0
    ordinary, sharpest = np.percentile(np.hypot(across, along)[face > 0], [_ORDINARY, _SHARPEST])
    return float((ordinary + _LEAST) / (sharpest + _LEAST))
