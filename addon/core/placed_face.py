"""A portrait's landmarks as the text that a .blend keeps, and moved with the points of the viewport. No bpy here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ...backend.makeittalk.exchange import bounded_json
from ...backend.makeittalk.exchange.constants import LANDMARKS, MAX_PORTRAIT_SIDE
from ...backend.makeittalk.exchange.formats import Face
from ...backend.makeittalk.exchange.formats.checks import MAX_COORDINATE, check_face
from .errors import AddonError
from .landmark_parts import PARTS

HAND = "hand"  # the detector of landmarks that somebody has moved
_STILL = 1e-2  # px: points that lie so near to where they were have not been moved
_EYES = tuple(list(PARTS[name].indices) for name in ("EYE_RIGHT", "EYE_LEFT"))  # the order of the irises


def to_text(face: Face) -> str:
    """A face without its picture."""
    value = {
        "width": int(face.width),
        "height": int(face.height),
        "landmarks": np.round(np.asarray(face.landmarks, np.float64), 4).tolist(),
        "irises": None if face.irises is None else np.round(np.asarray(face.irises, np.float64), 4).tolist(),
        "detector": face.detector,
        "confidence": round(float(face.confidence), 4),
    }
    return json.dumps(value, separators=(",", ":"))


def from_text(text: str, image: Path = Path("portrait.png")) -> Face:
    """The face that `to_text` kept.

    Args:
        image: the picture's file.

    Raises:
        AddonError: the text is damaged.
    """
    try:
        value = bounded_json.loads(text)
        landmarks = np.array(value["landmarks"], np.float32)
        irises = None if value["irises"] is None else np.array(value["irises"], np.float32)
        size, kind = (int(value["width"]), int(value["height"])), str(value["detector"])
        confidence = float(value["confidence"])
        if landmarks.shape != (LANDMARKS, 3) or (irises is not None and irises.shape != (2, 3)):
            raise ValueError("an array of another shape")
        numbers = np.concatenate([landmarks.ravel(), irises.ravel() if irises is not None else []])
        if not (np.abs(numbers) < MAX_COORDINATE).all() or not 0.0 <= confidence <= 1.0 or not kind.isprintable():
            raise ValueError("what no face can have")
        if not (min(size) >= 1 and max(size) <= MAX_PORTRAIT_SIDE):
            raise ValueError("no picture is that large")
        check_face("This file", landmarks)
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise AddonError("The landmarks kept in this file are damaged.", "Place them again.") from error
    return Face(image, *size, landmarks, kind, confidence, irises)


def moved(face: Face, landmarks: np.ndarray) -> Face:
    """A face whose landmarks somebody has moved to (68, 3) px: its irises go with the eyes."""
    landmarks = np.asarray(landmarks, np.float32)
    if np.abs(landmarks - face.landmarks).max() < _STILL:
        return face
    irises = None
    if face.irises is not None:
        irises = np.array(face.irises, np.float32)
        for row, eye in zip(irises, _EYES, strict=True):
            before, after = face.landmarks[eye, :2], landmarks[eye, :2]
            row[:2] += after.mean(axis=0) - before.mean(axis=0)
            row[2] *= np.ptp(after, axis=0).max() / max(float(np.ptp(before, axis=0).max()), 1e-6)
    return Face(face.image, face.width, face.height, landmarks, HAND, 1.0, irises)
