"""Faces that show only later: in animations that fade in, and on the further pages of a file."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

import cv2
import numpy as np

from ..exchange.errors import InputError
from ..exchange.progress import Progress, silent
from ..images.portrait import LaterPicture, read_later_pictures
from ..landmarks.detector import Detection, NoFaceError, detect_landmarks

_MOST_PICTURES = 500
_MOST_BYTES = 8 * 2**30  # decoded, one after another
_MOST_SECONDS = 60.0  # a last resort on slow machines; the limits above give every machine the same answer
_BLANK = 3.0  # levels of 255, standard deviation: less shows nothing


def find_later_face(
    source: str | os.PathLike[str], detector: str = "auto", face: int = 1, progress: Progress = silent
) -> tuple[LaterPicture, Detection] | None:
    """The first of a file's further pictures with a face in it, and that face; None where there is none.

    Every picture is glanced at; where that shows none, the one with most contrast is searched as a still is.

    Args:
        source: the file, whose first picture was seen to hold no face. detector, face: see `detect_landmarks`.

    Raises:
        InputError: there are faces, but fewer than `face`.
    """
    clearest: LaterPicture | None = None
    most = _BLANK
    with contextlib.suppress(NoFaceError):
        for picture in _pictures(source, progress):
            rgba = np.asarray(picture.image)
            contrast = float(cv2.resize(rgba[..., :3], (64, 64), interpolation=cv2.INTER_AREA).std())
            if contrast < _BLANK:
                continue
            if contrast > most:
                clearest, most = picture, contrast
            with contextlib.suppress(NoFaceError):
                detect_landmarks(rgba, detector, thorough=False)
                return _found(source, picture, detector, face)
        if clearest is not None:
            return _found(source, clearest, detector, face)
    return None


def _found(
    source: str | os.PathLike[str], picture: LaterPicture, detector: str, face: int
) -> tuple[LaterPicture, Detection]:
    found = detect_landmarks(np.asarray(picture.image), detector, name=str(source), face=face)
    kind = "is animated; its picture" if picture.animated else "holds several pictures; number"
    told = f"{source} {kind} {picture.number} of {picture.count} was taken, the first one with a face."
    found.notices[:0] = [told, *picture.notices]
    return picture, found


def _pictures(source: str | os.PathLike[str], progress: Progress) -> Iterator[LaterPicture]:
    """The further pictures, within the limits; a damaged one ends them."""
    begun, decoded = time.monotonic(), 0
    with contextlib.suppress(InputError):
        for number, picture in enumerate(read_later_pictures(source)):
            progress(number / min(picture.count, _MOST_PICTURES), "Looking for a face")
            decoded += 4 * picture.image.width * picture.image.height
            yield picture
            if number + 1 >= _MOST_PICTURES or decoded > _MOST_BYTES or time.monotonic() - begun > _MOST_SECONDS:
                return
