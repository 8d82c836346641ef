"""The picture that skin is painted on: the head seen straight from the front, 24 px a cm."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

#: What the painted picture of the front covers, cm: left, right, bottom, top.
FRONT = (-10.0, 10.0, -13.0, 15.0)
CANVAS = (480, 672)  # px, width and height
SCALE = CANVAS[0] / (FRONT[1] - FRONT[0])


def canvas_position(points: np.ndarray) -> np.ndarray:
    """Where points (…, ≥2) cm lie in the painting, px."""
    return np.stack([(points[..., 0] - FRONT[0]) * SCALE, (FRONT[3] - points[..., 1]) * SCALE], -1)


def noise_field(rng: np.random.Generator, cells: int) -> np.ndarray:
    """Smooth noise of deviation 1 over the canvas, so many cells across."""
    width, height = CANVAS
    grid = rng.normal(size=(max(2, cells * height // width), cells)).astype(np.float32)
    return cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)


def blob(centre: tuple[float, float], radius: float, flat: float) -> np.ndarray:
    """A Gaussian around a point (cm) of the face, `radius` cm wide and `flat` times as high; 1 in its middle."""
    width, height = CANVAS
    column, row = canvas_position(np.array(centre))
    x, y = np.meshgrid(np.arange(width) - column, np.arange(height) - row)
    return np.exp(-0.5 * (x**2 + (y / flat) ** 2) / (radius * SCALE) ** 2)


def polygon(points: np.ndarray, blur: float) -> np.ndarray:
    """A filled polygon of points (N, 2) px with soft edges, 0–1."""
    width, height = CANVAS
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.rint(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(mask.astype(np.float32) / 255.0, (0, 0), blur)


def smooth_curve(points: np.ndarray, count: int) -> np.ndarray:
    """A smooth curve (count, 2) through points."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    spline = CubicSpline(length, points, bc_type="natural")
    return np.asarray(spline(np.linspace(0.0, length[-1], count)))
