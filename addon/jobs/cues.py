"""What is heard in a character's speech: asked of the backend, marked on the timeline or written as a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import bpy

from ...backend.makeittalk.exchange import cue_files, protocol, storage
from ...backend.makeittalk.exchange.cues import EXTENDED, Cue, closed_shape
from ...backend.makeittalk.exchange.formats import Cues
from ...backend.makeittalk.exchange.rates import exact_rate
from ..package import device
from ..scene import character as characters
from ..scene import markers, sound
from ..scene.setup import frame_rate
from .task import Reading, Task


def mark(context: bpy.types.Context, character: bpy.types.Collection, kind: str, text: str = "") -> Task:
    """Starts to find what is heard in a character's current speech, for markers of it.

    Args:
        kind: a key of `markers.KINDS`. text: what is said in it, for its words.

    Raises:
        AddonError: the backend cannot be started.
    """
    uid, identity = character.session_uid, character.makeittalk.current.uid

    def take(context: bpy.types.Context, data: protocol.VisemesData) -> str:
        scene, cues = context.scene, Cues.load(data.cues)
        found, spoken = characters.found_speech(uid, identity)
        heard = {"PHONES": cues.phones, "WORDS": cues.words, "SHAPES": cues.shapes_shown}[kind]()
        count = markers.write(scene, spoken, kind, heard, frame_rate(scene))
        told = f"{count} markers tell the {markers.KINDS[kind]} of {found.name}."
        return " ".join([told, *(notice for notice in data.notices if kind == "WORDS")])

    request = protocol.Visemes(text=text, device=device())
    return Task(context, lambda folder: _of_speech(request, uid, identity, folder), take, protocol.VisemesData)


def export(
    context: bpy.types.Context,
    character: bpy.types.Collection,
    path: Path,
    extended: str = EXTENDED,
    preston_blair: bool = False,
) -> Task:
    """Starts to find the mouth shapes of a character's current speech, for a file of them.

    Args:
        path: what is written, by its suffix one of `cue_files.WRITERS`. extended: which of G, H and X are drawn.
        preston_blair: whether a .dat has Preston Blair's names.

    Raises:
        MakeItTalkError: the backend cannot be started, or a .dat cannot have the scene's rate.
    """
    uid, identity = character.session_uid, character.makeittalk.current.uid
    write = cue_files.WRITERS[path.suffix.lower()]
    rate = exact_rate(frame_rate(context.scene))
    if path.suffix.lower() == ".dat":
        cue_files.check_dat_rate(rate)
    recording = bpy.path.abspath(character.makeittalk.current.recording)

    def take(_context: bpy.types.Context, data: protocol.VisemesData) -> str:
        cues = Cues.load(data.cues)
        track = cue_files.VisemeTrack(
            cues.shapes_shown(), cues.seconds, recording, closed_shape(extended), rate, preston_blair
        )
        storage.write_text(path, write(track))
        return f"{path.name} is written: {len(track.cues)} mouth shapes."

    request = protocol.Visemes(extended=extended, device=device())
    return Task(
        context,
        lambda folder: _of_speech(request, uid, identity, folder),
        take,
        protocol.VisemesData,
        "Cancelled. No file was written.",
    )


def show(
    context: bpy.types.Context,
    character: bpy.types.Collection,
    extended: str,
    write: Callable[[bpy.types.Context, bpy.types.Collection, bpy.types.PropertyGroup, list[Cue]], str],
) -> Task:
    """Starts to find the mouth shapes of a character's current speech, for drawings of them.

    Args:
        extended: which of G, H and X are drawn. write: takes the character, its speech and the shapes, and returns a
            sentence for the user.

    Raises:
        MakeItTalkError: the backend cannot be started.
    """
    uid, identity = character.session_uid, character.makeittalk.current.uid

    def take(context: bpy.types.Context, data: protocol.VisemesData) -> str:
        return write(context, *characters.found_speech(uid, identity), Cues.load(data.cues).shapes_shown())

    request = protocol.Visemes(extended=extended, device=device())
    return Task(context, lambda folder: _of_speech(request, uid, identity, folder), take, protocol.VisemesData)


def _of_speech(request: protocol.Visemes, uid: int, identity: str, folder: Path) -> Reading:
    """The request for the recording of a speech; what lies no longer where it was is taken from the .blend."""
    yield from ()
    _found, spoken = characters.found_speech(uid, identity)
    audio = Path(bpy.path.abspath(spoken.recording))
    if not os.path.isfile(audio) and spoken.sound is not None:
        audio = sound.file_of(spoken.sound, folder)
    return replace(request, folder=str(folder), audio=str(audio))
