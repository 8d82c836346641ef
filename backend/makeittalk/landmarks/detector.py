"""Finds the landmarks of a portrait: MediaPipe, or face-alignment's 3D network where its weights are there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..exchange.constants import DETECTORS
from ..exchange.errors import InputError
from ..images.picture import on_grey
from .face_notices import face_notices

if TYPE_CHECKING:
    from . import face_mesh

_AUTO, MEDIAPIPE, FACE_ALIGNMENT = DETECTORS
_NO_FACE_HINT = (
    "Place the landmarks by hand (Edit Landmarks in Blender's panel, --landmarks on the command line), or use a "
    "front-facing picture with the whole face visible."
)


class NoFaceError(InputError):
    """There is no face in a picture."""


@dataclass
class Detection:
    """A face found in a picture.

    Attributes:
        landmarks: (68, 3) float32 px, z = 0 midway between the jaw ends, negative towards the viewer.
        confidence: 0–1. detector: which one found it. notices: sentences for the user.
        irises: (2, 3) float32 px, right and left: middle x, y and radius; None from a detector that has none.
    """

    landmarks: np.ndarray
    confidence: float
    detector: str
    notices: list[str] = field(default_factory=list)
    irises: np.ndarray | None = None


def available_detectors() -> list[str]:
    """The detectors that work now without a download, the default first."""
    from . import alignment3d

    return [MEDIAPIPE] + ([FACE_ALIGNMENT] if alignment3d.ready() else [])


def detect_landmarks(
    rgb: np.ndarray,
    detector: str = "auto",
    name: str = "the picture",
    allow_download: bool = False,
    face: int = 1,
    thorough: bool = True,
) -> Detection:
    """The landmarks of one face.

    Args:
        rgb: (H, W, 3) or (H, W, 4) uint8; transparent parts count as mid-grey.
        detector: "auto" (MediaPipe), "mediapipe" or "face-alignment".
        name: what to call the picture in a message.
        allow_download: whether the user agreed to face-alignment's download of its weights.
        face: which, from 1: the largest, the next smaller one, …
        thorough: whether to search on where a glance at the picture shows none; MediaPipe only.

    Raises:
        NoFaceError: there is no face. InputError: there are fewer faces, or no such detector.
        MissingError: face-alignment or its weights are not installed.
    """
    rgb = np.asarray(rgb)
    assert rgb.dtype == np.uint8 and rgb.ndim == 3 and rgb.shape[2] in (3, 4), rgb.shape
    rgb = on_grey(rgb)
    irises: list[np.ndarray] = []
    if face < 1:
        raise InputError(f"There is no face {face}.", "Faces are counted from 1, the largest.")
    if detector in (_AUTO, MEDIAPIPE):
        from . import face_mesh

        found = face_mesh.find_faces(rgb, face, thorough)
        faces = [(item.landmarks, item.score) for item in found]
        irises = [np.asarray(item.irises, np.float32) for item in found]
        chosen = MEDIAPIPE
    elif detector == FACE_ALIGNMENT:
        from . import alignment3d

        faces = alignment3d.find_faces(rgb, allow_download)
        chosen = FACE_ALIGNMENT
    else:
        raise InputError(f"There is no detector called {detector}.", "Use auto, mediapipe or face-alignment.")
    if not faces:
        raise NoFaceError(f"No face was found in {name}.", _NO_FACE_HINT)
    if face > len(faces):
        raise InputError(f"There is no face {face} in {name}.", f"{_count(faces)} found, counted from the largest.")
    landmarks, score = faces[face - 1]
    confidence = float(np.clip(score, 0.0, 1.0))
    notices = face_notices(landmarks, confidence, (rgb.shape[1], rgb.shape[0]), name)
    if len(faces) > 1:
        told = f"{_count(faces)} found in {name}; number {face} by size was taken."
        if face == 1:
            told = (
                f"{_count(faces)} found in {name}; the largest one was taken. To take another, give its number by "
                "size: Face in Blender's panel, --face on the command line."
            )
        notices.insert(0, told)
    seen = irises[face - 1] if irises else None
    return Detection(np.asarray(landmarks, np.float32), confidence, chosen, notices, seen)


def detect_faces(rgb: np.ndarray, name: str = "the picture", enough: int = 1) -> list[Detection]:
    """Every face that MediaPipe finds in a picture, the largest first; none if there are none.

    Args:
        rgb: (H, W, 3) or (H, W, 4) uint8. name: what to call it in a message. enough: so many end the search.
    """
    from . import face_mesh

    return [_detection(face, rgb, name) for face in face_mesh.find_faces(on_grey(rgb), enough)]


def refine_landmarks(rgb: np.ndarray, placed: np.ndarray, name: str = "the picture") -> Detection:
    """The face that MediaPipe sees where landmarks were placed by hand.

    Args:
        rgb: (H, W, 3) or (H, W, 4) uint8. placed: (68, ≥2) px. name: what to call the picture in a message.

    Raises:
        NoFaceError: it sees none there.
    """
    from . import face_mesh

    found = face_mesh.find_face_near(on_grey(rgb), placed)
    if found is None:
        raise NoFaceError(
            f"Nothing like a face is seen where the landmarks lie in {name}.",
            "They stay as they are; move them by hand, or place them by clicks again.",
        )
    return _detection(found, rgb, name)


def _detection(face: face_mesh.FoundFace, rgb: np.ndarray, name: str) -> Detection:
    confidence = float(np.clip(face.score, 0.0, 1.0))
    notices = face_notices(face.landmarks, confidence, (rgb.shape[1], rgb.shape[0]), name)
    landmarks, irises = np.asarray(face.landmarks, np.float32), np.asarray(face.irises, np.float32)
    return Detection(landmarks, confidence, MEDIAPIPE, notices, irises)


def _count(faces: list[tuple[np.ndarray, float]]) -> str:
    return "1 face was" if len(faces) == 1 else f"{len(faces)} faces were"
