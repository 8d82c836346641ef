"""A motion as shape-key values and bone transforms on the frames of a scene."""

from __future__ import annotations

import numpy as np

from ..exchange.amounts import Amounts
from ..exchange.constants import GAZE_KEYS
from ..exchange.errors import InputError
from ..exchange.formats import Bake, Mesh, Motion
from ..mesh.deform import gaze_values
from .basis import BLINKS, MOUTH_SHUT, RESIDUAL
from .postprocess import apply_amounts, smooth_speaker
from .resample import at, closure_times, resample

_ITERATIONS = 150
_RIDGE = 2e-3  # of the largest eigenvalue: keeps correlated keys from fighting
_SPARSE = 1e-3  # canonical units²: small values are not worth a key
_UPPER = 1.5  # of a named key in a prediction


def bake_motion(motion: Motion, mesh: Mesh, fps: float, smooth: float | None = None) -> Bake:
    """Fits the shape keys to a motion, each amount's share apart, and turns the head into the bone's transforms.

    Args:
        motion: at any rate. One with parts is baked at amount 1 of everything but smoothing; of one without, all is
            taken for lips.
        mesh: the character's, for its keys. fps: the scene's rate.
        smooth: the amount of smoothing, the motion's own where None.

    Returns:
        one row a scene frame. `residual` says what the keys could not reproduce.

    Raises:
        InputError: the mesh lacks a key that the motion needs.
    """
    if motion.parts is not None:
        motion = apply_amounts(motion, Amounts(smooth=motion.parts.amounts.smooth if smooth is None else smooth))
    # Predicted frame i stands at its own moment, so the sound ends with the last one, not a frame later.
    frames = int((motion.frames - 1) / motion.fps * fps + 1e-6) + 1
    sampled = resample(motion, fps, frames)
    keys = _Keys(mesh)
    rest, lids = np.zeros(len(keys.names)), np.zeros((frames, len(keys.names)))
    expression = np.zeros_like(lids)
    if motion.parts is not None:
        times = closure_times(motion, np.arange(frames) / fps)
        rest[keys.index(MOUTH_SHUT)] = 1.0
        for name in BLINKS:
            lids[:, keys.index(name)] = np.clip(at(motion.parts.blink, times, motion.fps), 0.0, 1.0)
        speaker = at(smooth_speaker(motion.parts, motion.fps), times, motion.fps)
        expression = keys.fit(speaker)
    lips = keys.fit(sampled.expression - keys.shown(rest + lids + expression))
    left = sampled.expression - keys.shown(rest + lids + expression + lips)
    face_width = float(np.linalg.norm(sampled.neutral[16] - sampled.neutral[0]))
    turn = np.array([1.0, -1.0, -1.0], np.float32)
    return Bake(
        fps=fps,
        key_names=mesh.key_names,
        key_range=mesh.key_range,
        rest_values=rest.astype(np.float32),
        lip_values=lips.astype(np.float32),
        expression_values=expression.astype(np.float32),
        blink_values=lids.astype(np.float32),
        head_rotation=(sampled.head_rotation * turn).astype(np.float32),
        head_location=(sampled.head_translation * turn / float(mesh.image_size[1])).astype(np.float32),
        gaze_values=keys.gaze(mesh, sampled),
        residual=(np.linalg.norm(left, axis=2).max(axis=1) * 256.0 / max(face_width, 1e-6)).astype(np.float32),
    )


class _Keys:
    """The shape keys of a mesh, as what they do to the landmarks.

    Args:
        mesh: the character's.
    """

    def __init__(self, mesh: Mesh) -> None:
        self.names = [str(name) for name in mesh.key_names]
        self._keys = mesh.key_landmarks.reshape(len(mesh.key_landmarks), -1).astype(np.float64)
        self._range = mesh.key_range
        self._residual = np.array([name.startswith(RESIDUAL) for name in self.names])
        # What shuts mouth and eyes is said by the motion itself and not to be fitted.
        self._named = ~self._residual & ~np.isin(self.names, [MOUTH_SHUT, *BLINKS, *GAZE_KEYS])

    def index(self, name: str) -> int:
        """The column of a key.

        Raises:
            InputError: the mesh lacks it.
        """
        if name not in self.names:
            raise InputError(f"The mesh lacks the shape key {name!r}.", "Make the mesh again.")
        return self.names.index(name)

    def shown(self, values: np.ndarray) -> np.ndarray:
        """The displacement (N, 68, 3) px of the landmarks at values (N, K)."""
        return (values @ self._keys).reshape(-1, 68, 3)

    def gaze(self, mesh: Mesh, motion: Motion) -> np.ndarray:
        """Values (N, K) that turn the eyes as a motion says."""
        values = np.zeros((motion.frames, len(self.names)), np.float32)
        if motion.gaze is not None:
            for name, column in zip(GAZE_KEYS, gaze_values(mesh, motion.gaze).T, strict=True):
                if name in self.names:
                    values[:, self.names.index(name)] = column
        return values

    def fit(self, displacement: np.ndarray) -> np.ndarray:
        """Values (N, K) that reproduce a displacement (N, 68, 3) px: named keys first, non-negative and sparse, then
        residual keys exactly."""
        target = displacement.reshape(len(displacement), -1).astype(np.float64)
        values = np.zeros((len(target), len(self.names)))
        named = self._keys[self._named]
        # Pixels to canonical-like units, so that the regularisation means the same on every portrait.
        unit = max(float(np.sqrt((named**2).sum(1).max())), 1e-9)
        values[:, self._named] = bounded_fit(target / unit, named / unit)
        low, high = self._range[self._residual].T
        left = (target - values @ self._keys) @ np.linalg.pinv(self._keys[self._residual])
        values[:, self._residual] = np.clip(left, low, high)
        return values


def bounded_fit(target: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """min ‖target − x·keys‖² + ridge‖x‖² + sparse·Σx over 0 ≤ x ≤ limit, for all rows at once (FISTA).

    Args:
        target: (N, D). keys: (K, D).

    Returns:
        (N, K).
    """
    gram = keys @ keys.T
    top = max(float(np.linalg.eigvalsh(gram)[-1]), 1e-12)
    gram += np.eye(len(gram)) * _RIDGE * top
    step = 1.0 / (top * (1.0 + _RIDGE))
    goal = target @ keys.T - _SPARSE
    x = np.zeros_like(goal)
    ahead, momentum = x, 1.0
    for _ in range(_ITERATIONS):
        new = np.clip(ahead - step * (ahead @ gram - goal), 0.0, _UPPER)
        following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        ahead = new + (momentum - 1.0) / following * (new - x)
        x, momentum = new, following
    return x
