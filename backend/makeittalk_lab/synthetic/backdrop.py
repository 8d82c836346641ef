"""Random pictures to stand behind a head: smooth gradients, soft shapes, blurred noise."""

from __future__ import annotations

import cv2
import numpy as np


def random_backdrop(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Smooth gradients, soft shapes, blurred noise: (H, W, 3) uint8."""
    width, height = size
    corners = rng.uniform(0, 255, (2, 2, 3)) if rng.random() < 0.5 else rng.uniform(0, 255, (2, 2, 1)).repeat(3, 2)
    corners = corners.mean((0, 1)) + (corners - corners.mean((0, 1))) * rng.uniform(0.0, 0.6)
    picture = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    kind = rng.random()
    if 0.35 < kind < 0.85:
        for _ in range(int(rng.integers(1, 14))):
            shape = np.zeros((height, width), np.uint8)
            centre = (rng.uniform(0, 1, 2) * size).astype(int)
            reach = rng.uniform(0.05, 0.5) * width
            if rng.random() < 0.5:
                cv2.ellipse(shape, tuple(centre.tolist()), (int(reach), int(reach * rng.uniform(0.3, 1.5))),
                            rng.uniform(0, 180), 0, 360, 255, -1)  # fmt: skip
            else:
                far = (centre + rng.normal(0.0, reach, 2)).astype(int)
                cv2.rectangle(shape, tuple(centre.tolist()), tuple(far.tolist()), 255, -1)
            soft = cv2.GaussianBlur(shape.astype(np.float32) / 255.0, (0, 0), rng.uniform(0.5, 12.0))[..., None]
            picture += soft * rng.uniform(0.2, 0.9) * (rng.uniform(0, 255, 3) - picture)
    if kind > 0.7:
        for cells in (3, 8, 20, 60):
            grid = rng.normal(0.0, 1.0, (cells, cells, 3)) * rng.uniform(2.0, 14.0)
            grid = grid.mean(2, keepdims=True) * 1.7 + (grid - grid.mean(2, keepdims=True)) * 0.4
            picture += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    grey = picture.mean(2, keepdims=True)
    return np.clip(grey + (picture - grey) * rng.uniform(0.0, 1.0), 0, 255).astype(np.uint8)
