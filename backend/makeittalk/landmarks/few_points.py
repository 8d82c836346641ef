"""Seven points that somebody has clicked, and the 68 landmarks of a face that goes through them.

The mean face is turned to the side that the points speak for, laid over them by a similarity, and bent smoothly until
it hits each of them. Faces that no detector knows, drawings and animals, start from there.
"""

from __future__ import annotations

import numpy as np

from ..exchange.constants import CLICKS
from ..exchange.errors import InputError
from .ibug68 import EYE_LEFT, EYE_RIGHT
from .mean_face import MEAN_FACE

#: The landmarks whose mean each click is, in the order of `CLICKS`.
_MEANT: tuple[list[int], ...] = (EYE_RIGHT.tolist(), EYE_LEFT.tolist(), [30], [48], [54], [62, 66], [8])
_AGAIN = "Click the seven points again."
_CLOSEST = 0.02  # of the distance from the eyes to the chin: two clicks nearer than that are one
_LEAST_ANGLE = 0.15  # sine of the angle between the line of the eyes and the way down to the chin
_YAWS = np.radians(np.arange(-50.0, 50.5, 1.0))
# Canonical units by which a face's points lie elsewhere than the mean face's, and how far portraits are turned: what
# decides whether a nose beside the middle is a turned head or a crooked nose.
_SPREAD, _USUAL_YAW = 0.06, np.radians(20.0)
_REACH = 0.5  # canonical units over which a click bends its surroundings


def place_landmarks(clicks: np.ndarray) -> np.ndarray:
    """The landmarks of a face that goes through seven clicked points.

    Eyes or mouth corners that were clicked in the other order are exchanged. The face may lie in any direction.

    Args:
        clicks: (7, 2) px, in the order of `CLICKS`.

    Returns:
        (68, 3) float32 px, z = 0 midway between the jaw ends.

    Raises:
        InputError: two points are the same, or they do not lie as those of a face do.
    """
    clicks = _in_order(np.array(clicks, np.float64))
    means = np.zeros((len(CLICKS), len(MEAN_FACE)))
    for row, members in zip(means, _MEANT, strict=True):
        row[members] = 1.0 / len(members)
    yaw = _yaw(means @ MEAN_FACE, clicks)
    face = _turned(MEAN_FACE, yaw)
    scale, turn, shift, _ = _similarity((means @ face)[None, :, :2], clicks)
    placed = scale[0] * face[:, :2] @ turn[0].T + shift[0]
    # The smoothest field of a kernel that moves the means onto the clicks: as a Gaussian process is conditioned.
    apart = np.linalg.norm(face[:, None, :2] - face[None, :, :2], axis=2)
    kernel = np.exp(-0.5 * (apart / _REACH) ** 2) + face[:, :2] @ face[:, :2].T + 1.0
    placed += kernel @ means.T @ np.linalg.solve(means @ kernel @ means.T, clicks - means @ placed)
    depth = scale[0] * face[:, 2]
    depth -= (depth[0] + depth[16]) / 2
    return np.column_stack([placed, depth]).astype(np.float32)


def few_points(landmarks: np.ndarray) -> np.ndarray:
    """Where the seven points (7, 2) of a face (68, ≥2) are: what `place_landmarks` hits."""
    return np.stack([np.asarray(landmarks, np.float64)[members, :2].mean(axis=0) for members in _MEANT])


def _in_order(clicks: np.ndarray) -> np.ndarray:
    """The clicks with the person's right eye and mouth corner before the left ones."""
    if clicks.shape != (len(CLICKS), 2) or not np.isfinite(clicks).all():
        raise InputError("A face is placed by seven points in the picture.", _AGAIN)
    down = clicks[6] - clicks[:2].mean(axis=0)
    length = float(np.linalg.norm(down))
    apart = np.linalg.norm(clicks[:, None] - clicks[None], axis=2) + np.diag(np.full(len(clicks), np.inf))
    first, second = np.unravel_index(int(apart.argmin()), apart.shape)
    if not apart.min() > max(_CLOSEST * length, 1e-3):
        raise InputError(f"The {CLICKS[first]} and the {CLICKS[second]} are the same point.", _AGAIN)
    down /= length
    if (np.diff([0.0, *((clicks[[2, 5, 6]] - clicks[:2].mean(axis=0)) @ down)]) <= 0).any():
        raise InputError("The points do not follow one another from the eyes over nose and mouth to the chin.", _AGAIN)
    across = clicks[1] - clicks[0]
    if abs(_cross(across, down)) < _LEAST_ANGLE * np.linalg.norm(across):
        raise InputError("Both eyes lie on the line to the chin.", _AGAIN)
    for pair in ([0, 1], [3, 4]):
        if _cross(clicks[pair[1]] - clicks[pair[0]], down) < 0:
            clicks[pair] = clicks[pair[::-1]]
    return clicks


def _cross(a: np.ndarray, b: np.ndarray) -> float:
    return float(a[0] * b[1] - a[1] * b[0])


def _turned(face: np.ndarray, yaw: float) -> np.ndarray:
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.asarray(face @ np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]]).T)


def _yaw(means: np.ndarray, clicks: np.ndarray) -> float:
    """How far the head is turned, radians, of the seven points (7, 3) of the mean face."""
    faces = np.stack([_turned(means, yaw) for yaw in _YAWS])[..., :2]
    scale, _, _, left = _similarity(faces, clicks)
    unlikely = left / (scale * _SPREAD) ** 2 + (_YAWS / _USUAL_YAW) ** 2
    return float(_YAWS[int(unlikely.argmin())])


def _similarity(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scales (n,), rotations (n, 2, 2), shifts (n, 2) that carry points (n, k, 2) onto (k, 2), and what is left of the
    sum of their squared distances (n,)."""
    middle, goal = source.mean(axis=1, keepdims=True), target.mean(axis=0)
    x, y = np.moveaxis(source - middle, -1, 0)
    u, v = (target - goal).T
    a, b = (x * u + y * v).sum(axis=1), (x * v - y * u).sum(axis=1)
    size = (x**2 + y**2).sum(axis=1)
    scale = np.hypot(a, b) / size
    turn = np.stack([np.stack([a, -b], -1), np.stack([b, a], -1)], axis=1) / np.hypot(a, b)[:, None, None]
    shift = goal - scale[:, None] * np.einsum("nij,nj->ni", turn, middle[:, 0])
    placed = scale[:, None, None] * source @ turn.transpose(0, 2, 1) + shift[:, None]
    return scale, turn, shift, ((placed - target) ** 2).sum(axis=(1, 2))
