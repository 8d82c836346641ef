"""What a camera and a file do to a rendered picture: soft lens, grain, JPEG; the same numbers for all of a clip."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class CameraNoise:
    """A camera.

    Attributes:
        blur: px of the lens' spread. sharpen: 0–1 of unsharp masking after it. grain: spread of the noise at half
            brightness, of 1. coloured: 0–1 of it that differs between channels. size: px of a grain. quality: of the
            JPEG, 0 for none.
    """

    blur: float
    sharpen: float
    grain: float
    coloured: float
    size: float
    quality: int

    @classmethod
    def random(cls, rng: np.random.Generator) -> CameraNoise:
        """A camera, from a clean one to a noisy one."""
        return cls(
            blur=float(rng.uniform(0.0, 0.9)),
            sharpen=float(max(0.0, rng.uniform(-0.4, 0.6))),
            grain=float(0.03 * rng.random() ** 2),
            coloured=float(rng.uniform(0.1, 0.7)),
            size=float(rng.uniform(0.3, 0.9)),
            quality=int(rng.integers(78, 99)) if rng.random() < 0.8 else 0,
        )

    def apply(self, picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A picture (h, w, 3) float 0–1 as that camera keeps it, uint8."""
        result = picture.astype(np.float32)
        if self.blur > 0.2:
            result = cv2.GaussianBlur(result, (0, 0), self.blur)
        if self.sharpen:
            result = result + self.sharpen * (result - cv2.GaussianBlur(result, (0, 0), 1.2))
        noise = rng.standard_normal(result.shape, np.float32)
        noise = self.coloured * noise + (1 - self.coloured) * noise[..., :1]
        noise = cv2.GaussianBlur(noise, (0, 0), self.size)
        strength = self.grain * np.sqrt(np.clip(2.0 * result, 0.05, 2.0))
        result = result + strength * noise / max(float(noise.std()), 1e-6)
        stored = np.asarray(np.clip(result, 0.0, 1.0) * 255 + 0.5, np.uint8)
        if not self.quality:
            return stored
        packed = cv2.imencode(".jpg", stored[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, self.quality])[1]
        return np.ascontiguousarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)[..., ::-1])
