"""A motion as shape-key values and bone transforms on the frames of a scene."""

from __future__ import annotations

import numpy as np

from ..exchange.amounts import Amounts
from ..exchange.errors import InputError
from ..exchange.formats import Bake, Mesh, Motion
from .basis import BLINKS, MOUTH_SHUT, RESIDUAL
from .postprocess import apply_amounts
from .resample import at, closure_times, resample

_ITERATIONS = 150
_RIDGE = 2e-3  # of the largest eigenvalue: keeps correlated keys from fighting
_SPARSE = 1e-3  # canonical units²: small values are not worth a key
_UPPER = 1.5  # of a named key in a prediction


def bake_motion(motion: Motion, mesh: Mesh, fps: float, amounts: Amounts | None = None) -> Bake:
    """Fits the shape keys to a motion and turns the head into the bone's transforms.

    Args:
        motion: at any rate; it is re-baked from its parts when `amounts` is given.
        mesh: the character's, for its keys. fps: the scene's rate. amounts: None leaves the motion as it is.

    Returns:
        one row a scene frame. `residual` says what the keys could not reproduce.
    """
    if amounts is not None:
        motion = apply_amounts(motion, amounts)
    # Predicted frame i stands at its own moment, so the sound ends with the last one, not a frame later.
    frames = int((motion.frames - 1) / motion.fps * fps + 1e-6) + 1
    sampled = resample(motion, fps, frames)
    values, residual = fit_shape_keys(sampled.expression, mesh, _known_keys(motion, fps, frames))
    height = float(mesh.image_size[1])
    face_width = float(np.linalg.norm(sampled.neutral[16] - sampled.neutral[0]))
    turn = np.array([1.0, -1.0, -1.0], np.float32)
    return Bake(
        fps=fps,
        key_names=mesh.key_names,
        key_values=values.astype(np.float32),
        key_range=mesh.key_range,
        head_rotation=(sampled.head_rotation * turn).astype(np.float32),
        head_location=(sampled.head_translation * turn / height).astype(np.float32),
        residual=(residual * 256.0 / max(face_width, 1e-6)).astype(np.float32),
    )


def _known_keys(motion: Motion, fps: float, frames: int) -> dict[str, np.ndarray]:
    """Keys whose values need no fitting, because the motion says what it shuts: name → (frames,) values at `fps`."""
    if motion.parts is None:
        return {}
    blink = at(motion.parts.blink, closure_times(motion, np.arange(frames) / fps), motion.fps)
    lids = np.clip(blink * motion.parts.amounts.blink, 0.0, 1.0)
    return {MOUTH_SHUT: np.ones(frames), BLINKS[0]: lids, BLINKS[1]: lids}


def fit_shape_keys(
    expression: np.ndarray, mesh: Mesh, known: dict[str, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Key values that reproduce an expression: named keys first, non-negative and sparse, residual keys exactly.

    Args:
        expression: (N, 68, 3) px. mesh: its `key_landmarks` are fitted. known: values (N,) that are given by name.

    Returns:
        values (N, K); residual (N,) px, the largest distance of a landmark from where it should be.

    Raises:
        InputError: the mesh lacks a key that is given.
    """
    keys = mesh.key_landmarks.reshape(len(mesh.key_landmarks), -1).astype(np.float64)
    target = expression.reshape(len(expression), -1).astype(np.float64)
    names = [str(name) for name in mesh.key_names]
    values = np.zeros((len(target), len(keys)))
    lacking = sorted(set(known or {}) - set(names))
    if lacking:
        raise InputError(f"The mesh lacks the shape key {lacking[0]!r}.", "Make the mesh again.")
    for name, curve in (known or {}).items():
        values[:, names.index(name)] = curve
    named = np.array([not name.startswith(RESIDUAL) and name not in (known or {}) for name in names])
    residual_keys = np.array([name.startswith(RESIDUAL) for name in names])
    # Pixels to canonical-like units, so that the regularisation means the same on every portrait.
    unit = max(float(np.sqrt((keys[named] ** 2).sum(1).max())), 1e-9)
    values[:, named] = bounded_fit((target - values @ keys) / unit, keys[named] / unit)
    low, high = mesh.key_range[residual_keys].T
    values[:, residual_keys] = np.clip((target - values @ keys) @ np.linalg.pinv(keys[residual_keys]), low, high)
    left = (target - values @ keys).reshape(expression.shape)
    return values, np.linalg.norm(left, axis=2).max(axis=1)


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
