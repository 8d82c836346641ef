"""How alike two pictures of a face are: PSNR and SSIM in the boxes around mouth and face."""

from __future__ import annotations

import cv2
import numpy as np
from makeittalk.landmarks.ibug68 import LIPS
from skimage.metrics import structural_similarity


def mouth_box(points: np.ndarray, margin: float = 0.25) -> np.ndarray:
    """Left, top, right, bottom (4,) px of the lips among landmarks (68, ≥2), wider by a share of the mouth's width."""
    lips = points[LIPS, :2]
    grow = margin * float(np.ptp(lips[:, 0]))
    return np.concatenate([np.floor(lips.min(axis=0) - grow), np.ceil(lips.max(axis=0) + grow)]).astype(int)


def face_box(points: np.ndarray) -> np.ndarray:
    """Left, top, right, bottom (4,) px of all landmarks (68, ≥2)."""
    return np.concatenate([np.floor(points[:, :2].min(axis=0)), np.ceil(points[:, :2].max(axis=0))]).astype(int)


def inside(box: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """The part of a picture (H, W, …) in a box, as far as it reaches."""
    left, top, right, bottom = np.maximum(box, 0)
    return picture[top:bottom, left:right]


def compare(picture: np.ndarray, truth: np.ndarray, box: np.ndarray) -> dict[str, float]:
    """PSNR (dB, of the colours) and SSIM (Wang et al. 2004, of the luma) of two pictures (H, W, 3) uint8 in a box."""
    a, b = inside(box, picture), inside(box, truth)
    error = float(np.square(a.astype(np.float64) - b).mean())
    grey = [cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2GRAY) for part in (a, b)]
    likeness = structural_similarity(
        *grey, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255.0
    )
    return {"PSNR": float(10 * np.log10(255.0**2 / max(error, 1e-3))), "SSIM": float(likeness)}
