"""Photoreal frames as a strip of the video sequencer."""

from __future__ import annotations

from pathlib import Path

import bpy

from .. import compat
from ..core.errors import AddonError
from . import sound, strips


def place(scene: bpy.types.Scene, character: bpy.types.Collection, files: list[Path], first: int) -> bpy.types.Strip:
    """Puts pictures into the sequencer above what lies there; a strip of the character's own gives way to it.

    Args:
        scene: where. character: the character's collection.
        files: the pictures, one a frame, all in one folder. first: the frame that the first is shown on.

    Returns:
        The strip.

    Raises:
        AddonError: Blender cannot read the pictures.
    """
    settings = character.makeittalk
    present = compat.sequencer_strips(scene, create=True)
    old = strips.find(scene, settings.photo_strip)
    channel = old.channel if old is not None else 1 + max((strip.channel for strip in present), default=0)
    if old is not None:
        strips.remove(scene, old)
    try:
        strip = present.new_image(
            name=f"{character.name} Photoreal",
            filepath=sound.relative(str(files[0])) if bpy.data.filepath else str(files[0]),
            channel=channel,
            frame_start=first,
        )
    except RuntimeError as error:
        raise AddonError(f"Blender cannot show {files[0]}.", "Press Photoreal Frames again.") from error
    for file in files[1:]:
        strip.elements.append(file.name)
    compat.set_strip_length(strip, len(files))
    strip.blend_type = "ALPHA_OVER"
    settings.photo_strip = strips.identify(strip)
    return strip
