"""Finds the landmarks of a portrait: MediaPipe, or face-alignment's 3D network where its weights are there."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..exchange.errors import InputError
from ..images.picture import on_grey
from .overlay import draw_overlay
from .pose import Canonical

__all__ = ["Detection", "available_detectors", "detect_landmarks", "draw_overlay"]

MEDIAPIPE = "mediapipe"
FACE_ALIGNMENT = "face-alignment"
_NO_FACE_HINT = "Use a front-facing picture with the whole face visible, or place the landmarks by hand."
_DOUBTFUL = 0.55  # confidence
_FAR_TURNED = 35.0  # degrees


@dataclass
class Detection:
    """A face found in a picture.

    Attributes:
        landmarks: (68, 3) float32 px, z = 0 midway between the jaw ends, negative towards the viewer.
        confidence: 0–1. detector: which one found it. notices: sentences for the user.
    """

    landmarks: np.ndarray
    confidence: float
    detector: str
    notices: list[str] = field(default_factory=list)


def available_detectors() -> list[str]:
    """The detectors that work now without a download, the default first."""
    from . import alignment3d

    return [MEDIAPIPE] + ([FACE_ALIGNMENT] if alignment3d.ready() else [])


def detect_landmarks(
    rgb: np.ndarray, detector: str = "auto", name: str = "the picture", allow_download: bool = False
) -> Detection:
    """The landmarks of the largest face.

    Args:
        rgb: (H, W, 3) or (H, W, 4) uint8; transparent parts count as mid-grey.
        detector: "auto" (MediaPipe), "mediapipe" or "face-alignment".
        name: what to call the picture in a message.
        allow_download: whether the user agreed to face-alignment's download of its weights.

    Raises:
        InputError: there is no face, or no such detector.
        MissingError: face-alignment or its weights are not installed.
    """
    rgb = np.asarray(rgb)
    assert rgb.dtype == np.uint8 and rgb.ndim == 3 and rgb.shape[2] in (3, 4), rgb.shape
    rgb = on_grey(rgb)
    if detector in ("auto", MEDIAPIPE):
        from . import face_mesh

        faces = [(face.landmarks, face.score) for face in face_mesh.find_faces(rgb)]
        chosen = MEDIAPIPE
    elif detector == FACE_ALIGNMENT:
        from . import alignment3d

        faces = alignment3d.find_faces(rgb, allow_download)
        chosen = FACE_ALIGNMENT
    else:
        raise InputError(f"There is no detector called {detector}.", "Use auto, mediapipe or face-alignment.")
    if not faces:
        raise InputError(f"No face was found in {name}.", _NO_FACE_HINT)
    landmarks, score = faces[0]
    notices = []
    if len(faces) > 1:
        notices.append(f"{len(faces)} faces were found in {name}; the largest one was taken.")
    if score < _DOUBTFUL:
        notices.append(f"The face in {name} is hard to make out; check its landmarks.")
    turn = _yaw(landmarks)
    if turn > _FAR_TURNED:
        notices.append(f"The face in {name} is turned by {turn:.0f}°; one turned less than 30° animates better.")
    return Detection(np.asarray(landmarks, np.float32), float(np.clip(score, 0.0, 1.0)), chosen, notices)


def _yaw(landmarks: np.ndarray) -> float:
    """How far the face is turned to a side, degrees: the angle of its line of sight."""
    away = Canonical.of(landmarks).R[:, 2]
    return float(np.degrees(np.arctan2(abs(away[0]), abs(away[2]))))
