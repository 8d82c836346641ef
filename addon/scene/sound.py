"""The speech as a sound strip."""

from __future__ import annotations

import os
from pathlib import Path

import bpy

from ...backend.makeittalk.exchange import temporary
from .. import compat
from ..core.errors import AddonError


def add_sound(scene: bpy.types.Scene, name: str, path: Path, start: int, pack: bool) -> bpy.types.Sound:
    """Puts the recording on the first channel that is free over its whole length.

    Args:
        scene: where it sounds. name: the strip's name.
        path: a recording that Blender reads.
        start: frame on which it begins.
        pack: keep the recording inside the .blend.

    Returns:
        The strip.

    Raises:
        AddonError: Blender cannot play the file.
    """
    strips = compat.sequencer_strips(scene, create=True)
    highest = max((strip.channel for strip in strips), default=0)
    try:
        # Its length is known once it is there, so it starts above everything and comes down to where there is room.
        # By its relative path: Blender remembers the folder, and what was in that text before, beside the sound.
        file = relative(str(path)) if bpy.data.filepath and not pack else str(path)
        strip = strips.new_sound(name=name, filepath=file, channel=highest + 1, frame_start=start)
    except RuntimeError as error:
        raise _unplayable(path) from error
    if strip.sound is None or strip.sound.channels == "INVALID":
        strips.remove(strip)
        raise _unplayable(path)
    _settle(strips, strip)
    if pack:
        strip.sound.pack()
        strip.sound.filepath = f"//{path.name}"
    return strip


def add_strip(scene: bpy.types.Scene, name: str, sound: bpy.types.Sound, start: float) -> bpy.types.Strip:
    """Puts a sound that the .blend knows on the first channel that is free over its whole length.

    Args:
        start: frame on which it begins.

    Raises:
        AddonError: its file is gone.
    """
    strips = compat.sequencer_strips(scene, create=True)
    highest = max((strip.channel for strip in strips), default=0)
    with temporary.folder() as folder:  # strips are made from files only
        path = file_of(sound, folder)
        try:
            strip = strips.new_sound(name=name, filepath=str(path), channel=highest + 1, frame_start=round(start))
        except RuntimeError as error:
            raise _unplayable(path) from error
    made = strip.sound
    if made != sound:
        strip.sound = sound
        if made is not None and made.users == 0:
            bpy.data.sounds.remove(made)
    _settle(strips, strip)
    return strip


def _settle(strips: bpy.types.bpy_prop_collection, strip: bpy.types.Strip) -> None:
    """Brings a strip down from the top to the lowest channel with room for it."""
    taken = _taken(strips, strip)
    strip.channel = next(channel for channel in range(1, strip.channel + 1) if channel not in taken)


def to_channel(scene: bpy.types.Scene, strip: bpy.types.Strip, channel: int) -> None:
    """Puts a strip on a channel, unless something lies there in its time: Blender would move it aside."""
    if channel not in _taken(compat.sequencer_strips(scene), strip):
        strip.channel = channel


def _taken(strips: bpy.types.bpy_prop_collection, strip: bpy.types.Strip) -> set[int]:
    """The channels on which something else lies in the time of a strip."""
    start, end = compat.strip_span(strip)
    spans = [(other.channel, *compat.strip_span(other)) for other in strips if other != strip]
    return {channel for channel, first, behind in spans if first < end and behind > start}


def file_of(sound: bpy.types.Sound, folder: Path) -> Path:
    """The recording of a sound as a file: its own, or a copy in `folder` of what the .blend holds.

    Raises:
        AddonError: the file is gone, or the copy cannot be written.
    """
    path = Path(bpy.path.abspath(sound.filepath))
    if sound.packed_file is None:
        if not os.path.isfile(path):
            raise AddonError(f"The recording {path} is missing.", "Put it back, or remove its strip.")
        return path
    copy = folder / f"speech{path.suffix}"
    try:
        copy.write_bytes(bytes(sound.packed_file.data))
    except OSError as error:
        raise AddonError(f"{copy.name} cannot be written to the temporary folder.", "Free some space.") from error
    return copy


def _unplayable(path: Path) -> AddonError:
    return AddonError(f"Blender cannot play {path.name}.", "Convert it to WAV or FLAC.")


def relative(path: str) -> str:
    """A path as seen from the saved .blend, where there is a way."""
    try:
        return bpy.path.relpath(path)
    except ValueError:  # another drive on Windows
        return path
