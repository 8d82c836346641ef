"""Landmarks in the viewport: the portrait as an empty, and before it an ordinary mesh of 68 vertices.

Its edges are the contours and its vertex groups the parts, so that Blender's own tools move them; as far as a landmark
is nearer than the ears, as far its vertex stands before the picture. Both objects belong to a character, or to the
portrait of the next one where they are in no character's collection.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator

import bpy
import numpy as np
from mathutils import Matrix

from ...backend.makeittalk.exchange import bounded_json
from ...backend.makeittalk.exchange.constants import LANDMARKS
from ...backend.makeittalk.exchange.formats import Face
from ...backend.makeittalk.exchange.formats.checks import MAX_COORDINATE
from ..core import landmark_parts, placed_face
from ..core.coordinates import points_to_blender
from ..core.errors import AddonError
from . import bakes, contour_lines
from . import character as characters

_MARK = "makeittalk_landmarks"  # custom property of the points: the faces of the picture, JSON
_CHOSEN = "makeittalk_face"  # which of them they began as
_BEGUN = "makeittalk_begun"  # where they began, 3 × 68 px
_FOUND = "makeittalk_found"  # how many faces were found
_PORTRAIT = "makeittalk_portrait"  # of the next character: which file the picture was made from
_STOOD = Matrix.Rotation(math.pi / 2, 4, "X")  # an empty's picture from the floor up, its face towards −Y
_CLEAR = 1.5  # of what stands out of a character's plane, or of the width of its face: where the picture hangs
_BEHIND = "makeittalk_behind"  # Blender units from the picture to landmarks of depth 0
_GAP = 0.01  # Blender units from the picture to the landmark that lies deepest
_ROOM = 0.25  # of the face's width: how deep another face of the same picture may lie at least


def show(
    scene: bpy.types.Scene,
    image: bpy.types.Image,
    faces: list[Face],
    chosen: int = 0,
    found: int = 1,
    portrait: str = "",
    character: bpy.types.Collection | None = None,
    place: Matrix | None = None,
) -> bpy.types.Object:
    """Puts a portrait and the landmarks of a face in it into the scene, in Edit Mode; returns the points.

    Args:
        image: the prepared portrait. faces: of it, px. chosen: whose landmarks are shown. found: how many were found.
        portrait: the file that the picture was made from. character: whose they are; None for the next one's.
        place: where a character would stand; the picture of one that is there hangs before it.
    """
    leave_edit_mode()
    before = [item for item in scene.objects if is_points(item) and owner(scene, item) == character]
    face = faces[chosen]
    name = f"{character.name if character is not None else 'Portrait'} Landmarks"
    picture = bpy.data.objects.new(f"{name} Picture", None)
    picture.empty_display_type, picture.data = "IMAGE", image
    picture.empty_display_size = max(1.0, face.width / face.height)  # of the longer side
    picture.empty_image_side = "FRONT"
    picture.hide_select = picture.hide_render = True
    rig = character.makeittalk.rig if character is not None else None
    picture.parent = rig
    if character is not None:
        place = Matrix.Translation((0.0, _before(character), 0.0))
    picture.matrix_basis = _STOOD if place is None else place @ _STOOD

    points = bpy.data.objects.new(name, _mesh(name))
    for part in landmark_parts.PARTS.values():
        points.vertex_groups.new(name=part.label).add(list(part.indices), 1.0, "REPLACE")
    points.parent = picture
    points.show_wire = True  # Solid shading draws the lines of the tubes over an empty's picture, not their faces
    points.hide_render = True
    # All of them before the picture: what is drawn "in front" would lie below an empty's picture all the same.
    deep = max(float(face.landmarks[:, 2].max()), _ROOM * float(np.ptp(face.landmarks[:, 0])))
    points[_BEHIND] = _GAP + deep / face.height
    points[_MARK] = json.dumps([placed_face.to_text(item) for item in faces])
    points[_FOUND], points[_PORTRAIT] = found, portrait
    for item in (picture, points):
        (character or scene.collection).objects.link(item)
    contour_lines.add(points, _width(face))
    # About the middle of the face, so that Blender's mirror and its scaling work about it.
    middle = face.landmarks[landmark_parts.MIDDLE].mean(axis=0)
    points.matrix_basis = Matrix.Translation((*_to_picture(points, middle)[:2], points[_BEHIND]))
    points[_CHOSEN], points[_BEGUN] = chosen, [float(value) for value in face.landmarks.reshape(-1)]
    _set(points, face.landmarks)
    for old in before:
        remove(old)
    characters.select(points)
    # An undo step in Edit Mode holds the mesh alone: one with the objects comes first.
    if not bpy.app.background:
        bpy.ops.ed.undo_push(message="Show Landmarks")
    bpy.ops.object.mode_set(mode="EDIT")
    return points


def choose(scene: bpy.types.Scene, points: bpy.types.Object, number: int) -> bpy.types.Object:
    """Begins with another one of the picture's faces, counted from 0; returns the new points.

    Raises:
        AddonError: there are fewer, or the picture was removed.
    """
    faces, shown = _faces(points), picture(points)
    if not 0 <= number < len(faces):
        told = "only one face was" if len(faces) == 1 else f"{len(faces)} faces were"
        raise AddonError(f"There is no face {number + 1}: {told} found.", "Faces are counted from 1, the largest.")
    place = shown.matrix_basis @ _STOOD.inverted()
    known = (found(points), portrait(points), owner(scene, points))
    return show(scene, shown.data, faces, number, *known, place)


def read(points: bpy.types.Object) -> np.ndarray:
    """Where the landmarks are now, (68, 3) float32 px, whatever was done to the vertices and to the object.

    Raises:
        AddonError: vertices were removed or added, or form no face.
    """
    if points.mode == "EDIT":
        points.update_from_editmode()
    count = len(points.data.vertices)
    if count != LANDMARKS:
        raise AddonError(
            f"{points.name} has {count} points instead of {LANDMARKS}.", "Undo that, or cancel and edit them again."
        )
    local = np.empty(3 * LANDMARKS, np.float32)
    points.data.vertices.foreach_get("co", local)
    # As they lie in the picture, with what somebody has done to the object.
    placed = local.reshape(-1, 3) @ np.array(points.matrix_basis)[:3, :3].T + np.array(points.location)
    width, height = size(points)
    x, y, z = placed.T
    places = np.column_stack([x * height + width / 2, height / 2 - y * height, (_depth(points) - z) * height])
    if not np.isfinite(places).all() or np.ptp(places[:, :2], axis=0).min() < 1.0:
        raise AddonError("The landmarks lie on one line and form no face.", "Undo that, or cancel and edit them again.")
    return places.astype(np.float32)


def face_of(points: bpy.types.Object) -> Face:
    """The face as it is placed now.

    Raises:
        AddonError: see `read`.
    """
    faces = _faces(points)
    return placed_face.moved(faces[_chosen(points, faces)], read(points))


def write(points: bpy.types.Object, landmarks: np.ndarray) -> None:
    """Moves the points to (68, 3) px.

    Raises:
        AddonError: vertices were removed or added.
    """
    read(points)
    with object_mode():
        _set(points, landmarks)


def replace(points: bpy.types.Object, face: Face) -> None:
    """Takes another face for the chosen one, as a detector or clicks have placed it.

    Raises:
        AddonError: it is of a picture of another size, or vertices were removed or added.
    """
    if (face.width, face.height) != size(points):
        width, height = size(points)
        raise AddonError(
            f"The face belongs to a picture of {face.width} × {face.height} px, this one has {width} × {height} px.",
            "Choose that of this portrait.",
        )
    faces = _faces(points)
    faces[_chosen(points, faces)] = face
    write(points, face.landmarks)
    contour_lines.resize(points, _width(face))
    points[_MARK] = json.dumps([placed_face.to_text(item) for item in faces])


def _width(face: Face) -> float:
    """Of a face, Blender units."""
    return float(np.ptp(face.landmarks[:, 0])) / face.height


def begun(points: bpy.types.Object) -> np.ndarray:
    """Where the points began, (68, 3) px.

    Raises:
        AddonError: the file does not say so any more.
    """
    try:
        places = np.array(points[_BEGUN], np.float64).reshape(LANDMARKS, 3)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged() from error
    if not (np.abs(places) < MAX_COORDINATE).all():
        raise _damaged()
    return places


def found(points: bpy.types.Object) -> int:
    """How many faces were found in the picture."""
    number = points.get(_FOUND)
    return number if isinstance(number, int) else 1


def portrait(points: bpy.types.Object) -> str:
    """The file that the picture was made from; empty for a character's."""
    return str(points.get(_PORTRAIT, ""))


