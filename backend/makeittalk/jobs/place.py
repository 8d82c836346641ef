"""Landmarks placed by hand: the faces of a portrait to begin with, a face through seven clicks, and what is seen there.

Each step writes a `face.json`, which is what `animate` takes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..exchange.formats import Face
from ..exchange.progress import Progress, part, silent
from ..images.portrait import prepare_portrait, write_portrait
from ..landmarks.detector import Detection, detect_faces, refine_landmarks
from ..landmarks.few_points import place_landmarks
from ..landmarks.mean_face import MEAN_FACE
from .animate import PathLike, Portrait, check_picture
from .later_face import find_later_face

_BEGIN_WIDTH = 0.4  # of the picture's shorter side: the distance of the jaw's ends in a face to begin with
_HAND = "hand"


@dataclass
class FoundFaces:
    """The faces of a portrait.

    Attributes:
        portrait: the prepared picture. paths: a face.json for each, the largest first. count: how many were found; 0
            where the only one is a face to begin with. notices: sentences for the user.
    """

    portrait: Path
    paths: list[Path]
    count: int
    notices: list[str] = field(default_factory=list)


def find_faces(source: PathLike, folder: PathLike, enough: int = 1, progress: Progress = silent) -> FoundFaces:
    """Prepares a portrait and finds every face in it; writes `portrait.png` and `face1.json` … into `folder`.

    Args:
        source: the picture. folder: an existing folder. enough: so many end the search.

    Raises:
        InputError: the picture cannot be used.
    """
    folder = Path(folder)
    progress(0.0, "Reading the portrait")
    image, rgba, notices = prepare_portrait(source, folder)
    progress(0.4, "Finding the face")
    faces = detect_faces(rgba, str(source), max(1, enough))
    if not faces:
        later = find_later_face(source, progress=part(progress, 0.4, 1.0))
        if later is not None:
            image, rgba = write_portrait(later[0].image, folder)
            faces, notices = [later[1]], []
    height, width = rgba.shape[:2]
    if len(faces) == 1:
        notices = [*notices, *faces[0].notices]
    count = len(faces)
    if not faces:
        scale = _BEGIN_WIDTH * min(width, height) / float(np.ptp(MEAN_FACE[:, 0]))
        middle = (MEAN_FACE.max(axis=0) + MEAN_FACE.min(axis=0)) / 2 * (1.0, 1.0, 0.0)
        begin = scale * (MEAN_FACE - middle) + (width / 2, height / 2, 0.0)
        faces = [Detection(begin.astype(np.float32), 0.0, _HAND)]
    paths = []
    for number, found in enumerate(faces, 1):
        paths.append(folder / f"face{number}.json")
        Face(image, width, height, found.landmarks, found.detector, found.confidence, found.irises).save(paths[-1])
    progress(1.0, "Finding the face")
    return FoundFaces(image, paths, count, notices)


def place(
    source: PathLike, clicks: Sequence[tuple[float, float]], folder: PathLike, progress: Progress = silent
) -> Portrait:
    """A face through seven clicks; writes `portrait.png` and `face.json` into `folder`.

    Args:
        source: the picture. clicks: px, in the order of `CLICKS`. folder: an existing folder.

    Raises:
        InputError: the picture cannot be used, or the clicks form no face.
    """
    progress(0.0, "Placing the face")
    landmarks = place_landmarks(np.array(clicks, np.float64).reshape(-1, 2))
    image, rgba, notices = prepare_portrait(source, folder)
    face = Face(image, rgba.shape[1], rgba.shape[0], landmarks, _HAND)
    return _saved(face, rgba, Path(folder), notices, progress)


def refine(source: PathLike, face_file: PathLike, folder: PathLike, progress: Progress = silent) -> Portrait:
    """The face that the detector sees where landmarks were placed; writes `portrait.png` and `face.json`.

    Args:
        source: the picture. face_file: where they were placed. folder: an existing folder.

    Raises:
        InputError: the picture or the file cannot be used. NoFaceError: nothing like a face is seen there.
    """
    progress(0.0, "Reading the portrait")
    given = Face.load(face_file)
    image, rgba, notices = prepare_portrait(source, folder)
    check_picture(given, rgba, face_file, source)
    progress(0.3, "Finding the face")
    found = refine_landmarks(rgba, given.landmarks, os.path.basename(source))
    face = Face(image, given.width, given.height, found.landmarks, found.detector, found.confidence, found.irises)
    return _saved(face, rgba, Path(folder), [*notices, *found.notices], progress)


def _saved(face: Face, rgba: np.ndarray, folder: Path, notices: list[str], progress: Progress) -> Portrait:
    path = folder / "face.json"
    face.save(path)
    progress(1.0, "Finding the face")
    return Portrait(face, rgba, path, notices)
