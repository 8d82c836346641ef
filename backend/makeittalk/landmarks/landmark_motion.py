"""Motions of which only the landmarks are known: the head is found in them."""

from __future__ import annotations

import os

import numpy as np

from ..exchange.errors import InputError
from ..exchange.formats import Motion
from ..exchange.formats.motion import read_motion_arrays
from .pose import neck_pivot, split_pose


def motion_of_landmarks(
    landmarks: np.ndarray, neutral: np.ndarray, fps: float, image_size: np.ndarray | None = None
) -> Motion:
    """A motion whose head is fitted on the stable points of its landmarks.

    Args:
        landmarks: (T, 68, 3) px. neutral: (68, 3) px. fps: frames/s. image_size: (2,) px, of the picture.
    """
    pivot = neck_pivot(neutral)
    rotation, translation, expression = split_pose(landmarks, neutral, pivot)
    return Motion(fps, landmarks, neutral, expression, rotation, translation, pivot, image_size)


def load_motion(path: str | os.PathLike[str]) -> Motion:
    """Reads a motion file; `fps`, `landmarks` and `neutral` are enough.

    Raises:
        InputError: the file is damaged, hostile or of another format.
    """
    values = read_motion_arrays(path)
    try:
        return Motion.from_arrays(values)
    except KeyError:
        pass
    try:
        return motion_of_landmarks(values["landmarks"], values["neutral"], values["fps"], values.get("image_size"))
    except (np.linalg.LinAlgError, ValueError) as error:
        raise InputError(f"{path} holds landmarks that do not form a face.", "Make the file again.") from error
