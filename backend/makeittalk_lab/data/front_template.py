"""Landmarks registered to a front-facing template by the best-fitting affine map (paper, section 4.1)."""

from __future__ import annotations

import numpy as np
from makeittalk.landmarks.ibug68 import REGISTRATION
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.landmarks.registration import register

_FITTED = np.concatenate([[0, 1, 15, 16], REGISTRATION])  # temples, nose bridge, nostrils, corners of the eyes
_STIFF = 0.02  # share of the points' own spread by which the map is held to a similarity: it must not follow noise


def front_template(landmarks: np.ndarray) -> np.ndarray:
    """The mean face, which looks straight ahead, as large as a film's face and where it is: (T, 68, 3) px → (68, 3)."""
    width = np.linalg.norm(landmarks[:, 16] - landmarks[:, 0], axis=1)
    size = float(np.median(width)) / float(np.linalg.norm(MEAN_FACE[16] - MEAN_FACE[0]))
    moved = size * MEAN_FACE
    return moved + np.median(landmarks[:, _FITTED].mean(1), axis=0) - moved[_FITTED].mean(0)


def register_affine(landmarks: np.ndarray, template: np.ndarray) -> np.ndarray:
    """Each frame brought onto the template by the affine map that fits best where speech moves nothing.

    A similarity comes first (Umeyama 1991); what is fitted then is how the map differs from it, least squares with a
    small ridge, since a chin lies far below every point that is fitted.

    Args:
        landmarks: (T, 68, 3). template: (68, 3).

    Returns:
        (T, 68, 3) in the template's frame.
    """
    points = register(landmarks, template, _FITTED)
    middle, goal = points[:, _FITTED].mean(1, keepdims=True), template[_FITTED].mean(0)
    source, target = points[:, _FITTED] - middle, template[_FITTED] - goal
    square = source.transpose(0, 2, 1) @ source
    ridge = _STIFF * np.trace(square, axis1=1, axis2=2)[:, None, None] / 3.0 * np.eye(3)
    change = np.linalg.solve(square + ridge, source.transpose(0, 2, 1) @ (target - source))
    return np.asarray((points - middle) @ (np.eye(3) + change) + goal)
