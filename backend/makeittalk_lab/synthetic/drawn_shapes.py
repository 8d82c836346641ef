"""Curves and areas that drawings by code are made of, on one canvas."""

from __future__ import annotations

import cv2
import numpy as np

SIDE = 512  # px of the canvas; pictures are reduced from it
_SHIFT = 4  # bits of a pixel's fraction, as OpenCV counts


def fixed(line: np.ndarray) -> np.ndarray:
    """Points (n, 2) px as OpenCV's whole numbers of 1/16 px."""
    return np.rint(np.asarray(line) * 2**_SHIFT).astype(np.int32)


def smooth(points: np.ndarray, closed: bool = True, steps: int = 10) -> np.ndarray:
    """A Catmull-Rom curve through points (n, 2), (n × steps, 2) or so."""
    given = np.asarray(points, float)
    count = len(given)
    at = np.arange(count if closed else count - 1)
    take = (lambda k: given[(at + k) % count]) if closed else (lambda k: given[np.clip(at + k, 0, count - 1)])
    a, b, c, d = (take(k)[:, None] for k in (-1, 0, 1, 2))
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    curve = curve.reshape(-1, 2)
    return curve if closed else np.concatenate([curve, given[-1:]])


def fill(outline: np.ndarray) -> np.ndarray:
    """The inside of an outline (n, 2) px, (SIDE, SIDE) float32 0–1 with soft edges."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(canvas, [fixed(outline)], 255, cv2.LINE_AA, _SHIFT)
    return canvas.astype(np.float32) / 255.0


def ellipse(centre: np.ndarray, wide: float, high: float, turn: float = 0.0) -> np.ndarray:
    """An ellipse's outline (48, 2) px; radii px, turn in radians."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    x, y = wide * np.cos(angle), high * np.sin(angle)
    return np.asarray(centre) + np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], 1)


def blurred(field_: np.ndarray, sigma: float) -> np.ndarray:
    """A field smoothed by a Gaussian of `sigma` px."""
    return np.asarray(cv2.GaussianBlur(field_.astype(np.float32), (0, 0), sigma))


def stroke(canvas: np.ndarray, line: np.ndarray, thick: int, closed: bool = False) -> None:
    """Draws a line through points (n, 2) px, `thick` px wide, into a canvas (SIDE, SIDE) uint8."""
    cv2.polylines(canvas, [fixed(line)], closed, 255, thick, cv2.LINE_AA, _SHIFT)
