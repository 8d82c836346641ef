"""A character whose landmarks were corrected: its mesh is built anew and its motions go over to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..animation.bake import bake_motion
from ..animation.basis import keys_for_face
from ..animation.retarget import reface as carry_over
from ..exchange.errors import InputError
from ..exchange.formats import Face, Mesh
from ..exchange.progress import Progress, part, silent
from ..exchange.rates import exact_rate
from ..images.portrait import prepare_portrait
from ..landmarks.landmark_motion import load_motion
from ..mesh.build import build_mesh
from .animate import PathLike, Portrait, check_picture


@dataclass
class Refaced:
    """What `reface` made: the face, and paths of the mesh and of each speech's motion and bake."""

    portrait: Portrait
    mesh: Path
    motions: list[Path]
    bakes: list[Path]


def reface(
    source: PathLike,
    face_file: PathLike,
    mesh_file: PathLike,
    motion_files: Sequence[PathLike],
    folder: PathLike,
    fps: float = 24.0,
    smooth: float = 1.0,
    own_mouth: bool = True,
    style: str = "auto",
    progress: Progress = silent,
) -> Refaced:
    """Builds a mesh for corrected landmarks and carries motions over to it; nothing is predicted anew.

    Writes `portrait.png`, `face.json`, `mesh.npz`, `motion0.npz`, `bake0.npz` … into `folder`.

    Args:
        source: the portrait. face_file: its corrected landmarks. mesh_file: the character's mesh; the new one has its
            shape keys. motion_files: of each of its speeches. folder: an existing folder.
        fps: the scene's rate. smooth: amount of smoothing. own_mouth: keep the pixels of an open mouth.
        style: see `resolve_style`.

    Raises:
        InputError: a file cannot be used, or the landmarks fold over one another.
        Cancelled: `progress` said so.
    """
    folder = Path(folder)
    exact_rate(fps)
    if not motion_files:
        raise InputError("No motion is named that is to be carried over.", "Name that of each speech.")
    progress(0.0, "Reading the portrait")
    given, before = Face.load(face_file), Mesh.load(mesh_file)
    image, rgba, notices = prepare_portrait(source, folder)
    check_picture(given, rgba, face_file, source)
    face = Face(image, given.width, given.height, given.landmarks, given.detector, given.confidence, given.irises)
    path = folder / "face.json"
    face.save(path)
    progress(0.1, "Building the mesh")
    neutral = load_motion(motion_files[0]).neutral
    keys = keys_for_face(before.key_names, before.key_landmarks, before.key_range, neutral, face.landmarks)
    mesh = build_mesh(face, rgba, own_mouth=own_mouth, keys=keys, style=style)
    mesh.save(folder / "mesh.npz")
    made = Refaced(Portrait(face, rgba, path, notices), folder / "mesh.npz", [], [])
    baking = part(progress, 0.4, 1.0)
    for number, motion_file in enumerate(motion_files):
        baking(number / len(motion_files), "Baking the curves")
        motion = carry_over(load_motion(motion_file), face.landmarks, face.size)
        made.motions.append(folder / f"motion{number}.npz")
        motion.save(made.motions[-1])
        made.bakes.append(folder / f"bake{number}.npz")
        bake_motion(motion, mesh, fps, smooth).save(made.bakes[-1])
    progress(1.0, "Baking the curves")
    return made
