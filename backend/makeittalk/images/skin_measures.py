"""What a face's skin and parts are made of, as few figures that a photograph and a drawing differ in.

All are measured within the landmarks, so that hair, hats, beards' outer parts and backgrounds have no say; in the
face's own square of 256 px, so that a picture's size has none; and as ratios to the face's own contrast or to one
another, so that light, colours and paleness have none. Logarithms, because they are ratios.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from ..landmarks import ibug68
from .face_crop import SIZE, FaceCrop
from .picture import gradient, on_grey

#: In this order. Slopes and edges are gradients; "fine" is 1–2 px of 256, "middle" 2–4,
#: "coarse" 4–8, "broad" 8–16.
MEASURES = (
    "slope of ordinary skin",
    "flattest skin, to ordinary",
    "fine detail of skin, to middle",
    "middle detail of skin, to coarse",
    "edges of eyes, brows and lips",
    "edges of the nose",
    "sharpness of the nose",
    "slope within the lips",
    "evenness of the lips",
    "broad shading of skin",
)
_RIM = 5  # px of 256 within the landmarks' outline: what lies nearer is no skin
_CLEAR = 8  # px of 256 around eyes, brows and lips: the same
_NEAR = 5  # px of 256 around parts: their edges
_BROW = 5  # px of 256: a brow's thickness
_CELL = 12  # px of 256: detail is compared within such neighbourhoods
_LEAST_PIXELS = 40  # of a region; the whole face stands in for smaller ones
_LEAST_CONTRAST = 8.0  # levels
_DETAIL, _SLOPE = 0.12, 0.05  # levels, levels a px: what 8 bits cannot tell from nothing


def skin_measures(rgba: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The `MEASURES` of a face.

    Args:
        rgba: (H, W, 3 or 4) uint8. landmarks: (68, ≥2) px.

    Returns:
        (len(MEASURES),) float64, natural logarithms.
    """
    crop = FaceCrop.of(landmarks)
    grey = cv2.cvtColor(on_grey(crop.take(rgba)), cv2.COLOR_RGB2GRAY).astype(np.float32)
    face, skin, parts, nose, lips = _regions(crop.place(landmarks[:, :2]))
    smooth = [cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (1, 2, 4, 8, 16)]
    low, high = np.percentile(smooth[0][face], [3, 97])
    contrast = max(float(high - low), _LEAST_CONTRAST)
    fine, middle, coarse = (_local_detail(a - b, skin) for a, b in pairwise(smooth[:4]))
    first, second = gradient(smooth[0]), gradient(smooth[1])
    flattest, ordinary = np.percentile(second[skin], [10, 50])
    nose_first, nose_second = (float(np.percentile(each[nose], 94)) for each in (first, second))
    lip_low, lip_high = np.percentile(first[lips], [30, 94])
    ratios = (
        (ordinary + _SLOPE) / contrast,
        (flattest + _SLOPE) / (ordinary + _SLOPE),
        float(np.median((fine + _DETAIL) / (middle + _DETAIL))),
        float(np.median((middle + _DETAIL) / (coarse + _DETAIL))),
        (float(np.percentile(second[parts], 94)) + _SLOPE) / contrast,
        (nose_second + _SLOPE) / contrast,
        (nose_first + _SLOPE) / (nose_second + _SLOPE),
        (float(np.percentile(second[lips], 60)) + _SLOPE) / contrast,
        (lip_low + _SLOPE) / (lip_high + _SLOPE),
        (float(np.median(np.abs(smooth[3] - smooth[4])[skin])) + _DETAIL) / contrast,
    )
    return np.log(np.array(ratios, np.float64))


def _regions(points: np.ndarray) -> list[np.ndarray]:
    """Face, skin, the surroundings of eyes, brows and lips, the nose's, and the lips, each (SIZE, SIZE) bool."""
    places = np.rint(np.clip(points, -SIZE, 2 * SIZE)).astype(np.int32)
    face = _filled(cv2.convexHull(places))
    lips = _filled(places[ibug68.LIP_OUTER])
    parts = lips | _filled(places[ibug68.EYE_RIGHT]) | _filled(places[ibug68.EYE_LEFT])
    for brow in (ibug68.BROW_RIGHT, ibug68.BROW_LEFT):
        cv2.polylines(parts, [places[brow]], False, 255, _BROW)
    skin = cv2.erode(face, _disc(_RIM)) & ~cv2.dilate(parts, _disc(_CLEAR))
    nose = cv2.dilate(_filled(cv2.convexHull(places[ibug68.NOSE])), _disc(_NEAR))
    whole = face > 0 if np.count_nonzero(face) >= _LEAST_PIXELS else np.ones((SIZE, SIZE), bool)
    regions = [region > 0 for region in (skin, cv2.dilate(parts, _disc(_NEAR)) & face, nose, lips)]
    return [whole, *(region if region.sum() >= _LEAST_PIXELS else whole for region in regions)]


def _filled(outline: np.ndarray) -> np.ndarray:
    area = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillPoly(area, [outline], 255)
    return area


def _disc(radius: int) -> np.ndarray:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)))


def _local_detail(band: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """The root mean square of a band of detail around each pixel of the skin, of skin alone; levels, (skin pixels,)."""
    inside = skin.astype(np.float32)
    power = cv2.blur(band * band * inside, (_CELL, _CELL))[skin]
    return np.sqrt(np.maximum(power, 0) / np.maximum(cv2.blur(inside, (_CELL, _CELL))[skin], 1e-3))
