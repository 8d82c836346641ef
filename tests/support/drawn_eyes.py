"""A portrait of the mean face with drawn eyes, for tests of the gaze."""

from __future__ import annotations

from pathlib import Path

import cv2
import faces
import numpy as np
from makeittalk.exchange.formats import Face
from makeittalk.landmarks import ibug68

SIDE = 512
IRIS = (40, 90, 60)
EYES = (ibug68.EYE_RIGHT, ibug68.EYE_LEFT)


def drawn_portrait(irises: bool = True, shift: float = 0.0) -> tuple[Face, np.ndarray, np.ndarray]:
    """The face, its picture (512, 512, 4) uint8, and the irises that were drawn, (2, 3) px.

    Args:
        irises: whether there are any; else the eyes are skin. shift: px that they look to the right of the picture.
    """
    landmarks = faces.portrait(width=300.0).astype(np.float32)
    random = np.random.default_rng(5)
    picture = np.full((SIDE, SIDE, 3), (214, 170, 140), np.float32)
    drawn = []
    for eye in EYES:
        points = landmarks[eye, :2].astype(np.float64)
        middle = points.mean(axis=0)
        outline = middle + (points - middle) * 1.08
        radius = 0.2 * float(np.linalg.norm(points[3] - points[0]))
        centre = middle + [shift, 0.0]
        drawn.append([*centre, radius])
        if not irises:
            continue
        mask, disc = (np.zeros((SIDE, SIDE), np.uint8) for _ in range(2))
        cv2.fillPoly(mask, [np.rint((outline - 0.5) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        cv2.circle(disc, tuple(np.rint((centre - 0.5) * 16).astype(int)), round(radius * 16), 255, -1, cv2.LINE_AA, 4)
        ball = np.full((SIDE, SIDE, 3), (236, 232, 228), np.float32)
        ball += disc[..., None] / 255.0 * (np.array(IRIS, np.float32) - ball)
        picture += mask[..., None] / 255.0 * (ball - picture)
    picture += random.normal(0, 1.5, picture.shape)
    rgba = np.dstack([np.clip(picture, 0, 255), np.full((SIDE, SIDE), 255.0)]).astype(np.uint8)
    return Face(Path("portrait.png"), SIDE, SIDE, landmarks), rgba, np.array(drawn)
