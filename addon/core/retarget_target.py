"""Somebody else's character as the solver sees it: its keys, what they mean, what they do to its lips. No bpy here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .errors import AddonError
from .lip_finder import Lips
from .retarget_performance import LOWER_INNER, UPPER_INNER
from .retarget_shapes import shape_of

_ALONG = np.array([0.25, 0.5, 0.75])  # of the three inner pairs of the landmarks


@dataclass(frozen=True)
class Target:
    """The keys of a character that are to be driven.

    Attributes:
        names: (K,). meanings: (K,) identifiers of `retarget_names.MEANINGS`. limits: (K, 2) slider ranges.
        landmarks: (K, 68, 3) what each key does at 1, mouth widths, frontal frame: measured where `measured`, else
            canonical.
        gaps: (K, P) how far each pair of vertices moves apart at 1, mouth widths. rest_gap: (P,) apart at rest.
            along: (P,) where the pair is, 0 at the corner that the viewer sees on the left, 1 at the other.
        measured: whether the lips are the target's own.
    """

    names: tuple[str, ...]
    meanings: tuple[str, ...]
    limits: np.ndarray
    landmarks: np.ndarray
    gaps: np.ndarray
    rest_gap: np.ndarray
    along: np.ndarray
    measured: bool


def target_of(
    meanings: dict[str, str],
    limits: dict[str, tuple[float, float]] | None = None,
    lips: Lips | None = None,
    rest: np.ndarray | None = None,
    displacements: dict[str, np.ndarray] | None = None,
) -> Target:
    """The target of a mesh, or of bones.

    Args:
        meanings: of the keys that are driven, by name (see `retarget_names.match`). limits: slider ranges; 0 to 1
            where none is given. lips: as `lip_finder.find_lips` found them, None where it found none.
        rest: (V, 3) and displacements: (V, 3) a key, of the mesh; needed with `lips`.

    Raises:
        AddonError: lips without the mesh that they belong to.
    """
    names = tuple(meanings)
    ranges = np.array([(limits or {}).get(name, (0.0, 1.0)) for name in names], np.float64).reshape(-1, 2)
    words: Sequence[str] = [meanings[name] for name in names]
    if lips is None:
        shapes = [shape_of(meaning) for meaning in words]
        landmarks = np.array([np.zeros((68, 3)) if shape is None else shape for shape in shapes]).reshape(-1, 68, 3)
        gaps = landmarks[:, LOWER_INNER, 1] - landmarks[:, UPPER_INNER, 1]
        return Target(names, tuple(words), ranges, landmarks, gaps, np.zeros(3), _ALONG, False)
    if rest is None or displacements is None or not set(names) <= set(displacements):
        raise AddonError("The lips of the character do not go with its shape keys.", "Choose the object anew.")
    moved = np.array([displacements[name] for name in names], np.float64).reshape(len(names), -1, 3)
    place = np.asarray(rest, np.float64)
    return Target(
        *(names, tuple(words), ranges, lips.landmarks(moved), lips.gaps(moved), lips.gaps(place), lips.along(place)),
        True,
    )
