"""A character: a collection with the portrait, its rig, its motion and its speech."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...backend.makeittalk.exchange.formats import Bake, Face, Mesh
from .. import compat
from ..core import free_place, payload, placed_face
from ..core.coordinates import points_to_blender
from ..core.errors import AddonError
from . import (
    gaze,
    layers,
    markers,
    materials,
    mesh,
    performance,
    photo_plane,
    placement,
    retarget,
    rig,
    setup,
    shape_keys,
    speech,
    strips,
    textures,
    view,
)
from .transaction import all_or_nothing


@dataclass
class Made:
    """What the backend made for one character, and how it was asked.

    Attributes:
        name: what the character is called. folder files: `face`, `mesh`, `motion`, `bake`, and `audio` to play.
        start: frame of the recording's beginning. pack_sound: keep the recording inside the .blend.
        strip: identity of a strip of the user's that plays the recording there already; else a new one is made.
        every_frame: one key a frame. settings: the character's other settings by property name.
    """

    name: str
    face: Path
    mesh: Path
    motion: Path
    bake: Path
    audio: Path | None
    start: int = 1
    pack_sound: bool = False
    strip: str = ""
    every_frame: bool = False
    settings: dict[str, object] = field(default_factory=dict)


def characters(scene: bpy.types.Scene) -> list[bpy.types.Collection]:
    """The characters of a scene."""
    return [item for item in scene.collection.children_recursive if item.makeittalk.is_character]


def active(context: bpy.types.Context) -> bpy.types.Collection | None:
    """The character that the active object belongs to, else the scene's newest."""
    found = characters(context.scene)
    chosen = context.view_layer.objects.active if context.view_layer else None
    if chosen is not None:
        for item in found:
            if chosen in item.all_objects.values():  # a linked object may have the same name
                return item
    newest = max(found, key=lambda item: item.makeittalk.serial, default=None)
    return newest


def of_rig(root: bpy.types.Object) -> bpy.types.Collection | None:
    """The character that a rig moves, or None."""
    return next((item for item in root.users_collection if item.makeittalk.rig == root), None)


def find(uid: int) -> bpy.types.Collection | None:
    """The collection with that session identifier: names change and undo replaces references."""
    return next((item for item in bpy.data.collections if item.session_uid == uid), None)


def found(uid: int) -> bpy.types.Collection:
    """The character that a job was started for.

    Raises:
        AddonError: it has gone.
    """
    character = find(uid)
    if character is None:
        raise AddonError("The character was removed meanwhile.")
    return character


def found_speech(uid: int, identity: str) -> tuple[bpy.types.Collection, bpy.types.PropertyGroup]:
    """The character that a job was started for, and the speech of it with that identity.

    Raises:
        AddonError: one of them has gone.
    """
    character = found(uid)
    spoken = next((item for item in character.makeittalk.speeches if item.uid == identity), None)
    if spoken is None:
        raise AddonError("The speech was removed meanwhile.")
    return character, spoken


