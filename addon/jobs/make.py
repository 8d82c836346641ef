"""New characters, and new takes of those that are there."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from ...backend.makeittalk.exchange import protocol
from .. import compat
from ..core.errors import AddonError
from ..scene import character as characters
from ..scene import markers, performance, sound, speech, textures
from ..scene.setup import frame_rate
from . import landmarks
from . import recipe as recipes
from .task import Reading, Task


def make(context: bpy.types.Context) -> Task:
    """Starts making a new character from the scene's settings.

    Raises:
        AddonError: the backend cannot be started, or the strip that the speech came from was cut since.
    """
    recipe = recipes.read(context.scene)

    def take(context: bpy.types.Context, data: protocol.AnimateData) -> str:
        return recipes.build(context, recipe, data)

    return Task(context, recipe.into, take, protocol.AnimateData)


def replace_speech(context: bpy.types.Context, character: bpy.types.Collection, recording: str) -> Task:
    """Starts predicting what a character does when it says another recording.

    Raises:
        AddonError: the backend cannot be started.
    """
    uid, spoken = character.session_uid, Path(bpy.path.abspath(recording))
    request = replace(recipes.request_of(_remembered(character), frame_rate(context.scene)), audio=str(spoken))

    def take(context: bpy.types.Context, data: protocol.AnimateData) -> str:
        found = characters.found(uid)
        audio = Path(data.audio) if data.audio else spoken
        characters.retake(found, Path(data.motion), Path(data.bake))
        found.makeittalk.speech, found.makeittalk.notices = recording, recipes.remarked(data, request)
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
    request = replace(recipes.request_of(_remembered(character), frame_rate(context.scene)), audio=str(spoken))

    def take(context: bpy.types.Context, data: protocol.AnimateData) -> str:
        found = characters.found(uid)
        audio = Path(data.audio) if data.audio else spoken
        seed, voice = found.makeittalk.seed, found.makeittalk.voice
        made = characters.say_more(found, Path(data.motion), Path(data.bake), start)
        made.recording, made.notices, made.seed, made.voice = recording, recipes.remarked(data, request), seed, voice
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
    request = recipes.request_of(_remembered(character), frame_rate(context.scene))

    def take(_context: bpy.types.Context, data: protocol.AnimateData) -> str:
        found = characters.found(uid)
        characters.retake(found, Path(data.motion), Path(data.bake))
        return f"{found.name} has a new take."

    return Task(context, lambda folder: _with_sources(request, uid, folder), take, protocol.AnimateData)


def _remembered(character: bpy.types.Collection) -> dict[str, Any]:
    names = ("portrait", "speech", "face", "seed", "voice", "style", "weights_set", *recipes.AMOUNTS)
    return {name: getattr(character.makeittalk, name) for name in names}


def _with_sources(request: protocol.Animate, uid: int, folder: Path) -> Reading:
    """The request for files in a folder; what lies no longer where it was is taken from the .blend."""
    yield from ()
    character = characters.found(uid)
    portrait, audio, face = Path(request.portrait), Path(request.audio), ""
    if character.makeittalk.placed:
        files = landmarks.write_files(landmarks.of_character(character), folder)
        portrait, face = files.portrait, str(files.face)
    elif not os.path.isfile(portrait):
        image = textures.portrait_of(character)
        portrait = folder / f"portrait{Path(image.filepath).suffix or '.png'}"
        textures.write_picture(image, portrait)
    if not os.path.isfile(audio) and character.makeittalk.sound is not None:
        audio = sound.file_of(character.makeittalk.sound, folder)
    return replace(request, folder=str(folder), portrait=str(portrait), audio=str(audio), face=face)
