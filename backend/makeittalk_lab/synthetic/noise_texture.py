"""The noise that skin, hair and cloth are shaded with."""

from __future__ import annotations

import numpy as np


def noise_texture(side: int = 512) -> np.ndarray:
    """Tiling noise (side, side, 3) uint8: clouds, pores, strands along the rows."""
    rng = np.random.default_rng(0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side))) * side
    stretched = np.hypot(*np.meshgrid(np.fft.fftfreq(side) * 0.12, np.fft.fftfreq(side) * 6.0)) * side
    layers = []
    for weight in (
        1.0 / np.maximum(frequency, 2.0) ** 1.3 * (frequency < 40),
        1.0 / np.maximum(frequency, 8.0) ** 0.6 * (frequency < 120),
        1.0 / np.maximum(stretched, 3.0) ** 1.0 * (stretched < 40),
    ):
        noise = np.fft.ifft2(np.fft.fft2(rng.normal(size=(side, side))) * weight).real
        layers.append(np.clip(127.5 + 50.0 * (noise - noise.mean()) / noise.std(), 0, 255))
    return np.stack(layers, -1).astype(np.uint8)
