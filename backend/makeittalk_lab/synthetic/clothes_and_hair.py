"""Clothes and long hair: bent sheets around the neck and behind the head, cm."""

from __future__ import annotations

from typing import Any

import numpy as np

from .head_model import CLOTH, LONG_HAIR


class Sheet:
    """A bent rectangle of quads: clothes, or long hair."""

    def __init__(self, kind: int, across: np.ndarray, down: np.ndarray, bend: Any) -> None:
        self.kind, self._bend = kind, bend
        u, v = np.meshgrid(across, down)
        self._u, self._v, self._grid = u, v, u.shape
        self.uv = np.stack([u, v], -1).reshape(-1, 2)
        index = np.arange(u.size).reshape(u.shape)
        self.quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], -1).reshape(-1, 4)
        self.rest = self.shape(1.0)[0]

    def shape(self, length: float) -> tuple[np.ndarray, np.ndarray]:
        """Positions (N, 3) and normals (N, 3) for a length, cm."""
        positions = np.stack(self._bend(self._u, self._v, length), -1)
        down, across = np.gradient(positions, axis=(0, 1))
        normals = np.cross(across, down).reshape(-1, 3)
        return positions.reshape(-1, 3), normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)


def torso() -> Sheet:
    def bend(u: np.ndarray, v: np.ndarray, collar: float) -> tuple[np.ndarray, ...]:
        # From the collar over the shoulders down, all around the neck.
        wide = 6.6 + 0.5 * collar + (13.0 + 0.5 * collar) * np.minimum(1.0, 1.6 * v) ** 0.8
        deep = 6.3 + 0.4 * collar + 4.0 * v
        front = np.maximum(0.0, np.cos(u))
        y = -9.2 - 0.35 * collar - 4.0 * v - 22.0 * np.maximum(0.0, v - 0.35) ** 1.4 - (2.2 + 1.3 * collar) * front
        return wide * np.sin(u), y, -1.6 + deep * np.cos(u) + 1.0 * front

    return Sheet(CLOTH, np.linspace(-np.pi, np.pi, 60), np.linspace(0.0, 1.0, 24), bend)


def long_hair() -> Sheet:
    def bend(u: np.ndarray, v: np.ndarray, length: float) -> tuple[np.ndarray, ...]:
        # Behind the head from ear to ear; u = 0 is the back.
        y = 9.0 - v * (9.0 + length)
        round_ = np.sqrt(np.clip(1.0 - ((y - 3.0) / 12.5) ** 2, 0.25, 1.0)) * (1 - v) + v
        wave = 1.0 + 0.025 * np.sin(7.0 * u + 2.0 * v) + 0.015 * np.sin(23.0 * u)
        return 9.6 * np.sin(u) * round_ * wave, y, -1.2 - 9.5 * np.cos(u) * round_ * wave

    return Sheet(LONG_HAIR, np.linspace(-1.95, 1.95, 80), np.linspace(0.0, 1.0, 24), bend)
