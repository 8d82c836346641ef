"""Shows, behind the animator's own curves in a Graph Editor, what is generated for the same channels.

Blender shows an object's action or the strip under edit, never both. Its ghost curves are a picture of curves as they
were when they were drawn: they cannot be edited, and no file keeps them.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import bpy
import numpy as np

from .. import compat
from ..core import regions
from . import actions, layers
from .actions import Channel

_NAME = "MakeItTalk Ghosts"
_FILTERS = ("show_only_selected", "show_scenes", "filter_collection")
#: Of the head's axes, whose curves have no colour of their own until a Graph Editor draws them.
_AXES = ((0.97, 0.25, 0.32), (0.50, 0.80, 0.15), (0.25, 0.55, 0.95))


def draw(area: bpy.types.Area, region: bpy.types.Region, owner: bpy.types.ID) -> None:
    """Draws what is generated for the channels that the own action of a datablock has, or for any of the head's.

    Args:
        area, region: a Graph Editor and its WINDOW region. owner: a rig or a mesh's shape keys.
    """
    with bpy.context.temp_override(area=area, region=region), contextlib.suppress(RuntimeError):
        bpy.ops.graph.ghost_curves_clear()
        found = generated(owner) if not owner.animation_data.use_tweak_mode else None
        if found is None:
            return
        filters = area.spaces.active.dopesheet
        before = [getattr(filters, name) for name in _FILTERS]
        with _model(*found) as models:
            try:
                filters.show_only_selected, filters.show_scenes, filters.filter_collection = False, False, models
                bpy.ops.graph.ghost_curves_create()
            finally:
                for name, value in zip(_FILTERS, before, strict=True):
                    setattr(filters, name, value)


@contextlib.contextmanager
def _model(first: int, channels: list[Channel]) -> Iterator[bpy.types.Collection]:
    """An object for a moment, whose curves are what is to be drawn, in a collection of its own.

    The character itself is left alone: it never plays another action, not even in between.
    """
    models = bpy.data.collections.new(_NAME)
    model = bpy.data.objects.new(_NAME, None)
    action = compat.assign_action(model, _NAME)
    try:
        models.objects.link(model)
        bpy.context.scene.collection.children.link(models)
        holder = compat.assigned_curves(model)
        for number, channel in enumerate(channels):
            path = channel.path.rpartition(".")[2]
            if path not in ("rotation_euler", "location"):  # which the Graph Editor shows in degrees, in units
                path = f'["{number}"]'
            made = actions.write_one(holder, Channel(path, channel.index, channel.samples, channel.tolerance))
            made.color_mode, made.select = "CUSTOM", True
            made.color = regions.COLOURS.get(channel.group) or _AXES[channel.index]
        actions.move(holder.fcurves, first)
        bpy.context.view_layer.update()
        yield models
    finally:
        bpy.data.collections.remove(models)
        bpy.data.objects.remove(model)
        bpy.data.actions.remove(action)


def generated(owner: bpy.types.ID) -> tuple[int, list[Channel]] | None:
    """The first frame of what is generated for the channels of the own action, and those channels as they now act.

    Of the head, which has few, every channel.
    """
    own = actions.by_identifier(compat.assigned_curves(owner))
    found = [
        (layer, curve)
        for layer in layers.layers(owner)
        for name, curve in actions.by_identifier(layer.curves).items()
        if (name in own or isinstance(owner, bpy.types.Object))
        and not (layer.track.mute or layer.strip.mute or curve.mute)
    ]
    if not found:
        return None
    first = min(math.floor(layer.strip.frame_start) for layer, _curve in found)
    length = max(math.ceil(layer.strip.frame_end) for layer, _curve in found) - first + 1
    sums: dict[tuple[str, int], np.ndarray] = {}
    for layer, curve in found:
        shift, strength = first - layers.begin(layer), layer.strip.fcurves.find("influence")
        samples = [
            curve.evaluate(frame + shift) * (strength.evaluate(frame + first) if strength is not None else 1.0)
            for frame in range(length)
        ]
        channel = curve.data_path, curve.array_index
        sums[channel] = sums.get(channel, 0.0) + np.array(samples)
    return first, [Channel(*channel, samples, 1e-3) for channel, samples in sums.items()]
