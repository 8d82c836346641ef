"""What lies below the layers of shape keys where Blender's own default of their values is not 0, as it is 1 in 5.0.

What strips add is added to that default.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from ...backend.makeittalk.exchange.constants import GAZE_KEYS
from .. import compat
from ..core import regions
from . import actions, bakes, gaze, layers, shape_keys, shown


def ensure(character: bpy.types.Collection, start: float) -> None:
    """Has the layers of shape keys begin at 0.

    The lowest strip replaces the default by 0, which changes nothing in other Blenders. Where there are strips already,
    as in a file of another Blender, none can be put below them: one takes the default away, and goes elsewhere.

    A key of the animator's own that nothing moves keeps the value it was given. One that is keyed later is left to
    Blender, which keys it against its default.

    Args:
        start: frame where something moves anyway: exports begin with the first strip.
    """
    keys = bakes.keys_of(character)
    found = next((layer for layer in layers.layers(keys) if layer.part == layers.BASE.name), None)
    if compat.SHAPE_KEY_DEFAULT == 0.0:
        if found is not None and found.strip.blend_type == "SUBTRACT":
            layers.remove(keys, found)
        return
    if layers.is_override(keys):
        return
    moved = _moved(keys)
    if found is None:
        lowest = not len(keys.animation_data_create().nla_tracks)
        found = layers.new_layer(keys, layers.BASE, character.name, start, 2)
        found.strip.blend_type = "REPLACE" if lowest else "SUBTRACT"
        layers.set_influence(found, np.ones(1))
    else:
        moved &= _names(found.curves)
    value = 0.0 if found.strip.blend_type == "REPLACE" else compat.SHAPE_KEY_DEFAULT
    names = _made(character, keys) | moved
    channels = [
        actions.Channel(shape_keys.value_path(block.name), 0, np.full(2, value), tolerance=1e-3)
        for block in keys.key_blocks[1:]
        if block.name in names
    ]
    if {channel.identifier for channel in channels} != actions.by_identifier(found.curves).keys():
        layers.own_action(found)
        actions.write(found.curves, channels)


def _made(character: bpy.types.Collection, keys: bpy.types.Key) -> set[str]:
    """What the keys are called that the character was made with, those that its eye target drives too."""
    names = [str(name) for name in bakes.mesh_of(character).key_names]
    found = set(shape_keys.current_names(keys, names, lambda: bakes.mesh_of(character)).values())
    return found | {gaze.target_key(name) for name in GAZE_KEYS}


def _moved(keys: bpy.types.Key) -> set[str]:
    """What the keys are called that curves move, in the animator's action or in strips, muted ones too."""
    animation = keys.animation_data
    holders = [compat.assigned_curves(keys)]
    for track in animation.nla_tracks if animation is not None else ():
        holders += [
            compat.strip_curves(strip)
            for strip in shown.clips(track.strips)
            if strip.action.get(layers.PART) != layers.BASE.name
        ]
    return {name for holder in holders for name in _names(holder)}


def _names(holder: Any) -> set[str]:
    """What the shape keys are called that an action's curves move."""
    return {regions.quoted(curve.data_path) for curve in actions.by_identifier(holder).values()}
