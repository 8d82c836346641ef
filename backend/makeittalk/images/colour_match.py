"""Brings a network's colours to those of the portrait.

At rest the warp is the portrait, and what a network answers there is known to the pixel: how it differs is the
network's own cast on this portrait, and is taken out of every frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_STEP = 4  # px between the places where colours are compared
_SURE = 0.25  # mask below which a network does not answer for its colours
_SPREAD = 12.0  # levels of 255: differences beyond are not a cast
_PRIOR = 10.0  # places' worth of belief that there is no cast
_MOST_GAIN, _MOST_OFFSET = 0.4, 60.0
_WIDE = 10.0  # px, how coarse the cast left after gain and offset is
_LEAST = 0.05  # share of seen neighbours below which nothing is known of a place


@dataclass(frozen=True)
class ColourMatch:
    """The cast of a network on one portrait.

    Attributes:
        gain, offset: (3,) that bring its colours to the portrait's. bias: (256, 256, 3) float32, levels of 255, what
        it then still adds to a face at rest, without detail.
    """

    gain: np.ndarray
    offset: np.ndarray
    bias: np.ndarray

    @classmethod
    def of(cls, portrait: np.ndarray, colour: np.ndarray, mask: np.ndarray, weight: np.ndarray) -> ColourMatch:
        """Measures the cast on the face at rest.

        Args:
            portrait: (256, 256, 3) uint8. colour: (256, 256, 3) uint8, what the network made of it.
            mask: (256, 256) 0–1, how far that counts. weight: (256, 256) 0–1, where the face can be compared.
        """
        truth, answer = portrait.astype(np.float32), colour.astype(np.float32)
        sure = weight * np.clip((mask - _SURE) / (1 - _SURE), 0.0, 1.0)
        gain, offset = _robust_line(answer, truth, sure)
        left = mask[..., None] * (answer * gain + offset - truth)
        trusted = weight[..., None] / (1.0 + np.square(left / _SPREAD)).prod(axis=2, keepdims=True)
        total = cv2.GaussianBlur(trusted[..., 0], (0, 0), _WIDE)[..., None]
        bias = cv2.GaussianBlur(trusted * left, (0, 0), _WIDE) / np.maximum(total, _LEAST)
        return cls(gain, offset, bias.astype(np.float32))

    def change(self, warp: np.ndarray, colour: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """What to add to a warp (256, 256, 3) to show the network's colours (256, 256, 3) by its mask (256, 256)."""
        matched = colour.astype(np.float32) * self.gain + self.offset
        return np.asarray(mask[..., None] * (matched - warp) - self.bias, np.float32)


def _robust_line(answer: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gain and offset (3,) of truth ≈ gain · answer + offset; outliers, as an open mouth, have no say."""
    soft = (cv2.GaussianBlur(picture, (0, 0), _STEP / 2) for picture in (answer, truth))
    x, y = (picture[::_STEP, ::_STEP].reshape(-1, 3).astype(np.float64) for picture in soft)
    given = weight[::_STEP, ::_STEP].reshape(-1).astype(np.float64)
    gain, offset = np.ones(3), np.zeros(3)
    for channel in range(3):
        a, b = x[:, channel], y[:, channel]
        middle = float((given @ a) / max(given.sum(), 1e-9))
        design = np.stack([a - middle, np.ones_like(a)], axis=1)
        # The belief: as sure of the gain as of the offset over a spread of 64 levels.
        prior = _PRIOR * np.diag([64.0**2, 1.0])
        found = np.zeros(2)
        spread = 4 * _SPREAD
        for _ in range(8):
            share = given / np.square(1.0 + np.square((b - a - design @ found) / spread))
            found = np.linalg.solve(design.T @ (share[:, None] * design) + prior, design.T @ (share * (b - a)))
            spread = max(_SPREAD, spread / 1.5)
        gain[channel] = 1.0 + np.clip(found[0], -_MOST_GAIN, _MOST_GAIN)
        offset[channel] = np.clip(found[1] - found[0] * middle, -_MOST_OFFSET, _MOST_OFFSET)
    return gain, offset
