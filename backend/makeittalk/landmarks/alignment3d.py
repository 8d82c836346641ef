"""Landmarks with the face-alignment package (Bulat and Tzimiropoulos 2017), for those who have its weights.

The package downloads them at first use; here that happens only with the user's consent.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..exchange import storage
from ..exchange.errors import MissingError
from .face_mesh import centre_depth

_PACKAGE = "face_alignment"
_LARGEST = 1280  # px of the side that the face finder is shown: beyond it needs gigabytes
# Alone it would bring a second cv2, and another numpy.
_INSTALL = "pip install --no-deps face-alignment numba llvmlite scikit-image imageio tifffile lazy-loader packaging"
_HINT = "Use the detector mediapipe, which needs no download."


def checkpoints_folder() -> Path:
    """Where torch.hub keeps checkpoints."""
    home = os.environ.get("TORCH_HOME")
    if home is None:
        home = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "torch")
    return Path(home) / "hub" / "checkpoints"


def installed() -> bool:
    """Whether the package is there."""
    return importlib.util.find_spec(_PACKAGE) is not None


def ready() -> bool:
    """Whether it runs without a download."""
    # The package takes seconds to import, so look for any copy of its face finder first.
    return installed() and any(checkpoints_folder().glob("s3fd-*.pth")) and not missing_weights()


def missing_weights() -> list[str]:
    """Names of the checkpoints of the installed version that are not in torch.hub's folder."""
    folder = checkpoints_folder()
    return [name for name in weight_names() if not (folder / name).is_file()]


def weight_names() -> list[str]:
    """File names of the 3D landmark network, its depth network and the face finder, as the package names them."""
    from face_alignment.api import models_urls
    from face_alignment.detection.sfd.sfd_detector import models_urls as finder_urls

    urls = [models_urls["3DFAN-4"], models_urls["depth"], finder_urls["s3fd"]]
    return [url.rsplit("/", 1)[1] for url in urls]


def find_faces(rgb: np.ndarray, allow_download: bool = False, device: str = "cpu") -> list[tuple[np.ndarray, float]]:
    """Landmarks (68, 3) px in this project's convention and score 0–1 of every face, the largest first.

    Where it sees none, the picture is turned by quarters: faces may lie on their side.

    Args:
        rgb: (H, W, 3) uint8. allow_download: whether the package may fetch its weights.

    Raises:
        MissingError: the package or its weights are not there, or a checkpoint is damaged.
    """
    network = _network(allow_download, device)
    factor = min(1.0, _LARGEST / max(rgb.shape[:2]))
    small = rgb if factor == 1.0 else cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    faces: list[tuple[np.ndarray, float]] = []
    for quarters in range(4):
        faces = _find(network, np.ascontiguousarray(np.rot90(small, quarters)))
        if faces:
            faces = [(turn_back(face, quarters, small.shape[:2]) / np.float32(factor), score) for face, score in faces]
            break
    return sorted(faces, key=lambda pair: -float(np.prod(np.ptp(pair[0][:, :2], axis=0))))


def _find(network: Any, rgb: np.ndarray) -> list[tuple[np.ndarray, float]]:
    points, scores, boxes = network.get_landmarks_from_image(rgb, return_landmark_score=True, return_bboxes=True)
    faces = []
    for index, face in enumerate(points if points is not None else []):
        score = np.mean(scores[index]) if scores is not None else boxes[index][4]
        faces.append((to_project(face), float(np.clip(score, 0.0, 1.0))))
    return faces


def turn_back(landmarks: np.ndarray, quarters: int, shape: tuple[int, ...]) -> np.ndarray:
    """Landmarks (68, 3) px of a picture turned by `np.rot90` as those of the picture itself, (height, width) px."""
    height, width = shape
    x, y, z = landmarks.T
    places = [(x, y), (width - y, x), (width - x, height - y), (y, height - x)]
    return np.column_stack([*places[quarters % 4], z])


def _network(allow_download: bool, device: str) -> Any:
    if not installed():
        raise MissingError("The detector face-alignment is not installed.", f"Run `{_INSTALL}`, or use mediapipe.")
    missing = missing_weights()
    if missing and not allow_download:
        raise MissingError(
            f"The detector face-alignment needs {', '.join(missing)} in {checkpoints_folder()}.",
            "Put them there, allow the download, or use the detector mediapipe.",
        )
    for name in set(weight_names()) - set(missing):
        _check_sum(checkpoints_folder() / name)
    import face_alignment

    kind = face_alignment.FaceAlignment
    # Newer versions compile their networks first, which needs a C++ compiler.
    extra = {"compile": False} if "compile" in inspect.signature(kind).parameters else {}
    landmarks = face_alignment.LandmarksType.THREE_D
    try:
        with tensors_only():
            return kind(landmarks, device=device, flip_input=True, face_detector="sfd", **extra)
    except OSError as error:
        raise MissingError(f"The weights of face-alignment could not be downloaded: {error}.", _HINT) from error
    except Exception as error:  # PyTorch's own for what is no tensor, and any for files of other networks
        raise MissingError(f"The weights of face-alignment in {checkpoints_folder()} are damaged.", _HINT) from error


@contextlib.contextmanager
def tensors_only() -> Iterator[None]:
    """PyTorch reads checkpoints as tensors and plain data, even where the package asks it to run what they name.

    The sum in a checkpoint's name has 40 bits, which somebody could meet who wants to.
    """
    name, before = "TORCH_FORCE_WEIGHTS_ONLY_LOAD", os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD")
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _check_sum(path: Path) -> None:
    """Compares a checkpoint with the start of the SHA-256 in its name: the package unpickles what it finds."""
    expected = path.name.split(".")[0].rsplit("-", 1)[-1]
    if not storage.sha256(path).startswith(expected):
        raise MissingError(f"{path} is damaged.", "Delete it and get it again.")


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
