"""The shape keys every character has: one fixed basis in the canonical frame, turned into each portrait.

Named keys carry the meaning of their ARKit namesakes and, by themselves, the speech; `mouthShut` and the two blinks
shut what this portrait has open; a few residual keys (PCA) refine. The basis is shipped as `weights/basis.safetensors`.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from ..exchange.errors import MissingError
from ..landmarks.pose import Canonical
from .blinks import lid_displacement
from .gaze import with_gaze_keys
from .lips import shut_mouth

BASIS_FILE = Path(__file__).resolve().parent.parent / "weights" / "basis.safetensors"
MOUTH_SHUT = "mouthShut"
BLINKS = ("eyeBlinkLeft", "eyeBlinkRight")
UNMARKED = ("tongueOut",)  # keys that move no landmark: the mesh knows what they move
RESIDUAL = "residual"  # what the names of the keys without a meaning of their own begin with
NAMED_RANGE = (-1.0, 2.0)
RESIDUAL_RANGE = (-10.0, 10.0)

_RIGHT_EYE = np.arange(36, 42)  # the subject's right, left in the picture
_LEFT_EYE = np.arange(42, 48)


@dataclass(frozen=True)
class Basis:
    """Canonical displacements at value 1.

    Attributes:
        names: N named keys, then M residual ones. named: (N, 68, 3). residual: (M, 68, 3), mutually orthogonal.
    """

    names: tuple[str, ...]
    named: np.ndarray
    residual: np.ndarray


@functools.cache
def load_basis(path: Path = BASIS_FILE) -> Basis:
    """The shipped basis.

    Raises:
        MissingError: the file is missing or damaged.
    """
    try:
        with safe_open(str(path), framework="numpy") as file:
            names = tuple(json.loads(file.metadata()["names"]))
            named = file.get_tensor("named").astype(np.float64)
            residual = file.get_tensor("residual").astype(np.float64)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise MissingError(f"The shape-key basis {path.name} is missing or damaged.", "Install it again.") from error
    return Basis(names, named, residual)


def character_keys(neutral: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The shape keys of one portrait.

    Args:
        neutral: (68, 3) px landmarks.

    Returns:
        names (K,), landmark displacements at value 1 (K, 68, 3) float32 px, slider limits (K, 2) float32.
    """
    basis = load_basis()
    neutral = np.asarray(neutral, np.float64)
    canonical = Canonical.of(neutral)
    shut = canonical.displacement_from(shut_mouth(canonical.to_canonical(neutral)))
    left, right = eye_keys(neutral)
    own = np.stack([shut, left, right, *[np.zeros_like(shut)] * len(UNMARKED)])
    fixed = canonical.displacement_from(np.concatenate([basis.named, basis.residual]))
    names = np.array([MOUTH_SHUT, *BLINKS, *UNMARKED, *basis.names])
    limits = [NAMED_RANGE] * (len(own) + len(basis.named)) + [RESIDUAL_RANGE] * len(basis.residual)
    keys = np.concatenate([own, fixed]).astype(np.float32)
    return with_gaze_keys(neutral, names, keys, np.array(limits, np.float32))


def keys_for_face(
    names: np.ndarray, key_landmarks: np.ndarray, key_range: np.ndarray, before: np.ndarray, neutral: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The shape keys of a character whose landmarks were corrected: by name, order and limits those that it has.

    Those that the basis still holds are made for the new face; those of an older basis are turned into its frame.

    Args:
        names: (K,). key_landmarks: (K, 68, 3) px. key_range: (K, 2). before: (68, 3) px, the landmarks that they were
            made for. neutral: (68, 3) px, the corrected ones.

    Returns:
        as `character_keys` does.
    """
    there, here = Canonical.of(before), Canonical.of(neutral)
    keys = here.displacement_from(there.displacement_to(key_landmarks)).astype(np.float32)
    known, made, _ = character_keys(neutral)
    today = dict(zip(known.tolist(), made, strict=True))
    for row, name in enumerate(map(str, names)):
        if name in today and not name.startswith(RESIDUAL):
            keys[row] = today[name]
    return np.array(names), keys, np.array(key_range, np.float32)


def eye_keys(neutral: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What shuts the subject's left and right eye: two (68, 3) displacements in the unit of `neutral`."""
    lids = lid_displacement(neutral)
    left, right = np.zeros_like(lids), np.zeros_like(lids)
    left[_LEFT_EYE], right[_RIGHT_EYE] = lids[_LEFT_EYE], lids[_RIGHT_EYE]
    return left, right
