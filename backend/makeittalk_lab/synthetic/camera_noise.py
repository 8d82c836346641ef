"""What a camera and a file do to a rendered picture: exposure, soft lens, grain, JPEG; alike for all of a clip."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_SHOULDER = 0.6  # of white, where highlights begin to be compressed


@dataclass(frozen=True)
class CameraNoise:
    """A camera.

    Attributes:
        blur: px of the lens' spread. sharpen: 0–1 of unsharp masking after it. grain: spread of the noise at half
            brightness, of 1. coloured: 0–1 of it that differs between channels. size: px of a grain. quality: of the
            JPEG, 0 for none. brightness: of the exposure, 1 as usual.
    """

    blur: float
    sharpen: float
    grain: float
    coloured: float
    size: float
    quality: int
    brightness: float = 1.0

    @classmethod
    def random(cls, rng: np.random.Generator) -> CameraNoise:
        """A camera, from a clean one to a noisy one."""
        return cls(
            blur=float(rng.uniform(0.0, 0.9)),
            sharpen=float(max(0.0, rng.uniform(-0.4, 0.6))),
            grain=float(0.022 * rng.random() ** 2),
            coloured=float(rng.uniform(0.1, 0.7)),
            size=float(rng.uniform(0.3, 0.9)),
            quality=int(rng.integers(78, 99)) if rng.random() < 0.8 else 0,
            brightness=float(np.exp(rng.normal(0.0, 0.3))),
        )

    def exposure(self, picture: np.ndarray, albedo: float) -> float:
        """The gain by which skin of an albedo comes out as photographers like it, from a picture (h, w, 3) 0–1, sRGB.

        Dark skin stays darker than pale one, as it does where a camera measures the whole scene.
        """
        light = float(np.median(_linear(picture) @ np.array([0.21, 0.72, 0.07], np.float32)))
        return self.brightness * 0.5 * albedo**0.75 / max(light, 1e-3)

    def develop(self, picture: np.ndarray, gain: float) -> np.ndarray:
        """A picture (h, w, 3) 0–1 at another exposure; what is too bright runs into white softly, as on film."""
        light = gain * _linear(picture)
        soft = _SHOULDER + (1 - _SHOULDER) * (1 - np.exp(-np.maximum(light - _SHOULDER, 0.0) / (1 - _SHOULDER)))
        light = np.where(light < _SHOULDER, light, soft)
        return np.asarray(np.where(light < 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055), np.float32)

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


def _linear(picture: np.ndarray) -> np.ndarray:
    """Light, from sRGB 0–1."""
    value = picture.astype(np.float32)
    return np.asarray(np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4), np.float32)
