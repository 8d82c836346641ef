"""Photoreal frames of a character: what the backend is asked, and where the frames go."""

from __future__ import annotations

import shutil
from pathlib import Path

import bpy
import numpy as np

from ...backend.makeittalk.exchange import protocol
from ...backend.makeittalk.exchange.formats import Moves
from .. import compat
from ..core import chosen_folders, payload
from ..core.errors import AddonError
from ..package import device
from ..scene import character as characters
from ..scene import evaluation, output_folders, photo_plane, sound, speech, strips, textures
from ..scene.setup import frame_rate
from .task import Reading, Task

_FRAMES = "photoreal"  # folder beside the .blend


def start(context: bpy.types.Context, character: bpy.types.Collection, weights: str = "") -> Task:
    """Starts drawing a character's photoreal frames.

    Args:
        context: its scene is the character's. character: the character's collection.
        weights: a network of one's own training, a .safetensors; that of the character's set of weights if empty.

    Raises:
        AddonError: there is nothing to draw, a folder cannot be made, or the backend cannot be started.
    """
    scene, uid, scene_uid = context.scene, character.session_uid, context.scene.session_uid
    settings = character.makeittalk
    frames = frame_range(scene, character)
    folder, kept = output_folder(character)
    film = folder / f"{_file_name(character)}.mp4" if settings.photo_film else None
    rate, network = frame_rate(scene), bpy.path.abspath(weights) if weights else settings.weights_set

    def find() -> tuple[bpy.types.Scene, bpy.types.Collection]:
        current = next((item for item in bpy.data.scenes if item.session_uid == scene_uid), None)
        if current is None or current != bpy.context.scene:
            raise AddonError("Another scene was chosen before the motion was read.", "Stay in the scene, run it again.")
        return current, _found(uid)

    def read(job: Path) -> Reading:
        scene, found = find()
        own = found.makeittalk
        payload.unpack(own.mesh_data, job / "mesh.npz")
        textures.write_picture(textures.portrait_of(found), job / "portrait.png")
        vertices = np.empty((len(frames), len(own.body.data.vertices), 3), np.float32)
        for fraction in evaluation.read_moves(find, frames, vertices):
            yield fraction, "Reading the motion"
        Moves(vertices).save(job / "moves.npz")
        return protocol.Photoreal(
            portrait=str(job / "portrait.png"),
            mesh=str(job / "mesh.npz"),
            moves=str(job / "moves.npz"),
            output=str(folder),
            first=frames.start,
            fps=rate,
            film=str(film or ""),
            sounds=_sounds(scene, found, frames, job) if film is not None else [],
            device=device(),
            weights=network,
        )

    def take(_context: bpy.types.Context, data: protocol.PhotorealData) -> str:
        found = _found(uid)
        digits = f"{data.first:05d}"
        photo_plane.show(found, Path(data.folder) / f"photoreal_{digits}.png", data.first, data.last)
        told = f"{data.drawn} of {len(frames)} frames drawn into {data.folder}."
        if data.drawn == 0:
            told = f"All {len(frames)} frames in {data.folder} are up to date."
        told = " ".join([told, *data.notices])
        return told if kept else f"{told} Save the .blend and run again: that folder is a temporary one."

    return Task(
        context,
        read,
        take,
        protocol.PhotorealData,
        when_cancelled="Cancelled. Finished frames are kept, the next run goes on from there.",
    )


def _sounds(
    scene: bpy.types.Scene, character: bpy.types.Collection, frames: range, folder: Path
) -> list[protocol.Sound]:
    """What is heard of a character's speeches in a film of `frames`; `folder` takes what the .blend alone holds.

    Raises:
        AddonError: a recording is gone.
    """
    rate = frame_rate(scene)
    found = {spoken.strip: strips.find(scene, spoken.strip) for spoken in character.makeittalk.speeches}
    heard = []
    for number, strip in enumerate(strip for strip in found.values() if strip is not None and not strip.mute):
        place = folder / f"sound{number}"
        place.mkdir()
        first, behind = compat.strip_span(strip)
        heard.append(
            protocol.Sound(
                audio=str(sound.file_of(strip.sound, place)),
                at=(compat.strip_begin(strip) - frames.start) / rate,
                begin=(first - frames.start) / rate,
                end=(behind - frames.start) / rate,
            )
        )
    return heard


def frame_range(scene: bpy.types.Scene, character: bpy.types.Collection) -> range:
    """The frames of the scene to draw: what the character's settings choose.

    Raises:
        AddonError: there are none.
    """
    settings = character.makeittalk
    if settings.photo_range == "PREVIEW":
        if not scene.use_preview_range:
            raise AddonError("The scene has no preview range.", "Set one in the timeline, or choose other frames.")
        first, last = scene.frame_preview_start, scene.frame_preview_end
    else:
        first, last = scene.frame_start, scene.frame_end
    if settings.photo_range == "CHARACTER":
        begin, end = speech.span(character)
        first, last = max(first, begin), min(last, end)
    first = max(0, first)  # Blender's picture sequences begin at 0
    if last < first:
        raise AddonError(
            f"{character.name} does not speak within the scene's frame range.",
            "Press Set Up Scene, or choose other frames.",
        )
    return range(first, last + 1)


def output_folder(character: bpy.types.Collection) -> tuple[Path, bool]:
    """Where the frames go, and whether they stay there after Blender is closed.

    The default folder is made; frames that went to a temporary one before the .blend was saved are moved into it.

    Raises:
        AddonError: the folder cannot be made, or this user has not chosen it.
    """
    folder, kept = _folder(character)
    output_folders.check(folder)
    if not character.makeittalk.photo_folder:
        _make_default(folder, kept, _temporary(character))
    for pattern in ("photoreal_*.png", "*.jsonl", "*.mp4"):
        output_folders.check_files(folder, pattern)
    return folder, kept


def folder_reason(character: bpy.types.Collection) -> str:
    """Why the frames' folder cannot be used as it is named, in a sentence: it was not chosen by this user."""
    try:
        output_folders.check(_folder(character)[0])
    except AddonError as error:
        return str(error)
    return ""


def allow_folder(character: bpy.types.Collection) -> Path:
    """Notes that this user has chosen the frames' folder, and returns it.

    Raises:
        AddonError: it is none.
    """
    folder = _folder(character)[0]
    chosen_folders.remember(folder)
    return folder


def _folder(character: bpy.types.Collection) -> tuple[Path, bool]:
    """The frames' folder as it is named, and whether it stays when Blender is closed."""
    chosen = character.makeittalk.photo_folder
    if chosen:
        return output_folders.chosen(chosen), True
    if not bpy.data.filepath:
        return _temporary(character), False
    return Path(bpy.path.abspath(f"//{_FRAMES}")) / _file_name(character), True


def _temporary(character: bpy.types.Collection) -> Path:
    return Path(bpy.app.tempdir) / _FRAMES / _file_name(character)


def _make_default(folder: Path, saved: bool, temporary: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if saved and temporary.is_dir() and not folder.exists():
            shutil.move(temporary, folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise AddonError(f"The folder {folder} cannot be made: {reason}.", "Choose another folder.") from error


def _file_name(character: bpy.types.Collection) -> str:
    return bpy.path.clean_name(character.name) or "character"


def _found(uid: int) -> bpy.types.Collection:
    character = characters.found(uid)
    if character.makeittalk.body is None or character.makeittalk.rig is None:
        raise AddonError(f"{character.name} has lost its mesh or its rig.", "Run Make It Talk again.")
    return character
