"""Draws one moment of a face with the warp."""

from __future__ import annotations

import numpy as np
from makeittalk.exchange.formats import Motion
from makeittalk.rendering.warp import Warper
from scipy.spatial.transform import Rotation


def warp_frame(
    warper: Warper, landmarks: np.ndarray, rotation: np.ndarray, translation: np.ndarray, neutral: np.ndarray
) -> np.ndarray:
    """(height, width, 4) uint8 of landmarks (68, 3) px with the head's motion (3,) rad and (3,) px in them."""
    pivot = np.asarray(warper.mesh.neck_pivot, np.float64)
    held = (landmarks - pivot - translation) @ Rotation.from_euler("xyz", rotation).as_matrix() + pivot
    parts = (held - neutral, np.asarray(rotation), np.asarray(translation))
    expression, turn, shift = (np.asarray(part, np.float32)[None] for part in parts)
    return next(warper.frames(Motion(25.0, landmarks[None], neutral, expression, turn, shift, pivot)))
