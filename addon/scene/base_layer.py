"""What lies below the layers of shape keys where Blender's own default of their values is not 0, as it is 1 in 5.0.

What strips add is added to that default.
"""

from __future__ import annotations

import bpy
import numpy as np

from .. import compat
from . import actions, layers, shape_keys


def ensure(keys: bpy.types.Key, name: str, start: float) -> None:
    """Has the layers of shape keys begin at 0.

    The lowest strip replaces the default by 0, which changes nothing in other Blenders. Where there are strips already,
    as in a file of another Blender, none can be put below them: one takes the default away, and goes elsewhere.

    Args:
        name: of the character. start: frame where something moves anyway: exports begin with the first strip.
    """
    found = next((layer for layer in layers.layers(keys) if layer.part == layers.BASE.name), None)
    if compat.SHAPE_KEY_DEFAULT == 0.0:
        if found is not None and found.strip.blend_type == "SUBTRACT":
            layers.remove(keys, found)
        return
    if layers.is_override(keys):
        return
    if found is None:
        lowest = not len(keys.animation_data_create().nla_tracks)
        found = layers.new_layer(keys, layers.BASE, name, start, 2)
        found.strip.blend_type = "REPLACE" if lowest else "SUBTRACT"
        layers.set_influence(found, np.ones(1))
    value = 0.0 if found.strip.blend_type == "REPLACE" else compat.SHAPE_KEY_DEFAULT
    channels = [
        actions.Channel(shape_keys.value_path(block.name), 0, np.full(2, value), tolerance=1e-3)
        for block in keys.key_blocks[1:]
    ]
    if {channel.identifier for channel in channels} != actions.by_identifier(found.curves).keys():
        layers.own_action(found)
        actions.write(found.curves, channels)
