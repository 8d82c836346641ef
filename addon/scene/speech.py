"""The strips that a character's speeches sound from: found by identity, never another character's to move."""

from __future__ import annotations

import os
from pathlib import Path

import bpy

from .. import compat
from ..core import identities
from ..core.errors import AddonError
from . import sound, strips

Speech = bpy.types.PropertyGroup  # MakeItTalkSpeech, an item of a character's `speeches`
_TOGETHER = 0.5  # frames that lips and sound may lie apart


def new(character: bpy.types.Collection, start: int) -> Speech:
    """Gives a character one more speech, which is the current one from then on."""
    settings = character.makeittalk
    made = settings.speeches.add()
    made.uid = made.name = identities.new(4)  # the name is what an override knows an item by
    made.place(start)
    settings.active_speech = len(settings.speeches) - 1
    return made


def last_frame(speech: Speech) -> int:
    """The last frame on which a speech is spoken."""
    return speech.start + max(1, speech.frames) - 1


def span(character: bpy.types.Collection) -> tuple[int, int]:
    """The first and the last frame on which a character speaks."""
    speeches = character.makeittalk.speeches
    if not len(speeches):
        raise AddonError(f"{character.name} has no speech.", "Run Make It Talk again.")
    return min(item.start for item in speeches), max(map(last_frame, speeches))


def strip_of(scene: bpy.types.Scene, speech: Speech) -> bpy.types.Strip | None:
    """The strip of a speech, or None where there is none (any more)."""
    return strips.find(scene, speech.strip)


def add(scene: bpy.types.Scene, speech: Speech, recording: Path, pack: bool) -> None:
    """Puts a recording on the sequencer.

    Raises:
        AddonError: Blender cannot play the file.
    """
    strip = sound.add_sound(scene, _name(speech), recording, speech.start, pack)
    _take(speech, strip)
    speech.shares_strip = False


def share(scene: bpy.types.Scene, speech: Speech, identity: str) -> None:
    """Takes a strip that plays the recording there already."""
    strip = strips.find(scene, identity)
    if strip is None:
        return
    _take(speech, strip, identity)
    speech.shares_strip = True


def replace(scene: bpy.types.Scene, speech: Speech, recording: Path, pack: bool) -> None:
    """Puts another recording in the place of a speech; a strip that is not its own stays.

    Raises:
        AddonError: Blender cannot play the file.
    """
    strip = strip_of(scene, speech)
    own = strip is not None and not speech.shares_strip and not _others(scene, speech)
    add(scene, speech, recording, pack)
    speech.cut_before = speech.cut_behind = 0
    if strip is not None and own:
        channel = strip.channel
        strips.remove(scene, strip)
        sound.to_channel(scene, strip_of(scene, speech), channel)


def remove(scene: bpy.types.Scene, speech: Speech) -> None:
    """Removes the strip of a speech; one that is another's too, or was there before the character, stays."""
    strip = strip_of(scene, speech)
    if strip is not None and not speech.shares_strip and not _others(scene, speech):
        strips.remove(scene, strip)
    speech.strip = ""
    kept, speech.sound = speech.sound, None
    if kept is not None and kept.users == 0:
        bpy.data.sounds.remove(kept)


def move(scene: bpy.types.Scene, speech: Speech) -> None:
    """Brings a strip to where the lips move, wherever it was dragged.

    One that another character speaks by too stays for that one; this one is given a strip of its own.
    """
    strip = strip_of(scene, speech)
    if strip is None:
        return
    if _others(scene, speech):
        strip = _copy(scene, speech, strip)
        if strip is None:
            return
    compat.move_strip(strip, -apart(scene, speech))


def apart(scene: bpy.types.Scene, speech: Speech) -> float:
    """By how many frames the sound begins behind the lips; 0 where there is no sound."""
    strip = strip_of(scene, speech)
    return 0.0 if strip is None else compat.strip_begin(strip) - speech.start - speech.strip_offset


def is_apart(scene: bpy.types.Scene, speech: Speech) -> bool:
    """Whether lips and sound are out of step, or lips move that the strip has been cut off from."""
    if abs(apart(scene, speech)) > _TOGETHER:
        return True
    before, behind = cuts(scene, speech)
    return abs(before - speech.cut_before) > 1 or abs(behind - speech.cut_behind) > 1


def cuts(scene: bpy.types.Scene, speech: Speech) -> tuple[int, int]:
    """How many frames at the beginning and at the end of a speech its strip hides, wherever the strip lies."""
    strip = strip_of(scene, speech)
    if strip is None:
        return speech.cut_before, speech.cut_behind
    first, behind = compat.strip_span(strip)
    start = compat.strip_begin(strip) - speech.strip_offset
    end = start + speech.frames
    return max(0, round(first - start)), max(0, round(end - behind) - 1)  # a recording seldom fills its last frame


def is_missing(scene: bpy.types.Scene, speech: Speech) -> bool:
    """Whether a speech is not on the sequencer, though Blender could play it."""
    return compat.plays_sound() and strip_of(scene, speech) is None


def restore(scene: bpy.types.Scene, speech: Speech) -> None:
    """Puts a speech back on the sequencer, from what the .blend holds, else from its file.

    Raises:
        AddonError: neither is there.
    """
    kept = speech.sound
    if kept is not None and (kept.packed_file is not None or os.path.isfile(bpy.path.abspath(kept.filepath))):
        strip = sound.add_strip(scene, _name(speech), kept, speech.start + speech.strip_offset)
        _take(speech, strip)
        speech.shares_strip = False
        return
    recording = Path(bpy.path.abspath(speech.recording)) if speech.recording else None
    if recording is None or not os.path.isfile(recording):
        name = recording.name if recording is not None else "its recording"
        raise AddonError(
            f"{speech.id_data.name} cannot be heard: {name} is missing.",
            "Point Speech in Take and Curves to where it lies now.",
        )
    add(scene, speech, recording, pack=False)


def _name(speech: Speech) -> str:
    return f"{speech.id_data.name} Speech"


def _take(speech: Speech, strip: bpy.types.Strip, identity: str = "") -> None:
    speech.strip = identity or strips.identify(strip)
    old, speech.sound = speech.sound, strip.sound
    if old is not None and old.users == 0:  # of a character that came with a sound of its own
        bpy.data.sounds.remove(old)
    speech.strip_offset = round(compat.strip_begin(strip) - speech.start)


def _others(scene: bpy.types.Scene, speech: Speech) -> bool:
    """Whether another speech of the scene sounds from the same strip, as a copy's does."""
    return any(
        other.strip == speech.strip and (item, other.uid) != (speech.id_data, speech.uid)
        for item in scene.collection.children_recursive
        if item.makeittalk.is_character
        for other in item.makeittalk.speeches
    )


def _copy(scene: bpy.types.Scene, speech: Speech, strip: bpy.types.Strip) -> bpy.types.Strip | None:
    """A strip of the same sound for one speech alone; None where the sound has gone."""
    if strip.sound is None:
        return None
    made = sound.add_strip(scene, _name(speech), strip.sound, compat.strip_begin(strip))
    offset = speech.strip_offset
    _take(speech, made)
    speech.strip_offset, speech.shares_strip = offset, False
    return made