def build(scene: bpy.types.Scene, made: Made) -> bpy.types.Collection:
    """Puts a character into the scene, whole or not at all, and sets up a scene that nobody has touched.

    There it stands in the middle, before its camera. In a scene with work it goes to the 3D cursor, or beside what
    is there (`placement.stand`), and the viewport frames it; camera, resolution, colours and range stay as they are.

    Args:
        scene: the current scene of the context (bones are made in edit mode, which needs it current).
        made: the backend's files.

    Returns:
        The character's collection; without a strip of its speech in a Blender that was built without sound.

    Raises:
        MakeItTalkError: a file is damaged or Blender cannot read a picture or the recording; nothing was changed.
    """
    arrays, bake, face = Mesh.load(made.mesh), Bake.load(made.bake), Face.load(made.face)
    if [str(name) for name in bake.key_names] != [str(name) for name in arrays.key_names]:
        raise AddonError("The motion and the mesh do not belong together.", "Run Make It Talk again.")
    kept = {"motion": payload.pack(made.motion), "mesh": payload.pack(made.mesh)}
    fresh = setup.is_untouched(scene)
    if bpy.context.object is not None and bpy.context.object.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")

    points = points_to_blender(arrays.vertices, arrays.image_size)
    place = Matrix() if fresh else placement.stand(scene, points)

    with all_or_nothing(scene):
        others = characters(scene)
        collection = bpy.data.collections.new(made.name)
        scene.collection.children.link(collection)
        root = rig.new_rig(f"{collection.name} Rig", arrays, collection)
        root.location, root.rotation_euler = place.to_translation(), place.to_euler()
        body = _new_body(collection, arrays, face.image)
        rig.attach(body, root, arrays.head_weights)
        shape_keys.add_shape_keys(body, arrays)
        gaze.add_target(root, body, arrays)

        settings = collection.makeittalk
        settings.is_character = True
        settings.serial = 1 + max((item.makeittalk.serial for item in others), default=0)
        settings.rig, settings.body = root, body
        settings.face_width = arrays.face_width
        settings.image_size = [int(value) for value in arrays.image_size]
        spoken = speech.new(collection, made.start)
        settings.motion_data, settings.mesh_data = kept["motion"], kept["mesh"]
        settings.landmarks, settings.placed = placed_face.to_text(face), face.detector == placed_face.HAND
        settings.every_frame = made.every_frame
        for name, value in made.settings.items():
            setattr(settings, name, value)
        performance.write(collection, made.bake)
        if made.strip:
            speech.share(scene, spoken, made.strip)
        elif made.audio is not None and compat.plays_sound():
            speech.add(scene, spoken, made.audio, made.pack_sound)
        if fresh:
            setup.set_up(scene, collection)
        else:
            _frame(scene, free_place.box_of(points, np.array(place)), placement.front_of(place))
        select(root)
    return collection


def retake(character: bpy.types.Collection, motion: Path, bake_path: Path) -> None:
    """Gives a character another motion on the same mesh; what the animator keyed stays on top of it.

    Raises:
        MakeItTalkError: a file is damaged, or the motion is of another character; nothing was changed.
    """
    kept_motion = payload.pack(motion)
    performance.write(character, bake_path)
    character.makeittalk.motion_data = kept_motion


def remove(scene: bpy.types.Scene, character: bpy.types.Collection) -> None:
    """Removes a character with everything that is only its own; a strip that was there before it stays."""
    retarget.let_go(character)
    for item in character.makeittalk.speeches:
        markers.remove(scene, item)
        speech.remove(scene, item)
    pictures = strips.find(scene, character.makeittalk.photo_strip)
    if pictures is not None:
        strips.remove(scene, pictures)
    items = list(character.objects)
    data = [item.data for item in items]
    materials_used = [slot for block in data if isinstance(block, bpy.types.Mesh) for slot in block.materials if slot]
    images = [node.image for item in materials_used for node in _nodes(item) if node.type == "TEX_IMAGE"]
    owners = [*items, *(block.shape_keys for block in data if isinstance(block, bpy.types.Mesh) and block.shape_keys)]
    moves = set().union(*map(layers.actions_of, owners))
    for item in items:
        bpy.data.objects.remove(item)
    bpy.data.collections.remove(character)
    for block in dict.fromkeys((*data, *materials_used, *images, *moves)):  # two materials may share a picture
        if block is not None and block.users == 0:
            bpy.data.batch_remove([block])


def _nodes(material: bpy.types.Material) -> list[bpy.types.Node]:
    return list(material.node_tree.nodes) if material.node_tree is not None else []


def select(root: bpy.types.Object) -> None:
    """Makes an object the only selected and the active one.

    Raises:
        AddonError: its collection is switched off in this view layer.
    """
    layer = bpy.context.view_layer
    if root.name not in layer.objects:
        layer.update()  # it may have been linked just now
    if root.name not in layer.objects:
        raise AddonError(f"{root.name} is not in this view layer.", "Switch its collection on.")
    for item in layer.objects:
        item.select_set(False)
    root.select_set(True)
    layer.objects.active = root


