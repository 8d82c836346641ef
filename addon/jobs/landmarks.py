"""Landmarks by hand: what the backend finds, places and refines, and a character made anew for corrected ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ...backend.makeittalk.exchange import protocol
from ...backend.makeittalk.exchange.formats import Face
from ...backend.makeittalk.exchange.formats.motion import read_motion_arrays
from ..core import payload, placed_face
from ..core.coordinates import points_to_blender
from ..core.errors import AddonError
from ..scene import character as characters
from ..scene import landmark_mesh, placement, reshape, textures, view
from ..scene.setup import frame_rate
from .task import Reading, Task


@dataclass
class Placed:
    """A face, the picture that it is in, and what that is called."""

    face: Face
    image: bpy.types.Image
    name: str


@dataclass
class Files:
    """What the backend reads of a placed face."""

    portrait: Path
    face: Path


def edit_portrait(context: bpy.types.Context) -> Task:
    """Starts looking for the faces of the scene's portrait, whose landmarks then show in the viewport.

    Raises:
        AddonError: the backend cannot be started.
    """
    settings = context.scene.makeittalk
    portrait, wanted = settings.portrait, settings.face
    request = protocol.FindFaces(portrait=bpy.path.abspath(portrait), enough=wanted)

    def read(folder: Path) -> Reading:
        yield from ()
        return replace(request, folder=str(folder))

    def take(context: bpy.types.Context, data: protocol.FacesData) -> str:
        faces = [Face.load(path) for path in data.faces]
        image = textures.portrait_image(Path(portrait).stem or "Portrait", Path(data.portrait))
        chosen = min(wanted, len(faces)) - 1
        _show(context.scene, Placed(faces[chosen], image, portrait), faces, chosen, data.found)
        if not data.found:
            return f"No face was found in {Path(portrait).name}. Press Place by Clicks, or move the points onto it."
        told = "Move its points, then press Apply."
        if data.found > 1:
            told = f"{data.found} faces were found, number {chosen + 1} by size is shown; Choose Face takes another."
        return " ".join([*data.notices, told])

    return Task(context, read, take, protocol.FacesData)


def edit_placed(context: bpy.types.Context) -> bpy.types.Object:
    """Shows the landmarks that were placed on the scene's portrait before."""
    scene = context.scene
    settings = scene.makeittalk
    face = placed_face.from_text(settings.landmarks)
    return _show(scene, Placed(face, settings.landmarks_image, settings.portrait), [face], 0, 1)


def edit_character(context: bpy.types.Context, character: bpy.types.Collection) -> bpy.types.Object:
    """Shows the landmarks of a finished character, where it stands.

    Raises:
        AddonError: its portrait is gone, what the file keeps is damaged, or its mesh cannot be rewritten.
    """
    reshape.check(character)
    kept = of_character(character)
    points = landmark_mesh.show(context.scene, kept.image, [kept.face], character=character)
    _look_at(context.scene, points)
    return points


def place(context: bpy.types.Context, points: bpy.types.Object, clicks: np.ndarray) -> Task:
    """Starts laying a face through seven places in the picture.

    Args:
        points: the landmarks that are worked on. clicks: (7, 2) px.

    Raises:
        AddonError: the picture is gone, or the backend cannot be started.
    """
    given = [protocol.Click(x=float(x), y=float(y)) for x, y in clicks]

    def ask(files: Files, folder: Path) -> protocol.Place:
        return protocol.Place(portrait=str(files.portrait), folder=str(folder), clicks=given)

    return _replacing(context, points, ask, "The face lies on your clicks. Press Refine, or move its points.")


def refine(context: bpy.types.Context, points: bpy.types.Object) -> Task:
    """Starts looking for what the detector sees where the landmarks are.

    Raises:
        AddonError: the picture is gone, the points form no face, or the backend cannot be started.
    """

    def ask(files: Files, folder: Path) -> protocol.Refine:
        return protocol.Refine(portrait=str(files.portrait), folder=str(folder), face=str(files.face))

    return _replacing(context, points, ask, "The points lie on the face that was seen there.")


def apply(context: bpy.types.Context, points: bpy.types.Object, character: bpy.types.Collection) -> Task:
    """Starts making a character anew, in place, for the landmarks as they are now.

    Raises:
        AddonError: they form no face, or the backend cannot be started.
    """
    reshape.check(character)
    face, uid = landmark_mesh.face_of(points), character.session_uid
    image = landmark_mesh.picture(points).data
    settings = character.makeittalk
    request = protocol.Reface(
        fps=frame_rate(context.scene), smooth=settings.smooth, own_mouth=settings.own_mouth, style=settings.style
    )
    spoken = [item.uid for item in settings.speeches]

    def read(folder: Path) -> Reading:
        found = characters.found(uid)
        files = write_files(Placed(face, image, found.name), folder)
        mesh = folder / "before.npz"
        payload.unpack(found.makeittalk.mesh_data, mesh)
        motions = []
        for number, item in enumerate(found.makeittalk.speeches):
            yield 0.0, "Reading the speeches"
            motions.append(folder / f"before{number}.npz")
            payload.unpack(item.motion_data, motions[-1])
        return replace(
            request,
            folder=str(folder),
            portrait=str(files.portrait),
            face=str(files.face),
            mesh=str(mesh),
            motions=[str(path) for path in motions],
        )

    def take(context: bpy.types.Context, data: protocol.RefaceData) -> str:
        found = characters.found(uid)
        if [item.uid for item in found.makeittalk.speeches] != spoken:
            raise AddonError(f"The speeches of {found.name} changed meanwhile.", "Press Apply again.")
        edited = landmark_mesh.of_character(context.scene, found)
        landmark_mesh.leave_edit_mode()
        made = reshape.Reshaped(
            face=Path(data.face),
            mesh=Path(data.mesh),
            motions=[Path(path) for path in data.motions],
            bakes=[Path(path) for path in data.bakes],
        )
        reshape.reshape(found, made)
        if edited is not None:
            landmark_mesh.remove(edited)
        characters.select(found.makeittalk.rig)
        return f"{found.name} has its corrected face. Your own keys are as they were."

    return Task(context, read, take, protocol.RefaceData)


