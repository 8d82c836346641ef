"""The strip that a character's speech sounds from: found by its identity, never another character's to move."""

from __future__ import annotations

from pathlib import Path

import bpy

from .. import compat
from ..core.errors import AddonError
from . import sound, strips

_TOGETHER = 0.5  # frames that lips and sound may lie apart


def strip_of(scene: bpy.types.Scene, character: bpy.types.Collection) -> bpy.types.Strip | None:
    """The strip of a character's speech, or None where there is none (any more)."""
    return strips.find(scene, character.makeittalk.strip)


def add(scene: bpy.types.Scene, character: bpy.types.Collection, recording: Path, pack: bool) -> None:
    """Puts a recording on the sequencer as a character's speech.

    Raises:
        AddonError: Blender cannot play the file.
    """
    strip = sound.add_sound(scene, f"{character.name} Speech", recording, character.makeittalk.start, pack)
    _take(character, strip)
    character.makeittalk.shares_strip = False


def share(scene: bpy.types.Scene, character: bpy.types.Collection, identity: str) -> None:
    """Makes a strip that plays the recording there already a character's speech."""
    strip = strips.find(scene, identity)
    if strip is None:
        return
    _take(character, strip, identity)
    character.makeittalk.shares_strip = True


def replace(scene: bpy.types.Scene, character: bpy.types.Collection, recording: Path, pack: bool) -> None:
    """Puts another recording in the place of a character's speech; a strip that is not its own stays.

    Raises:
        AddonError: Blender cannot play the file.
    """
    settings = character.makeittalk
    strip = strip_of(scene, character)
    own = strip is not None and not settings.shares_strip and not _others(scene, character)
    add(scene, character, recording, pack)
    if strip is not None and own:
        channel = strip.channel
        strips.remove(scene, strip)
        strip_of(scene, character).channel = channel


def remove(scene: bpy.types.Scene, character: bpy.types.Collection) -> None:
    """Removes a character's strip; one that is another's too, or was there before the character, stays."""
    settings = character.makeittalk
    strip = strip_of(scene, character)
    if strip is not None and not settings.shares_strip and not _others(scene, character):
        strips.remove(scene, strip)
    settings.strip = ""
    kept, settings.sound = settings.sound, None
    if kept is not None and kept.users == 0:
        bpy.data.sounds.remove(kept)


def move(scene: bpy.types.Scene, character: bpy.types.Collection) -> None:
    """Brings a character's strip to where its lips move, wherever it was dragged.

    One that another character speaks by too stays for that one; this one is given a strip of its own.
    """
    strip = strip_of(scene, character)
    if strip is None:
        return
    if _others(scene, character):
        strip = _copy(scene, character, strip)
        if strip is None:
            return
    compat.move_strip(strip, -apart(scene, character))


def apart(scene: bpy.types.Scene, character: bpy.types.Collection) -> float:
    """By how many frames the sound begins behind the lips; 0 where there is no sound."""
    strip, settings = strip_of(scene, character), character.makeittalk
    return 0.0 if strip is None else compat.strip_begin(strip) - settings.start - settings.strip_offset


def is_apart(scene: bpy.types.Scene, character: bpy.types.Collection) -> bool:
    """Whether lips and sound are out of step."""
    return abs(apart(scene, character)) > _TOGETHER


def is_missing(scene: bpy.types.Scene, character: bpy.types.Collection) -> bool:
    """Whether a character's speech is not on the sequencer, though Blender could play it."""
    return compat.plays_sound() and strip_of(scene, character) is None


def restore(scene: bpy.types.Scene, character: bpy.types.Collection) -> None:
    """Puts a character's speech back on the sequencer, from what the .blend holds, else from its file.

    Raises:
        AddonError: neither is there.
    """
    settings = character.makeittalk
    kept = settings.sound
    if kept is not None and (kept.packed_file is not None or Path(bpy.path.abspath(kept.filepath)).is_file()):
        strip = sound.add_strip(scene, f"{character.name} Speech", kept, settings.start + settings.strip_offset)
        _take(character, strip)
        settings.shares_strip = False
        return
    recording = Path(bpy.path.abspath(settings.speech)) if settings.speech else None
    if recording is None or not recording.is_file():
        name = recording.name if recording is not None else "its recording"
        raise AddonError(
            f"{character.name} cannot be heard: {name} is missing.",
            "Point Speech in Take and Curves to where it lies now.",
        )
    add(scene, character, recording, pack=False)


def _take(character: bpy.types.Collection, strip: bpy.types.Strip, identity: str = "") -> None:
    settings = character.makeittalk
    settings.strip = identity or strips.identify(strip)
    old, settings.sound = settings.sound, strip.sound
    if old is not None and old.users == 0:  # of a character that came with a sound of its own
        bpy.data.sounds.remove(old)
    settings.strip_offset = round(compat.strip_begin(strip) - settings.start)


def _others(scene: bpy.types.Scene, character: bpy.types.Collection) -> bool:
    """Whether another character of the scene speaks by the same strip, as a copy does."""
    return any(
        item != character and item.makeittalk.is_character and item.makeittalk.strip == character.makeittalk.strip
        for item in scene.collection.children_recursive
    )


def _copy(scene: bpy.types.Scene, character: bpy.types.Collection, strip: bpy.types.Strip) -> bpy.types.Strip | None:
    """A strip of the same sound for a character alone; None where the sound has gone."""
    if strip.sound is None:
        return None
    made = sound.add_strip(scene, f"{character.name} Speech", strip.sound, compat.strip_begin(strip))
    offset = character.makeittalk.strip_offset
    _take(character, made)
    character.makeittalk.strip_offset, character.makeittalk.shares_strip = offset, False
    return made
