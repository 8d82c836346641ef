"""MediaPipe's face landmarker, whose models come with the weights: where faces are, and their points.

All pictures are square: MediaPipe projects landmarks rightly only where width and height are equal.
"""

from __future__ import annotations

import atexit
import io
import os
import weakref
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..exchange.errors import MissingError
from ..weights.cache import kept_loaded
from ..weights.files import listed_bytes
from ..weights.stand_ins import empty_modules
from .ibug68 import MEDIAPIPE, MEDIAPIPE_IRISES
from .quiet import quiet_stderr

MODELS = "face_landmarker"  # of the listed weights: a zip of three networks
_FINDER = "face_detector.tflite"  # the one that says where faces are
_CONFIDENCE = 0.3  # of a face, to be measured
#: There are none of MediaPipe's wheels for Linux on ARM and Python 3.13.
_HINT = "Press Install Backend, or use a Python that has a wheel of it."
_LEAST_FACES = 2  # looking for a single one, MediaPipe would smooth it over time, and lips would lag behind the sound

_running: weakref.WeakSet[Any] = weakref.WeakSet()


@dataclass(frozen=True)
class FaceBox:
    """Where a square picture shows a face, in its pixels: middle (2,), side, both eyes (2, 2), score 0–1."""

    centre: np.ndarray
    side: float
    eyes: np.ndarray
    score: float


class Landmarker:
    """Measures the faces of pictures, each picture by itself.

    Args:
        faces: most faces of a picture.
    """

    def __init__(self, faces: int) -> None:
        vision, base = _mediapipe()
        options = vision.FaceLandmarkerOptions(
            base_options=base(model_asset_buffer=listed_bytes(MODELS)),
            num_faces=max(_LEAST_FACES, faces),
            min_face_detection_confidence=_CONFIDENCE,
            min_face_presence_confidence=_CONFIDENCE,
        )
        self._landmarker = _started(vision.FaceLandmarker, options)

    def points(self, square: np.ndarray) -> list[np.ndarray]:
        """The 68 points of every face in a picture (S, S, 3) uint8, each (68, 3) in its pixels."""
        return [points for points, _ in self.points_and_irises(square)]

    def points_and_irises(self, square: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """The points (68, 3) and the irises (2, 3) of every face, right and left: middle and radius, in its pixels."""
        with quiet_stderr():
            faces = self._landmarker.detect(_image(square)).face_landmarks
        found = []
        for face in faces:
            points = np.array([(face[i].x, face[i].y, face[i].z) for i in MEDIAPIPE]) * len(square)
            irises = np.array([[(face[i].x, face[i].y) for i in iris] for iris in MEDIAPIPE_IRISES]) * len(square)
            radius = np.linalg.norm(irises[:, 1:] - irises[:, :1], axis=2).mean(axis=1)
            found.append((points, np.column_stack([irises[:, 0], radius])))
        return found

    def close(self) -> None:
        """Ends it."""
        self._landmarker.close()


def find_boxes(square: np.ndarray, lowest: float) -> list[FaceBox]:
    """Where a picture (S, S, 3) uint8 shows faces with a score of `lowest` (at least 0.3) or more."""
    with quiet_stderr():
        found = _finder().detect(_image(square)).detections
    boxes = []
    for detection in found:
        score = float(detection.categories[0].score)
        if score >= lowest:
            box = detection.bounding_box
            centre = np.array([box.origin_x + box.width / 2, box.origin_y + box.height / 2])
            eyes = np.array([(point.x, point.y) for point in detection.keypoints[:2]]) * len(square)
            boxes.append(FaceBox(centre, float(max(box.width, box.height)), eyes, score))
    return boxes


@kept_loaded
def still_landmarker() -> Landmarker:
    """The landmarker of single pictures, loaded once."""
    return Landmarker(faces=3)


@kept_loaded
def _finder() -> Any:
    vision, base = _mediapipe()
    with zipfile.ZipFile(io.BytesIO(listed_bytes(MODELS))) as models:
        model = models.read(_FINDER)
    options = vision.FaceDetectorOptions(
        base_options=base(model_asset_buffer=model), min_detection_confidence=_CONFIDENCE
    )
    return _started(vision.FaceDetector, options)


def _started(kind: Any, options: Any) -> Any:
    """One of MediaPipe's tasks."""
    with quiet_stderr():
        task = kind.create_from_options(options)
    _running.add(task)
    return task


def _close_all() -> None:
    for task in list(_running):
        task.close()


# A task that is still open when the interpreter takes its modules down complains on the terminal. Registered before
# MediaPipe's own handler, this is called after it: then closing no longer waits for threads that have ended.
atexit.register(_close_all)


def _mediapipe() -> tuple[Any, Any]:
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_stderr(), empty_modules("matplotlib", "matplotlib.pyplot"):
        try:
            from mediapipe.tasks.python import BaseOptions, vision
        except ImportError as error:
            raise MissingError(f"MediaPipe, which finds faces, cannot be loaded: {error}.", _HINT) from error
    return vision, BaseOptions


def _image(square: np.ndarray) -> Any:
    import mediapipe

    assert square.shape[0] == square.shape[1], square.shape
    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(square))
