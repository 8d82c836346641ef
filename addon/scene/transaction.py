"""All or nothing: what an unfinished build has made disappears again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import bpy

from .. import compat

# In this order nothing is removed that something still present uses.
_KINDS = (
    "objects",
    "collections",
    "meshes",
    "armatures",
    "cameras",
    "materials",
    "images",
    "actions",
    "sounds",
)


@contextlib.contextmanager
def all_or_nothing(scene: bpy.types.Scene) -> Iterator[None]:
    """Removes the datablocks and strips that the block made, when it fails, and lets the error go on."""
    before = {kind: {item.as_pointer() for item in getattr(bpy.data, kind)} for kind in _KINDS}
    strips = compat.sequencer_strips(scene)
    known = {strip.name for strip in strips} if strips is not None else set()
    had_sequencer = strips is not None
    try:
        yield
    except BaseException:
        strips = compat.sequencer_strips(scene)
        if strips is not None:
            for strip in [strip for strip in strips if strip.name not in known]:
                strips.remove(strip)
            if not had_sequencer:
                scene.sequence_editor_clear()
        for kind in _KINDS:
            items = getattr(bpy.data, kind)
            for item in [item for item in items if item.as_pointer() not in before[kind]]:
                items.remove(item)
        raise
