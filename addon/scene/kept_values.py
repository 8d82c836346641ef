"""Values that a file holds and the add-on would never write: whoever made it meant harm, or it is damaged.

They are put back to their defaults once, when the file is opened or the character appears, so that nothing else has to
ask: numbers beyond their bounds, choices that are none, texts that are no UTF-8.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from typing import Any

import bpy

from ...backend.makeittalk.exchange.constants import MAX_AUDIO_SECONDS, MAX_SOURCE_SIDE
from ...backend.makeittalk.exchange.rates import HIGHEST, LOWEST
from .. import compat

_OF_FRAMES = ("start", "placed", "strip_offset", "cut_before", "cut_behind")
_COUNTED = ("active_speech", "serial", "active_row")
_KINDS = ("INT", "FLOAT", "ENUM", "STRING")
_MOST = 1e6  # of what has no end of its own


def put_right(character: bpy.types.Collection) -> None:
    """Gives every value of a character that can be none its default."""
    for group in _groups(character):
        _put_right(group)


def put_right_scene(scene: bpy.types.Scene) -> None:
    """The same for what a scene's next character is made from."""
    _put_right(scene.makeittalk)


def _put_right(group: bpy.types.PropertyGroup) -> None:
    for item in group.bl_rna.properties:
        if not item.is_readonly and item.type in _KINDS and not _is_usable(group, item):
            with contextlib.suppress(TypeError, RuntimeError):  # of an override that may not be changed
                group.property_unset(item.identifier)


def _groups(character: bpy.types.Collection) -> Iterator[bpy.types.PropertyGroup]:
    settings = character.makeittalk
    yield settings
    yield from settings.speeches
    yield settings.retarget
    yield from settings.retarget.rows
    if settings.rig is not None:
        yield settings.rig.makeittalk


def _is_usable(group: bpy.types.PropertyGroup, item: Any) -> bool:
    if not group.is_property_set(item.identifier):
        return True
    try:
        value = getattr(group, item.identifier)
    except UnicodeDecodeError:
        return False
    if item.type == "STRING":
        return True
    if item.type == "ENUM":
        return bool(value) or item.is_enum_flag or not len(item.enum_items)
    values = list(value) if getattr(item, "is_array", False) else [value]
    low, high = _ends(item)
    return _within(values, low, high)


def _ends(item: Any) -> tuple[float, float]:
    name = item.identifier
    if name in _OF_FRAMES:
        return -compat.LAST_FRAME, compat.LAST_FRAME
    if name == "frames":
        return 0, MAX_AUDIO_SECONDS * HIGHEST
    if name == "fps":
        return LOWEST, HIGHEST
    if name == "image_size":
        return 1, MAX_SOURCE_SIDE
    if name in _COUNTED:
        return 0, 2**30
    if item.type == "FLOAT":
        return max(item.hard_min, -_MOST), min(item.hard_max, _MOST)
    return item.hard_min, item.hard_max


def _within(values: Sequence[float], low: float, high: float) -> bool:
    return all(math.isfinite(value) and low - 1e-6 <= value <= high + 1e-6 for value in values)
