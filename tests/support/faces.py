"""Faces to test with, made from the project's mean face."""

from __future__ import annotations

import numpy as np
from makeittalk.landmarks.mean_face import MEAN_FACE
from scipy.spatial.transform import Rotation


def portrait(turn: tuple[float, float, float] = (0.0, 0.0, 0.0), width: float = 256.0, gape: float = 0.0) -> np.ndarray:
    """(68, 3) px landmarks of a face in a 512 px picture.

    Args:
        turn: pose, degrees, Euler xyz. width: between the jaw ends, px. gape: opening of the mouth, share of the width.
    """
    face = np.array(MEAN_FACE, np.float64)
    face *= width / np.linalg.norm(face[16] - face[0])
    lift = {61: -0.3, 62: -0.35, 63: -0.3, 67: 0.6, 66: 0.65, 65: 0.6, 50: -0.3, 51: -0.35, 52: -0.3}
    lift |= {58: 0.6, 57: 0.65, 56: 0.6, 49: -0.15, 53: -0.15, 59: 0.3, 55: 0.3, 7: 0.2, 8: 0.3, 9: 0.2}
    for upper, lower in ((61, 67), (62, 66), (63, 65)):  # from a shut mouth
        middle = 0.5 * (face[upper] + face[lower])
        face[[upper, lower]] = middle
    for point, share in lift.items():
        face[point, 1] += share * gape * width
    face = (face - face.mean(0)) @ Rotation.from_euler("xyz", turn, degrees=True).as_matrix().T
    return face + np.array([256.0, 280.0, 0.0])
