"""Light images made by noise and rectangles: skies, rooms with windows, studios; linear, all around, for heads."""

from __future__ import annotations

import cv2
import numpy as np

_SHAPE = (64, 128)


def random_light(rng: np.random.Generator) -> np.ndarray:
    """A light image (64, 128, 3) float32, its mean about 0.5; the middle column lies behind the camera or anywhere."""
    height, width = _SHAPE
    up = np.linspace(1.0, -1.0, height)[:, None, None]
    above, below = _tint(rng) * rng.uniform(0.2, 1.0), _tint(rng) * rng.uniform(0.05, 0.5)
    image = below + (above - below) * (0.5 + 0.5 * np.tanh(up * rng.uniform(1.0, 5.0))) * np.ones((1, width, 1))
    blotches = rng.lognormal(0.0, rng.uniform(0.2, 0.8), (rng.integers(3, 8), rng.integers(5, 14), 1))
    image = image * cv2.resize(blotches.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    for _ in range(rng.integers(1, 6)):
        x, y = rng.integers(0, width), rng.integers(2, int(0.7 * height))
        w, h = rng.integers(3, 24), rng.integers(3, 16)
        patch = np.zeros(_SHAPE, np.float32)
        patch[max(0, y - h // 2) : y + h // 2 + 1, np.arange(x - w // 2, x + w // 2 + 1) % width] = 1.0
        patch = cv2.GaussianBlur(patch, (0, 0), float(rng.uniform(0.5, 3.0)))
        image = image + patch[..., None] * _tint(rng) * rng.uniform(1.0, 10.0)
    image = np.maximum(image, 0.0)
    return np.asarray(0.5 * image / image.mean(), np.float32)


def _tint(rng: np.random.Generator) -> np.ndarray:
    """From candle light to blue sky."""
    warm = rng.normal(0.0, 0.16)
    return np.array([1.0 + warm, 1.0, 1.0 - warm]) * rng.uniform(0.95, 1.05, 3)
