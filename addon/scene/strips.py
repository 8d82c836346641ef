"""Strips of the video sequencer, known by a custom property: names change, and Blender numbers copies anew."""

from __future__ import annotations

import bpy

from .. import compat
from ..core import identities

_IDENTITY = "makeittalk_speech"  # custom property of the strip


def identify(strip: bpy.types.Strip) -> str:
    """Gives a strip an identity of its own, which survives renaming and saving, and returns it."""
    strip[_IDENTITY] = identities.new(8)  # anew, so that of a strip and its copy only this one has it
    return strip[_IDENTITY]


def identity(strip: bpy.types.Strip) -> str:
    """The identity of a strip, which it is given where it has none, or where another one of its scene has the same."""
    known = strip.get(_IDENTITY)
    scene = strip.id_data
    if not known or any(other != strip and other.get(_IDENTITY) == known for other in compat.sequencer_strips(scene)):
        return identify(strip)
    return str(known)


def find(scene: bpy.types.Scene, identity: str) -> bpy.types.Strip | None:
    """The strip with that identity, or None."""
    if not identity:
        return None
    found = [strip for strip in compat.sequencer_strips(scene) or () if strip.get(_IDENTITY) == identity]
    return min(found, key=compat.strip_begin, default=None)  # of a strip and its copies the first


def remove(scene: bpy.types.Scene, strip: bpy.types.Strip) -> None:
    """Removes a strip from the sequencer, and its sound where nothing else has it."""
    sound = strip.sound if strip.type == "SOUND" else None
    compat.sequencer_strips(scene).remove(strip)
    if sound is not None and sound.users == 0:
        bpy.data.sounds.remove(sound)
