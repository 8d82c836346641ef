"""A motion as shape-key values and bone transforms on the frames of a scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..exchange.amounts import Amounts
from ..exchange.constants import CANONICAL_JAW, GAZE_KEYS
from ..exchange.errors import InputError
from ..exchange.formats import Bake, Mesh, Motion
from ..mesh.deform import gaze_values
from .basis import BLINKS, MOUTH_SHUT, RESIDUAL
from .key_fit import fit_named_keys
from .postprocess import Shown, show, smooth_speaker
from .resample import at, resample_shown

# What the names of the keys begin with that say it.
_EXPRESSION = ("brow", "eye")
_LIPS = ("jaw", "mouth")
_LEAST = 0.03  # largest value in a recording of a named key that is worth a curve


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
    neutral, parts = motion.neutral, motion.parts
    shown = Shown.of(motion)
    if parts is not None:
        parts = replace(parts, amounts=Amounts(smooth=parts.amounts.smooth if smooth is None else smooth))
        shown = show(neutral, parts, motion.fps)
    # Predicted frame i stands at its own moment, so the sound ends with the last one, not a frame later.
    frames = int((motion.frames - 1) / motion.fps * fps + 1e-6) + 1
    sampled, moments = resample_shown(shown, neutral, motion.fps, fps, frames)
    face_width = float(np.linalg.norm(neutral[16] - neutral[0]))
    keys = _Keys(mesh, face_width / CANONICAL_JAW)
    rest, lids = np.zeros(len(keys.names)), np.zeros((frames, len(keys.names)))
    expression = np.zeros_like(lids)
    if parts is not None:
        rest[keys.index(MOUTH_SHUT)] = 1.0
        for name in BLINKS:
            lids[:, keys.index(name)] = np.clip(at(parts.blink, moments, motion.fps), 0.0, 1.0)
        speaker = at(smooth_speaker(parts, motion.fps), moments, motion.fps)
        expression = keys.fit(speaker, _EXPRESSION)
    said_by = _LIPS if parts is not None else ("",)
    lips = keys.fit(sampled.expression - keys.shown(rest + lids + expression), said_by)
    left = sampled.expression - keys.shown(rest + lids + expression + lips)
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
        gaze_values=keys.gaze(mesh, sampled.gaze, frames),
        residual=(np.linalg.norm(left, axis=2).max(axis=1) * 256.0 / max(face_width, 1e-6)).astype(np.float32),
    )


class _Keys:
    """The shape keys of a mesh, as what they do to the landmarks.

    Args:
        mesh: the character's. scale: px a canonical unit.
    """

    def __init__(self, mesh: Mesh, scale: float) -> None:
        self._scale = max(scale, 1e-6)
        self.names = [str(name) for name in mesh.key_names]
        self._keys = mesh.key_landmarks.reshape(len(mesh.key_landmarks), -1).astype(np.float64)
        self._range = mesh.key_range
        self._residual = np.array([name.startswith(RESIDUAL) for name in self.names])
        # What shuts mouth and eyes is said by the motion itself and not to be fitted.
        fixed = [MOUTH_SHUT, *BLINKS, *GAZE_KEYS]
        self._named = ~self._residual & ~np.isin(self.names, fixed) & self._keys.any(axis=1)

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

    def gaze(self, mesh: Mesh, gaze: np.ndarray | None, frames: int) -> np.ndarray:
        """Values (N, K) that turn the eyes as a motion's gaze (N, 2) says; all 0 where it says nothing."""
        values = np.zeros((frames, len(self.names)), np.float32)
        if gaze is not None:
            for name, column in zip(GAZE_KEYS, gaze_values(mesh, gaze).T, strict=True):
                if name in self.names:
                    values[:, self.names.index(name)] = column
        return values

    def fit(self, displacement: np.ndarray, said_by: tuple[str, ...]) -> np.ndarray:
        """Values (N, K) that reproduce a displacement: named keys as well as they can, non-negative and few; residual
        keys what is left.

        Args:
            displacement: (N, 68, 3) px. said_by: what the names of the named keys that may say it begin with.
        """
        named = self._named & np.array([name.startswith(said_by) for name in self.names])
        of_use = self._fit_named(displacement, named, polishing=0).max(axis=0, initial=0.0) > _LEAST
        values = self._fit_named(displacement, of_use)
        low, high = self._range[self._residual].T
        left = displacement.reshape(len(values), -1) - values @ self._keys
        values[:, self._residual] = np.clip(left @ np.linalg.pinv(self._keys[self._residual]), low, high)
        return values

    def _fit_named(self, displacement: np.ndarray, named: np.ndarray, **options: int) -> np.ndarray:
        values = np.zeros((len(displacement), len(self.names)))
        keys = self._keys.reshape(-1, 68, 3) / self._scale
        names, residual = np.array(self.names)[named].tolist(), keys[self._residual]
        values[:, named] = fit_named_keys(displacement / self._scale, keys[named], names, residual, **options)
        return values