def keep(scene: bpy.types.Scene, points: bpy.types.Object) -> None:
    """Lets the scene's portrait have the landmarks that were placed on it, and takes them out of the viewport.

    Raises:
        AddonError: they form no face, nobody has placed them yet, or the picture is gone.
    """
    settings = scene.makeittalk
    face, image = _placed_face(points), landmark_mesh.picture(points).data
    settings.landmarks, settings.landmarks_of = placed_face.to_text(face), landmark_mesh.portrait(points)
    settings.landmarks_image = image
    landmark_mesh.remove(points)


def placed(scene: bpy.types.Scene) -> Placed | None:
    """The face of the scene's portrait as somebody places it or has placed it; None where nobody has.

    Raises:
        AddonError: what is being placed forms no face, or nobody has placed it yet.
    """
    settings = scene.makeittalk
    points = landmark_mesh.of_portrait(scene)
    if points is not None and landmark_mesh.portrait(points) == settings.portrait:
        return Placed(_placed_face(points), landmark_mesh.picture(points).data, settings.portrait)
    if settings.is_placed:
        return Placed(placed_face.from_text(settings.landmarks), settings.landmarks_image, settings.portrait)
    return None


def of_character(character: bpy.types.Collection) -> Placed:
    """The face of a character as its mesh has it.

    Raises:
        MakeItTalkError: its portrait is gone, or what the file keeps is damaged.
    """
    settings, image = character.makeittalk, textures.portrait_of(character)
    if settings.landmarks:
        return Placed(placed_face.from_text(settings.landmarks), image, character.name)
    motion, _mesh = characters.kept_files(character)  # of an older file
    width, height = settings.image_size
    face = Face(Path("portrait.png"), width, height, read_motion_arrays(motion)["neutral"])
    return Placed(face, image, character.name)


def write_files(some: Placed, folder: Path) -> Files:
    """Writes a placed face and its picture into a folder of their own in a job's folder.

    Raises:
        MakeItTalkError: the picture is gone, or the folder cannot be written.
    """
    inside = folder / "placed"
    inside.mkdir(exist_ok=True)
    files = Files(inside / f"{bpy.path.clean_name(Path(some.name).stem) or 'portrait'}.png", inside / "face.json")
    textures.write_picture(some.image, files.portrait)
    replace(some.face, image=files.portrait).save(files.face)
    return files


def _placed_face(points: bpy.types.Object) -> Face:
    """The face as it is placed now.

    Raises:
        AddonError: it is the one that everybody begins with where none was found.
    """
    face = landmark_mesh.face_of(points)
    if face.confidence <= 0.0:
        raise AddonError("Nobody has placed the landmarks yet.", "Press Place by Clicks, or move them onto the face.")
    return face


def _replacing(
    context: bpy.types.Context, points: bpy.types.Object, ask: Callable[[Files, Path], Any], told: str
) -> Task:
    """A job that gives the landmarks that are worked on another face."""
    some = Placed(landmark_mesh.face_of(points), landmark_mesh.picture(points).data, landmark_mesh.portrait(points))
    uid = points.session_uid

    def read(folder: Path) -> Reading:
        yield from ()
        return ask(write_files(some, folder), folder)

    def take(_context: bpy.types.Context, data: protocol.PlacedData) -> str:
        found = next((item for item in bpy.data.objects if item.session_uid == uid), None)
        if found is None:
            raise AddonError("The landmarks were removed meanwhile.")
        landmark_mesh.replace(found, Face.load(data.face))
        return " ".join([*data.notices, told])

    return Task(context, read, take, protocol.PlacedData)


def _show(scene: bpy.types.Scene, some: Placed, faces: list[Face], chosen: int, found: int) -> bpy.types.Object:
    width, height = some.face.width, some.face.height
    corners = np.array([(x, y, 0.0) for x in (0, width) for y in (0, height)])
    place = placement.stand(scene, points_to_blender(corners, np.array([width, height])))
    points = landmark_mesh.show(scene, some.image, faces, chosen, found, some.name, place=place)
    _look_at(scene, points)
    return points


def _look_at(scene: bpy.types.Scene, points: bpy.types.Object) -> None:
    """Has the viewport look straight at the picture."""
    area = view.area_of(bpy.context)
    if area is not None:
        bpy.context.view_layer.update()
        view.face(area, landmark_mesh.picture(points))
