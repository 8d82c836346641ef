"""The server's answers about landmarks that are placed and corrected by hand."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..exchange import protocol
from ..exchange.errors import InputError
from ..exchange.progress import Progress


def detect(request: protocol.Detect, progress: Progress) -> dict[str, Any]:
    """Prepares a portrait and finds its landmarks."""
    from . import animate as pipeline

    folder = job_folder(request.folder)
    found = pipeline.find_face(
        request.portrait, folder, detector=request.detector, face=request.face_number, progress=progress
    )
    data = protocol.DetectData(face=str(found.path), portrait=str(found.face.image), notices=found.notices)
    return asdict(data)


def find_faces(request: protocol.FindFaces, progress: Progress) -> dict[str, Any]:
    """Prepares a portrait and finds every face in it."""
    from . import place as placing

    found = placing.find_faces(request.portrait, job_folder(request.folder), request.enough, progress)
    faces = [str(path) for path in found.paths]
    return asdict(protocol.FacesData(faces, found.count, str(found.portrait), found.notices))


def place(request: protocol.Place, progress: Progress) -> dict[str, Any]:
    """Lays a face through clicked points."""
    from . import place as placing

    folder = job_folder(request.folder)
    clicks = [(click.x, click.y) for click in request.clicks]
    placed = placing.place(request.portrait, clicks, folder, progress)
    return asdict(protocol.PlacedData(str(placed.path), str(placed.face.image), placed.notices))


def refine(request: protocol.Refine, progress: Progress) -> dict[str, Any]:
    """Takes the face that the detector sees where landmarks were placed."""
    from . import place as placing

    placed = placing.refine(request.portrait, request.face, job_folder(request.folder), progress)
    return asdict(protocol.PlacedData(str(placed.path), str(placed.face.image), placed.notices))


def reface(request: protocol.Reface, progress: Progress) -> dict[str, Any]:
    """Makes a character's mesh and curves anew after its landmarks were corrected."""
    from . import reface as refacing

    made = refacing.reface(
        request.portrait,
        request.face,
        request.mesh,
        request.motions,
        job_folder(request.folder),
        fps=request.fps,
        smooth=request.smooth,
        own_mouth=request.own_mouth,
        style=request.style,
        progress=progress,
    )
    motions, bakes = ([str(path) for path in paths] for paths in (made.motions, made.bakes))
    portrait = made.portrait
    return asdict(
        protocol.RefaceData(
            str(portrait.path), str(portrait.face.image), str(made.mesh), motions, bakes, portrait.notices
        )
    )


def job_folder(name: str) -> Path:
    """The folder of a job's files.

    Raises:
        InputError: it does not exist.
    """
    folder = Path(name)
    if not name or not folder.is_dir():
        raise InputError(f"The job folder {name!r} does not exist.", "Restart the backend.")
    return folder
