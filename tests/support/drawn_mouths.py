"""Draws flat faces whose mouth is one area of colour, without lips."""

from __future__ import annotations

import cv2
import numpy as np
from faces import portrait

SIZE, CENTRE, HALF = 512, np.array([256.0, 330.0]), 55.0
LINE_WIDTH = 4  # px
SKIN, RED, PINK, LINE = (250, 214, 190), (120, 30, 42), (232, 128, 126), (52, 18, 22)
UPPER = {49: -0.72, 50: -0.3, 51: 0.0, 52: 0.3, 53: 0.72, 61: -0.4, 62: 0.0, 63: 0.4}
LOWER = {59: -0.72, 58: -0.36, 57: 0.0, 56: 0.36, 55: 0.72, 67: -0.4, 66: 0.0, 65: 0.4}
#: Heights of the upper and the lower edge over −1 … 1, in half widths of the mouth.
SHAPES = {
    "half disc": (lambda x: 0.0 * x, lambda x: 0.88 * np.sqrt(np.clip(1 - x**2, 0, 1))),
    "oval": (lambda x: -0.5 * np.sqrt(np.clip(1 - x**2, 0, 1)), lambda x: 0.5 * np.sqrt(np.clip(1 - x**2, 0, 1))),
    "box": (lambda x: -0.05 + 0.0 * x, lambda x: 0.55 + 0.0 * x),
    "grin": (lambda x: 0.25 * (1 - x**2), lambda x: 0.75 * (1 - x**2)),
}
Drawing = tuple[np.ndarray, np.ndarray]  # (H, W, 4) uint8 and (68, 3) px


def draw(shape: str, turn: float = 0.0, line: int = LINE_WIDTH, noise: float = 0.0, lips: float = 0.0) -> Drawing:
    """A flat face with a mouth of one colour and a tongue, and landmarks on the drawn edge.

    Args:
        turn: degrees. line: px. noise: px, of the mouth's landmarks. lips: thickness of red lips around it, px.
    """
    above, below = SHAPES[shape]
    landmarks = portrait()
    x = np.linspace(-1, 1, 201)
    edge = np.concatenate([np.stack([x, above(x)], 1), np.stack([x, below(x)], 1)[::-1]]) * HALF + CENTRE
    picture = np.full((SIZE, SIZE, 3), (222, 234, 244), np.uint8)
    face = cv2.convexHull(landmarks[:, :2].astype(np.float32)).reshape(-1, 2)
    cv2.fillPoly(picture, [np.rint(face).astype(np.int32)], SKIN)
    if lips:
        cv2.polylines(picture, [np.rint(edge).astype(np.int32)], True, (196, 70, 80), round(2 * lips), cv2.LINE_AA)
    cv2.fillPoly(picture, [np.rint(edge).astype(np.int32)], RED, cv2.LINE_AA)
    tongue = np.where(edge[:, 1:] > CENTRE[1] + 0.8 * HALF * below(0.0 * x).max(), edge, np.nan)
    tongue = tongue[~np.isnan(tongue).any(axis=1)]
    cv2.fillPoly(picture, [np.rint(tongue).astype(np.int32)], PINK, cv2.LINE_AA)
    if line:
        cv2.polylines(picture, [np.rint(edge).astype(np.int32)], True, LINE, line, cv2.LINE_AA)
    outside = max(lips, 1.0)
    for points, side, height in ((UPPER, -1.0, above), (LOWER, 1.0, below)):
        for point, place in points.items():
            away = outside if point < 60 else -0.5 * line
            landmarks[point, :2] = CENTRE + HALF * np.array([place, height(place)]) + [0.0, side * away]
    for point, place in ((48, -1.0), (54, 1.0), (60, -0.96), (64, 0.96)):
        landmarks[point, :2] = CENTRE + HALF * np.array([place, 0.5 * (above(place) + below(place))])
    landmarks[48:68, :2] += np.random.default_rng(0).normal(0.0, noise, (20, 2)) if noise else 0.0
    spin = cv2.getRotationMatrix2D(tuple(CENTRE), turn, 1.0)
    picture = cv2.warpAffine(picture, spin, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE)
    landmarks[:, :2] = landmarks[:, :2] @ spin[:, :2].T + spin[:, 2]
    return np.dstack([picture, np.full((SIZE, SIZE), 255, np.uint8)]), landmarks
