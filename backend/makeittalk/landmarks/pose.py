"""Head pose and expression apart: landmarks = R (neutral + expression − pivot) + pivot + t.

All points are (…, 68, 3) in pixels: x right, y down, z away from the viewer. Rotations are Euler angles "xyz" in
radians, as scipy's `Rotation.from_euler("xyz", r)` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.spatial.transform import Rotation

from ..exchange.constants import CANONICAL_JAW
from .ibug68 import MIRROR, STABLE
from .mean_face import MEAN_FACE

_ITERATIONS = 6
# How far a point may be trusted to stay with the skull: one over the variance of its own motion, measured on the speech
# expressions of ICT-FaceKit and on tracked clips of GRID. Nostrils follow the lip, lids blink.
_TRUST = np.ones(68)
_TRUST[30] = 0.15
_TRUST[31:36] = 0.05
_TRUST[[36, 45]] = 0.4
_TRUST[[37, 38, 43, 44]] = 0.04
_TRUST[[40, 47]] = 0.5
_TRUST[[0, 1, 15, 16]] = 0.6  # noisy in depth, but far behind the rest: they tell nodding from a raised brow
_HEAD = np.concatenate([[0, 1, 15, 16], STABLE])
_FLOOR = 0.02  # residual, relative to the size of the fitted part, below which every point counts in full
# Where the head turns on the neck, in the canonical frame: at the height of the jaw's angle, a little behind the ears.
_NECK = np.array([0.0, 0.75, 0.2])
# Of a face at rest: where people differ least in how far they seem to nod (0.7° over ICT-FaceKit's identities).
_FRONT = np.concatenate([[0, 1, 2, 14, 15, 16], STABLE])
_ALL_BUT_LIPS = np.arange(0, 48)


def fit_rigid(
    points: np.ndarray, neutral: np.ndarray, indices: np.ndarray = STABLE, scale: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The motion that carries the neutral face onto each frame: points ≈ s · R neutral + t.

    Least squares (Kabsch, Umeyama), reweighted so that the points which moved by themselves, as the lids in a blink,
    lose their say.

    Args:
        points: (T, 68, 3). neutral: (68, 3). indices: the points to fit on.
        scale: whether the size may change too; s is 1 otherwise.

    Returns:
        R (T, 3, 3), t (T, 3), s (T,), float64.
    """
    target = np.asarray(points, np.float64)[:, indices]
    return _robust_fit(target, np.asarray(neutral, np.float64)[indices], _TRUST[indices], scale)


