"""Pictures without transparency, how steep they are, and telling one picture from another."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np

GREY = 128  # what shows through
_ROWS = 512  # at a time: the largest portrait has 67 million pixels


def is_opaque(picture: np.ndarray) -> bool:
    """Whether nothing of a picture (H, W, 3 or 4) uint8 is transparent."""
    return picture.shape[2] == 3 or int(picture[..., 3].min()) == 255


def on_grey(picture: np.ndarray) -> np.ndarray:
    """A picture on mid-grey: (H, W, 3 or 4) uint8, straight alpha → (H, W, 3) uint8."""
    if is_opaque(picture):
        return np.ascontiguousarray(picture[..., :3])
    result = np.empty((*picture.shape[:2], 3), np.uint8)
    for start in range(0, len(picture), _ROWS):
        part = np.ascontiguousarray(picture[start : start + _ROWS])
        colours = cv2.cvtColor(part, cv2.COLOR_RGBA2RGB)
        clear = np.flatnonzero(cv2.extractChannel(part, 3) < 255)  # all else stays as it is, and is most of it
        pixels = part.reshape(-1, 4).take(clear, axis=0)
        share = pixels[:, 3:].astype(np.float32) / 255.0
        colours.reshape(-1, 3)[clear] = np.rint(pixels[:, :3] * share + GREY * (1.0 - share))
        result[start : start + _ROWS] = colours
    return result


def gradient(grey: np.ndarray) -> np.ndarray:
    """How much a picture (H, W) float32 changes from place to place, (H, W), levels a px."""
    return np.asarray(np.hypot(*(cv2.Sobel(grey, -1, dx, 1 - dx, scale=1 / 8) for dx in (1, 0))))


def fingerprint(rgba: np.ndarray) -> np.ndarray:
    """(32,) uint8: SHA-256 over the size and the pixels of a picture (H, W, 4) uint8, however it is stored."""
    digest = hashlib.sha256(repr(rgba.shape).encode())
    digest.update(np.ascontiguousarray(rgba).data)
    return np.frombuffer(digest.digest(), np.uint8)