def picture(points: bpy.types.Object) -> bpy.types.Object:
    """The empty that shows the portrait.

    Raises:
        AddonError: it was removed.
    """
    if points.parent is None or points.parent.type != "EMPTY" or points.parent.data is None:
        raise AddonError("The picture behind the landmarks is gone.", "Undo that, or cancel and edit them again.")
    return points.parent


def size(points: bpy.types.Object) -> tuple[int, int]:
    """Width and height of the picture, px."""
    face = _faces(points)[0]
    return face.width, face.height


def is_points(item: bpy.types.Object) -> bool:
    """Whether an object is a face's landmarks."""
    return _MARK in item and item.type == "MESH" and item.library is None


def owner(scene: bpy.types.Scene, points: bpy.types.Object) -> bpy.types.Collection | None:
    """The character whose landmarks they are; None for the portrait of the next one."""
    return next((item for item in characters.characters(scene) if points in item.objects.values()), None)


def active(context: bpy.types.Context) -> bpy.types.Object | None:
    """The landmarks that are worked on: the active object, else the newest of the scene."""
    chosen = context.view_layer.objects.active if context.view_layer else None
    if chosen is not None and is_points(chosen):
        return chosen
    return max(filter(is_points, context.scene.objects), key=lambda item: item.session_uid, default=None)