def _robust_fit(
    target: np.ndarray, source: np.ndarray, trust: np.ndarray, scale: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`fit_rigid` on (T, k, 3) and (k, 3) points with the (k,) weights they start from."""
    size = float(np.sqrt(((source - source.mean(0)) ** 2).sum(1).mean()))
    weights = np.broadcast_to(trust, target.shape[:2])
    rotation, translation, factor = _weighted_fit(target, source, weights, scale)
    for _ in range(_ITERATIONS - 1):
        fitted = factor[:, None, None] * (source @ rotation.transpose(0, 2, 1)) + translation[:, None]
        residual = np.linalg.norm(target - fitted, axis=2)
        spread = np.median(residual, axis=1, keepdims=True)
        spread = np.maximum(1.5 * spread, _FLOOR * size * factor[:, None])
        weights = trust / (1.0 + (residual / spread) ** 2) ** 2  # Geman and McClure
        rotation, translation, factor = _weighted_fit(target, source, weights, scale)
    return rotation, translation, factor


def _weighted_fit(
    target: np.ndarray, source: np.ndarray, weights: np.ndarray, scale: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    share = weights / weights.sum(1, keepdims=True)
    source_centre = share @ source
    target_centre = np.einsum("tk,tkc->tc", share, target)
    source_part = source[None] - source_centre[:, None]
    target_part = target - target_centre[:, None]
    covariance = np.einsum("tk,tki,tkj->tij", share, target_part, source_part)
    left, singular, right = np.linalg.svd(covariance)
    sign = np.ones_like(singular)
    sign[:, 2] = np.sign(np.linalg.det(left @ right))  # a rotation, never a mirror image
    rotation = (left * sign[:, None]) @ right
    factor = np.ones(len(target))
    if scale:
        variance = np.einsum("tk,tkc->t", share, source_part**2)
        factor = (singular * sign).sum(1) / variance
    translation = target_centre - factor[:, None] * np.einsum("tij,tj->ti", rotation, source_centre)
    return rotation, translation, factor


def split_pose(
    landmarks: np.ndarray, neutral: np.ndarray, pivot: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Head rotation, head translation and expression of each frame; `compose_pose` is the exact inverse.

    Args:
        landmarks: (T, 68, 3). neutral: (68, 3), px. pivot: (3,), px, see `neck_pivot`.

    Returns:
        rotation (T, 3) rad, translation (T, 3) px, expression (T, 68, 3) px, float32.
    """
    pivot = np.asarray(pivot, np.float64)
    matrices, offset, _ = fit_rigid(landmarks, neutral, _HEAD)
    translation = (offset + matrices @ pivot - pivot).astype(np.float32)
    rotation = Rotation.from_matrix(matrices).as_euler("xyz").astype(np.float32)
    matrices = Rotation.from_euler("xyz", rotation).as_matrix().astype(np.float32)
    # Relative to the pivot, where single precision still has digits to spare on the largest portrait.
    relative = np.asarray(landmarks, np.float32) - pivot.astype(np.float32) - translation[:, None]
    expression = relative @ matrices - (np.asarray(neutral, np.float64) - pivot).astype(np.float32)
    return rotation, translation, expression


def compose_pose(
    neutral: np.ndarray, expression: np.ndarray, rotation: np.ndarray, translation: np.ndarray, pivot: np.ndarray
) -> np.ndarray:
    """Landmarks from their parts: R (neutral + expression − pivot) + pivot + t.

    Args:
        neutral: (68, 3). expression: (T, 68, 3). rotation: (T, 3) rad. translation: (T, 3). pivot: (3,).

    Returns:
        (T, 68, 3) float32, px.
    """
    pivot = np.asarray(pivot, np.float64)
    matrices = Rotation.from_euler("xyz", np.asarray(rotation, np.float64)).as_matrix().astype(np.float32)
    relative = (np.asarray(neutral, np.float64) - pivot).astype(np.float32) + np.asarray(expression, np.float32)
    shift = (pivot + np.asarray(translation, np.float64)).astype(np.float32)
    return relative @ matrices.transpose(0, 2, 1) + shift[:, None]


def neck_pivot(neutral: np.ndarray) -> np.ndarray:
    """The point the head turns about, (3,) float32 px: at the height of the jaw's angle, a little behind the ears."""
    return Canonical.of(neutral).from_canonical(_NECK).astype(np.float32)


@lru_cache(maxsize=16)
def _frontal(neutral: bytes) -> tuple[np.ndarray, float, np.ndarray]:
    """Rotation, scale and centre of `Canonical.of`, of a face (68, 3) as the bytes of its float64: asked for often."""
    face = np.frombuffer(neutral).reshape(-1, 3)
    centre = (face[0] + face[16]) / 2
    scale = float(np.linalg.norm(face[16] - face[0])) / CANONICAL_JAW
    equal = np.ones((1, len(_FRONT)))
    rotation = _weighted_fit(face[None, _FRONT], MEAN_FACE[_FRONT], equal, scale=True)[0][0]
    part = _ALL_BUT_LIPS
    for _ in range(4):
        upright = (face - centre) @ rotation
        symmetric = (upright + upright[MIRROR] * (-1.0, 1.0, 1.0))[part] / 2
        rotation = _robust_fit(face[None, part], symmetric, np.ones(len(part)), scale=True)[0][0]
    return rotation, scale, centre


@dataclass(frozen=True)
class Canonical:
    """The frontal, size-normalised frame of one face: portrait = scale · R canonical + centre.

    x right, y down, z away; jaw ends 0 and 16 `CANONICAL_JAW` apart, origin midway between them, head frontal.

    Attributes:
        R: (3, 3) the head pose of the portrait.
        scale: px a canonical unit.
        centre: (3,) px, midway between the jaw ends.
    """

    R: np.ndarray
    scale: float
    centre: np.ndarray

    @classmethod
    def of(cls, neutral: np.ndarray) -> Canonical:
        """The frame of a face.

        Nodding is measured against the mean face; turning and tilting against the face's own mirror image, which
        keeps a three-quarter portrait from coming out lopsided.

        Args:
            neutral: (68, 3) px.
        """
        rotation, scale, centre = _frontal(np.asarray(neutral, np.float64).tobytes())
        return cls(rotation.copy(), scale, centre.copy())

    def to_canonical(self, points: np.ndarray) -> np.ndarray:
        """Points (…, 3) from portrait pixels."""
        return (np.asarray(points) - self.centre) @ self.R / self.scale

    def from_canonical(self, points: np.ndarray) -> np.ndarray:
        """Points (…, 3) to portrait pixels."""
        return self.displacement_from(points) + self.centre

    def displacement_to(self, delta: np.ndarray) -> np.ndarray:
        """Displacements (…, 3) from portrait pixels."""
        return np.asarray(delta) @ self.R / self.scale

    def displacement_from(self, delta: np.ndarray) -> np.ndarray:
        """Displacements (…, 3) to portrait pixels."""
        return np.asarray(delta) @ self.R.T * self.scale
