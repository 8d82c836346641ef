"""Landmarks with the face-alignment package (Bulat and Tzimiropoulos 2017), for those who have its weights.

The package downloads them at first use; here that happens only with the user's consent.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np

from ..errors import MissingError
from .face_mesh import centre_depth

#: Checkpoints of the 3D landmark network, its depth network and the S3FD face finder, by the package's URLs.
WEIGHTS = ("3DFAN4-4a694010b9.zip", "depth-6c4283c0e0.zip", "s3fd-619a316812.pth")
_PACKAGE = "face_alignment"


def checkpoints_folder() -> Path:
    """Where torch.hub keeps checkpoints."""
    home = os.environ.get("TORCH_HOME")
    if home is None:
        home = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "torch")
    return Path(home) / "hub" / "checkpoints"


def installed() -> bool:
    """Whether the package is there."""
    return importlib.util.find_spec(_PACKAGE) is not None


def missing_weights() -> list[str]:
    """Names of the checkpoints that are not in torch.hub's folder."""
    folder = checkpoints_folder()
    return [name for name in WEIGHTS if not (folder / name).is_file()]


def ready() -> bool:
    """Whether it runs without a download."""
    return installed() and not missing_weights()


def find_faces(rgb: np.ndarray, allow_download: bool = False, device: str = "cpu") -> list[tuple[np.ndarray, float]]:
    """Landmarks (68, 3) px in this project's convention and score 0–1 of every face, the largest first.

    Args:
        rgb: (H, W, 3) uint8. allow_download: whether the package may fetch its weights.

    Raises:
        MissingError: the package or its weights are not there.
    """
    if not installed():
        raise MissingError("The detector face-alignment is not installed.", "Run `pip install face-alignment`.")
    if missing_weights() and not allow_download:
        raise MissingError(
            f"The detector face-alignment has no weights in {checkpoints_folder()}.",
            f"Put {', '.join(missing_weights())} there, allow the download, or use the detector mediapipe.",
        )
    import face_alignment

    network = face_alignment.FaceAlignment(
        face_alignment.LandmarksType.THREE_D, device=device, flip_input=True, face_detector="sfd"
    )
    points, scores, boxes = network.get_landmarks_from_image(rgb, return_landmark_score=True, return_bboxes=True)
    if points is None:
        return []
    faces = []
    for face, score, box in zip(points, scores or [None] * len(points), boxes, strict=True):
        confidence = float(np.mean(score)) if score is not None else float(box[4])
        faces.append((to_project(face), min(1.0, max(0.0, confidence))))
    return sorted(faces, key=lambda pair: -float(np.prod(np.ptp(pair[0][:, :2], axis=0))))


def to_project(points: np.ndarray) -> np.ndarray:
    """The package's (68, 3) points in this project's convention.

    Its x and y count from the middle of the first pixel; its z is in pixels with an origin of its own, and whichever
    way it grows, the nose is nearer to the viewer than the jaw ends.
    """
    points = np.array(points, np.float32)
    points[:, :2] += 0.5
    if points[30, 2] > (points[0, 2] + points[16, 2]) / 2:
        points[:, 2] *= -1.0
    return centre_depth(points)
