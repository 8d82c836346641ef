"""Light on a drawn head."""

from __future__ import annotations

import cv2
import numpy as np

from .drawn_parts import HeadParts
from .drawn_shapes import SIDE, blurred


def lighting(parts: HeadParts, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Light and shine of a head that bulges: a dome over its outline, nose, cheeks, chin, hollows of the eyes."""
    small = SIDE // 2
    y, x = np.mgrid[:small, :small].astype(np.float32) * 2
    whole = np.zeros((SIDE, SIDE), np.float32)
    for layer in parts.layers:
        if layer.name in ("face", "hair"):
            whole = np.maximum(whole, layer.mask)

    def dome(mask: np.ndarray, high: float) -> np.ndarray:
        inside = cv2.resize(mask, (small, small), interpolation=cv2.INTER_AREA)
        deep = cv2.distanceTransform((inside > 0.5).astype(np.uint8), cv2.DIST_L2, 5) * 2
        share = np.clip(deep / max(float(deep.max()), 1.0), 0, 1)
        return np.asarray(high * np.sqrt(1 - (1 - share) ** 2))

    relief = rng.uniform(0.5, 1.2)
    height = dome(parts.oval, 0.42 * parts.width) + 0.3 * dome(np.maximum(whole - parts.oval, 0), 0.3 * parts.width)
    height = blurred(height, 6)
    for place, radius, high in parts.bumps:
        height = height + 1.3 * high * np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / (2 * (0.6 * radius) ** 2))
    height = blurred(height, 2) * relief
    across, along = np.gradient(height, 2.0)[::-1]
    normal = np.stack([-across, -along, np.ones_like(across)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    source = np.array([rng.choice([-1, 1]) * rng.uniform(0.2, 0.9), -rng.uniform(0.1, 0.8), 1.0])
    source /= np.linalg.norm(source)
    lit = np.clip(normal @ source, 0, 1)
    halfway = source + [0, 0, 1]
    glint = np.clip(normal @ (halfway / np.linalg.norm(halfway)), 0, 1) ** rng.uniform(15, 60)
    under = np.roll(cv2.resize(parts.oval, (small, small)), int(0.1 * parts.width / 2), axis=0)
    below = (np.arange(small)[:, None] * 2 > parts.points[8, 1] - 6) & (cv2.resize(parts.oval, (small, small)) < 0.5)
    lit = np.where(below, lit * (1 - 0.5 * blurred(under, 4)), lit)
    sized = [
        cv2.resize(value.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) for value in (lit, glint)
    ]
    return sized[0], sized[1]