def say_more(character: bpy.types.Collection, motion: Path, bake_path: Path, start: int) -> bpy.types.PropertyGroup:
    """Gives a character one more speech; between the speeches it rests.

    Raises:
        MakeItTalkError: a file is damaged, or the motion is of another character; nothing was changed.
    """
    kept_motion, settings = payload.pack(motion), character.makeittalk
    before = settings.active_speech
    spoken = speech.new(character, start)
    try:
        performance.write(character, bake_path, spoken)
    except BaseException:
        settings.speeches.remove(len(settings.speeches) - 1)
        settings.active_speech = before
        raise
    spoken.motion_data = kept_motion
    performance.ease_gaps(character)
    return spoken


def say_less(scene: bpy.types.Scene, character: bpy.types.Collection) -> None:
    """Removes the current one of a character's speeches, with its strip; what the animator keyed stays."""
    settings = character.makeittalk
    spoken = settings.current
    markers.remove(scene, spoken)
    speech.remove(scene, spoken)
    performance.remove(character, spoken)
    settings.speeches.remove(next(number for number, item in enumerate(settings.speeches) if item == spoken))
    settings.active_speech = max(0, settings.active_speech - 1)
    performance.ease_gaps(character)


def move(character: bpy.types.Collection, spoken: bpy.types.PropertyGroup, scene: bpy.types.Scene, frames: int) -> None:
    """Shifts a speech of a character and the curves that belong to it in time."""
    _shift(character, spoken, scene, frames)
    speech.move(scene, spoken)


def follow_strip(character: bpy.types.Collection, scene: bpy.types.Scene, frames: int) -> None:
    """Brings a character's curves to where its current speech is already, and hides what its strip hides."""
    spoken = character.makeittalk.current
    if frames:
        _shift(character, spoken, scene, frames)
        spoken.place(spoken.start + frames)
    spoken.cut_before, spoken.cut_behind = speech.cuts(scene, spoken)
    performance.apply_amounts(character)


def _shift(
    character: bpy.types.Collection, spoken: bpy.types.PropertyGroup, scene: bpy.types.Scene, frames: int
) -> None:
    performance.move(character, spoken, frames)
    markers.move(scene, spoken, frames)
    if len(character.makeittalk.speeches) > 1:
        return  # pictures show all of them
    pictures = strips.find(scene, character.makeittalk.photo_strip)
    if pictures is not None:
        compat.move_strip(pictures, frames)
    photo_plane.move(character, frames)


def kept_files(character: bpy.types.Collection, spoken: bpy.types.PropertyGroup | None = None) -> tuple[Path, Path]:
    """The files of the motion of a speech, the current one by default, and of the mesh, for the backend to read.

    Raises:
        MakeItTalkError: what the file keeps is damaged.
    """
    motion = payload.file((spoken or character.makeittalk.current).motion_data)
    return motion, payload.file(character.makeittalk.mesh_data)


def _new_body(collection: bpy.types.Collection, arrays: Mesh, portrait: Path) -> bpy.types.Object:
    name = collection.name
    data = mesh.new_mesh(name, arrays)
    body = bpy.data.objects.new(name, data)
    collection.objects.link(body)
    picture = textures.portrait_image(f"{name} Portrait", portrait)
    mouth = textures.array_image(f"{name} Mouth", arrays.mouth_image)
    for image in (picture, mouth):
        data.materials.append(materials.picture_material(image.name, image, textures.has_transparency(image)))
    if arrays.eye_image is not None:
        eyes = textures.array_image(f"{name} Eyes", arrays.eye_image)
        for part, transparent in (("Eyes", False), ("Irises", True)):
            data.materials.append(materials.picture_material(f"{name} {part}", eyes, transparent))
    return body


def _frame(scene: bpy.types.Scene, box: np.ndarray, front: Vector) -> None:
    """Has the viewport show a new character."""
    area = view.area_of(bpy.context)
    if area is not None:
        view.frame(scene, area, box, front)
