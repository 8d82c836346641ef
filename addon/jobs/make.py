"""New characters, and new takes of those that are there."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import bpy

from ...backend.makeittalk.exchange import protocol
from ...backend.makeittalk.exchange.amounts import Amounts
from .. import compat
from ..core.errors import AddonError
from ..package import device
from ..scene import character as characters
from ..scene import landmark_mesh, markers, performance, sound, speech, strips, textures, view
from ..scene.setup import frame_rate
from . import landmarks
from .task import Reading, Task

_AMOUNTS = tuple(item.name for item in fields(Amounts))


def make(context: bpy.types.Context) -> Task:
    """Starts making a new character from the scene's settings.

    Raises:
        AddonError: the backend cannot be started, or the strip that the speech came from was cut since.
    """
    scene = context.scene
    settings = scene.makeittalk
    portrait, recording = bpy.path.abspath(settings.portrait), bpy.path.abspath(settings.speech)
    strip = _strip_of(scene, settings.strip, settings.strip_frames)
    identity, frames = settings.strip if strip is not None else "", settings.strip_frames
    start = compat.strip_span(strip)[0] if strip is not None else settings.start_frame(scene)
    every_frame = settings.every_frame
    remembered: dict[str, Any] = {name: getattr(settings, name) for name in ("face", "voice", "style", *_AMOUNTS)} | {
        "portrait": settings.portrait,
        "speech": settings.speech,
        "seed": settings.next_seed(),
        "own_mouth": settings.own_mouth,
    }
    request = replace(_request(remembered, frame_rate(scene)), own_mouth=settings.own_mouth)
    placed = landmarks.placed(scene)
    remembered["placed"] = placed is not None

    def take(context: bpy.types.Context, data: protocol.AnimateData) -> str:
        scene = context.scene
        audio = Path(data.audio) if data.audio else Path(recording)
        repaired = audio.resolve() != Path(recording).resolve()
        strip = _strip_of(scene, identity, frames)
        being_placed = landmark_mesh.of_portrait(scene)
        if being_placed is not None and landmark_mesh.portrait(being_placed) == remembered["portrait"]:
            landmarks.keep(scene, being_placed)
        made = characters.Made(
            name=Path(portrait).stem[:40] or "Character",
            face=Path(data.face),
            mesh=Path(data.mesh),
            motion=Path(data.motion),
            bake=Path(data.bake),
            audio=audio,
            start=compat.strip_span(strip)[0] if strip is not None else start,
            pack_sound=repaired,  # it lies in a folder that goes
            strip=identity if strip is not None and not repaired else "",
            every_frame=every_frame,
            settings=remembered | _answered(data),
        )
        collection = characters.build(scene, made)
        _show_texture(context)
        last = made.start + collection.makeittalk.frames - 1
        told = f"{collection.name} speaks from frame {made.start} to {last}."
        if strip is not None and repaired:
            strip.mute = True
            told += f" {strip.name} is muted: Blender plays its file otherwise than it was heard."
        if not compat.plays_sound():
            told += " This Blender was built without sound, so its speech is not in the sequencer."
        return f"{told} Photoreal Frames below draw it as the photograph it is." if data.style == "photo" else told

    return Task(context, lambda folder: _into(request, folder, placed), take, protocol.AnimateData)


def replace_speech(context: bpy.types.Context, character: bpy.types.Collection, recording: str) -> Task:
    """Starts predicting what a character does when it says another recording.

    Raises:
        AddonError: the backend cannot be started.
    """
    uid, spoken = character.session_uid, Path(bpy.path.abspath(recording))
    request = replace(_request(_remembered(character), frame_rate(context.scene)), audio=str(spoken))

    def take(context: bpy.types.Context, data: protocol.AnimateData) -> str:
        found = characters.found(uid)
        audio = Path(data.audio) if data.audio else spoken
        characters.retake(found, Path(data.motion), Path(data.bake))
        found.makeittalk.speech, found.makeittalk.notices = recording, "\n".join(data.notices)
        markers.remove(context.scene, found.makeittalk.current)  # of what it said before
        found.makeittalk.current.forget_words()
        if compat.plays_sound():
            speech.replace(context.scene, found.makeittalk.current, audio, pack=audio.resolve() != spoken.resolve())
            performance.apply_amounts(found)  # the new strip hides nothing
        return f"{found.name} says {spoken.name} now."

    return Task(context, lambda folder: _with_sources(request, uid, folder), take, protocol.AnimateData)


def add_speech(context: bpy.types.Context, character: bpy.types.Collection, recording: str) -> Task:
    """Starts predicting what a character does when it says a further recording, from the playhead on.

    Raises:
        AddonError: it speaks there already, or the backend cannot be started.
    """
    uid, spoken, start = character.session_uid, Path(bpy.path.abspath(recording)), context.scene.frame_current
    for item in character.makeittalk.speeches:
        if item.start <= start <= speech.last_frame(item):
            raise AddonError(
                f"{character.name} speaks from frame {item.start} to {speech.last_frame(item)} already.",
                "Move the playhead to where it is silent.",
            )
    request = replace(_request(_remembered(character), frame_rate(context.scene)), audio=str(spoken))

    def take(context: bpy.types.Context, data: protocol.AnimateData) -> str:
        found = characters.found(uid)
        audio = Path(data.audio) if data.audio else spoken
        seed, voice = found.makeittalk.seed, found.makeittalk.voice
        made = characters.say_more(found, Path(data.motion), Path(data.bake), start)
        made.recording, made.notices, made.seed, made.voice = recording, "\n".join(data.notices), seed, voice
        if compat.plays_sound():
            speech.add(context.scene, made, audio, pack=audio.resolve() != spoken.resolve())
        told = f"{found.name} says {spoken.name} from frame {start} to {speech.last_frame(made)}."
        follows = [item.start for item in found.makeittalk.speeches if start < item.start <= speech.last_frame(made)]
        return f"{told} It overlaps the speech at frame {min(follows)}: move one of them." if follows else told

    return Task(context, lambda folder: _with_sources(request, uid, folder), take, protocol.AnimateData)


def retake(context: bpy.types.Context, character: bpy.types.Collection) -> Task:
    """Starts predicting a character's motion anew, with its seed and voice as they are now.

    Raises:
        AddonError: the backend cannot be started.
    """
    uid = character.session_uid
    request = _request(_remembered(character), frame_rate(context.scene))

    def take(_context: bpy.types.Context, data: protocol.AnimateData) -> str:
        found = characters.found(uid)
        characters.retake(found, Path(data.motion), Path(data.bake))
        return f"{found.name} has a new take."

    return Task(context, lambda folder: _with_sources(request, uid, folder), take, protocol.AnimateData)


def _remembered(character: bpy.types.Collection) -> dict[str, Any]:
    names = ("portrait", "speech", "face", "seed", "voice", "style", *_AMOUNTS)
    return {name: getattr(character.makeittalk, name) for name in names}


def _with_sources(request: protocol.Animate, uid: int, folder: Path) -> Reading:
    """The request for files in a folder; what lies no longer where it was is taken from the .blend."""
    yield from ()
    character = characters.found(uid)
    portrait, audio, face = Path(request.portrait), Path(request.audio), ""
    if character.makeittalk.placed:
        files = landmarks.write_files(landmarks.of_character(character), folder)
        portrait, face = files.portrait, str(files.face)
    elif not portrait.is_file():
        image = textures.portrait_of(character)
        portrait = folder / f"portrait{Path(image.filepath).suffix or '.png'}"
        textures.write_picture(image, portrait)
    if not audio.is_file() and character.makeittalk.sound is not None:
        audio = sound.file_of(character.makeittalk.sound, folder)
    return replace(request, folder=str(folder), portrait=str(portrait), audio=str(audio), face=face)


def _strip_of(scene: bpy.types.Scene, identity: str, frames: int) -> bpy.types.Strip | None:
    """The strip that the speech was taken from, or None where it is gone or there was none.

    Raises:
        AddonError: its length is another one, so that it says something else.
    """
    strip = strips.find(scene, identity)
    if strip is not None and compat.strip_length(strip) != frames:
        raise AddonError(
            f"The strip {strip.name} was cut since it became the speech.", "Choose it as the speech again."
        )
    return strip


def _show_texture(context: bpy.types.Context) -> None:
    """Shows the portrait in Solid shading where the user has said that it shall be shown."""
    area = view.area_of(context)
    if context.window_manager.makeittalk.texture == "SHOW" and area is not None:
        view.show_texture(area.spaces.active)


def _into(request: protocol.Animate, folder: Path, placed: landmarks.Placed | None) -> Reading:
    """The request for files in a folder; everything else was read when the job was started."""
    yield from ()
    if placed is None:
        return replace(request, folder=str(folder))
    files = landmarks.write_files(placed, folder)
    return replace(request, folder=str(folder), portrait=str(files.portrait), face=str(files.face))


def _answered(data: protocol.AnimateData) -> dict[str, Any]:
    """What a character remembers of the backend's answer: the style it chose where that was left to it."""
    style = data.style if data.style in ("cartoon", "photo") else "cartoon"
    return {"style": style, "notices": "\n".join(data.notices)}


def _request(values: dict[str, Any], fps: float) -> protocol.Animate:
    return protocol.Animate(
        portrait=bpy.path.abspath(values["portrait"]),
        audio=bpy.path.abspath(values["speech"]),
        voice=bpy.path.abspath(values["voice"]) if values["voice"] else "",
        style=values["style"],
        device=device(),
        face_number=values["face"],
        seed=values["seed"],
        fps=fps,
        amounts=Amounts(**{name: values[name] for name in _AMOUNTS}),
    )