def of_portrait(scene: bpy.types.Scene) -> bpy.types.Object | None:
    """The landmarks of the next character's portrait, where they are being placed."""
    return next((item for item in scene.objects if is_points(item) and owner(scene, item) is None), None)


def of_character(scene: bpy.types.Scene, character: bpy.types.Collection) -> bpy.types.Object | None:
    """The landmarks of a character, where they are being edited."""
    return next((item for item in scene.objects if is_points(item) and owner(scene, item) == character), None)


def remove(points: bpy.types.Object) -> None:
    """Takes landmarks and their picture out of the file; the image stays where something else shows it."""
    leave_edit_mode()
    data, behind = points.data, points.parent
    image = behind.data if behind is not None and behind.type == "EMPTY" else None
    lines = contour_lines.tree_of(points)
    bpy.data.objects.remove(points)
    if behind is not None and behind.type == "EMPTY":
        bpy.data.objects.remove(behind)
    materials = [item for item in data.materials if item is not None]
    bpy.data.meshes.remove(data)
    for block in (lines, *materials, image):
        if block is not None and not block.users:
            bpy.data.batch_remove([block])


def leave_edit_mode() -> None:
    """Goes to Object Mode where something is edited."""
    edited = bpy.context.view_layer.objects.active
    if edited is not None and edited.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


@contextlib.contextmanager
def object_mode() -> Iterator[None]:
    """Leaves Edit Mode for a while."""
    edited = bpy.context.view_layer.objects.active
    mode = edited.mode if edited is not None else "OBJECT"
    leave_edit_mode()
    try:
        yield
    finally:
        if mode != "OBJECT":
            bpy.ops.object.mode_set(mode=mode)


def _mesh(name: str) -> bpy.types.Mesh:
    edges = landmark_parts.edges()
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(LANDMARKS)
    mesh.edges.add(len(edges))
    mesh.edges.foreach_set("vertices", edges.reshape(-1))
    mesh.update()
    return mesh


def _before(character: bpy.types.Collection) -> float:
    """How far before a character's plane its picture stands, Blender units along Y: nothing of its face hides it."""
    arrays = bakes.mesh_of(character)
    nearest = float(points_to_blender(arrays.vertices, arrays.image_size)[:, 1].min())
    return _CLEAR * min(nearest, -arrays.face_width / float(arrays.image_size[1]))


def _set(points: bpy.types.Object, landmarks: np.ndarray) -> None:
    placed = _to_picture(points, np.asarray(landmarks, np.float64))
    back = np.linalg.inv(np.array(points.matrix_basis)[:3, :3])
    local = ((placed - np.array(points.location)) @ back.T).astype(np.float32)
    points.data.vertices.foreach_set("co", local.reshape(-1))
    points.data.update()


def _to_picture(points: bpy.types.Object, landmarks: np.ndarray) -> np.ndarray:
    """Landmarks (…, 3) px in the space of the empty that shows the picture: x right, y up, z towards the viewer."""
    width, height = size(points)
    x, y, z = np.moveaxis(landmarks, -1, 0)
    return np.stack([(x - width / 2) / height, (height / 2 - y) / height, _depth(points) - z / height], axis=-1)


def _faces(points: bpy.types.Object) -> list[Face]:
    try:
        found = [placed_face.from_text(text) for text in bounded_json.loads(points[_MARK])]
    except (LookupError, TypeError, ValueError) as error:
        raise _damaged() from error
    if not found:
        raise _damaged()
    return found


def _chosen(points: bpy.types.Object, faces: list[Face]) -> int:
    """Which of the faces the points began as."""
    number = points.get(_CHOSEN)
    if not isinstance(number, int) or not 0 <= number < len(faces):
        raise _damaged()
    return number


def _depth(points: bpy.types.Object) -> float:
    """Blender units from the picture to landmarks of depth 0."""
    value = points.get(_BEHIND)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise _damaged()
    return float(value)


def _damaged() -> AddonError:
    return AddonError("The landmarks kept in this file are damaged.", "Cancel and edit them again.")
