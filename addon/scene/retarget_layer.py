"""A performance on somebody else's object: NLA strips with generated actions, which come and go without a trace.

What the object does by itself stays: its action lies on top, its own strips too, and nothing in them is rewritten.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import bpy
import numpy as np

from ...backend.makeittalk.exchange import bounded_json
from .. import compat
from ..core.curve_fit import Keys
from . import actions, layers, shown
from .actions import Channel
from .layers import Part

FACE = Part("Retarget")
HEAD = Part("Retarget Head")
MOUTHS = Part("Retarget Mouths")
BASE = Part("Retarget Base")
PARTS = (FACE, HEAD, MOUTHS, BASE)
STATE = "makeittalk_before"  # custom property of a generated action: what the object was like before, JSON
_REPLACE = "REPLACE"
_CONSTANT = 0  # Keyframe.interpolation


def found(owner: bpy.types.ID, *parts: Part) -> Iterator[layers.Layer]:
    """The strips that a retarget made on a datablock; of some parts only, where they are named."""
    names = {part.name for part in parts or PARTS}
    return (layer for layer in layers.layers(owner) if layer.part in names)


def write(
    owner: bpy.types.ID, part: Part, channels: Sequence[Channel], name: str, start: int, every_frame: bool = False
) -> None:
    """Puts channels on a strip of their own, in the place of what this part had before.

    Args:
        owner: an object, a mesh's shape keys, a Grease Pencil's data. channels: all of one length.
        name: of the character. start: frame of the first sample. every_frame: one key a frame, not the fewest.
    """
    state = _renew(owner, part, {channel.identifier for channel in channels})
    moved = {item for layer in found(owner, FACE, HEAD) for item in actions.by_identifier(layer.curves)}
    _settle(owner, moved | {channel.identifier for channel in channels}, name, start)
    frames = len(channels[0].samples)
    layer = layers.new_layer(owner, part, f"{name} on {owner.name}", start, frames)
    layers.set_influence(layer, np.ones(1))
    actions.write(layer.curves, channels, every_frame)
    layer.action[STATE] = state


def write_steps(
    owner: bpy.types.ID, part: Part, steps: dict[str, list[tuple[int, float]]], name: str, start: int
) -> None:
    """Puts values that change at once on a strip of their own, which replaces what lies below.

    Args:
        steps: data path → frames, counted from `start`, with the value that holds from each on.
    """
    state = _renew(owner, part, {f"{path}[0]" for path in steps})
    last = max(frame for curve in steps.values() for frame, _ in curve)
    layer = layers.new_layer(owner, part, f"{name} on {owner.name}", start, last + 2)
    layer.strip.blend_type = _REPLACE
    layers.set_influence(layer, np.ones(1))
    for path, values in steps.items():
        curve = layer.curves.fcurves.new(path)
        frames, heights = (np.array(column, float) for column in zip(*values, strict=True))
        actions.write_keys(curve, Keys(frames, heights, np.zeros(len(frames))))
        curve.keyframe_points.foreach_set("interpolation", np.full(len(frames), _CONSTANT, np.int32))
        curve.update()
    layer.action[STATE] = state


def remove(owner: bpy.types.ID, *parts: Part) -> int:
    """Takes what a retarget made off a datablock, of some parts only where they are named, and puts back what it was.

    Returns:
        How many strips went.
    """
    gone = list(found(owner, *parts))
    states = [_state(layer) for layer in gone]
    name, start = (gone[0].action.name, layers.begin(gone[0])) if gone else ("", 0.0)
    for layer in gone:
        layers.remove(owner, layer)
    moved = {item for layer in found(owner, FACE, HEAD) for item in actions.by_identifier(layer.curves)}
    _settle(owner, moved, name, start)
    still = {identifier for layer in found(owner, FACE, HEAD, MOUTHS) for identifier in _state(layer)["values"]}
    for state in states:
        for identifier, value in state["values"].items():
            if identifier not in still:
                shown.put(owner, identifier, value)
    animation = owner.animation_data
    if not any(True for _ in found(owner)) and animation is not None:
        blend = next((state["blend"] for state in states if state["blend"]), "")
        if blend and animation.action is not None:
            animation.action_blend_type = blend
        if animation.action is None and not len(animation.nla_tracks) and not len(animation.drivers):
            owner.animation_data_clear()
    return len(gone)


def is_baked(owner: bpy.types.ID) -> bool:
    """Whether a retarget has put something on a datablock."""
    return any(True for _ in found(owner))


def _renew(owner: bpy.types.ID, part: Part, identifiers: set[str]) -> str:
    """Takes what a part had before off a datablock.

    Returns:
        What `identifiers` are where nothing moves them, and how the own action is blended, JSON: for `remove`.
    """
    layers.leave_tweak_mode(owner)
    remove(owner, part)
    animation = owner.animation_data_create()
    blend = next((state["blend"] for layer in found(owner) if (state := _state(layer))["blend"]), "")
    if not blend and animation.action is not None:
        blend = animation.action_blend_type
    return json.dumps({"values": {item: _get(owner, item) for item in sorted(identifiers)}, "blend": blend})


def _state(layer: layers.Layer) -> dict[str, Any]:
    """What `_keep` noted; nothing where somebody has tampered with it."""
    try:
        state = bounded_json.loads(str(layer.action.get(STATE, "{}")))
        values = {
            str(name): float(value)
            for name, value in dict(state.get("values", {})).items()
            if np.isfinite(float(value))
        }
        return {"values": values, "blend": str(state.get("blend", ""))}
    except (AttributeError, TypeError, ValueError):
        return {"values": {}, "blend": ""}


def _settle(owner: bpy.types.ID, moved: set[str], name: str, start: float) -> None:
    """Has the own action be added to what lies below, and lays what that needs under it.

    Args:
        moved: identifiers of what the retarget moves on the datablock.
    """
    for layer in list(found(owner, BASE)):
        layers.remove(owner, layer)
    animation = owner.animation_data
    if animation is None or not moved:
        return
    tracks = [track for track in animation.nla_tracks if not _is_mine(track)]
    others = {
        identifier
        for track in tracks
        for strip in shown.clips(track.strips)
        for identifier in actions.by_identifier(compat.strip_curves(strip))
    }
    own = set(actions.by_identifier(compat.assigned_curves(owner)))
    if moved & own and animation.action_blend_type == _REPLACE:
        animation.action_blend_type = layers.blending(owner)
    if animation.action_blend_type != _REPLACE:
        moved = moved | own
    covered = moved - others
    if covered and isinstance(owner, bpy.types.Key) and compat.SHAPE_KEY_DEFAULT:  # what is combined knows defaults
        _lay_base(owner, covered, name, start, bool(tracks))


def _lay_base(owner: bpy.types.ID, covered: set[str], name: str, start: float, on_top: bool) -> None:
    """Has channels begin at 0 instead of at their property's default, which what is added would be added to.

    Where the object has strips of its own nothing can be put below them: there the default is taken away.
    """
    value = compat.SHAPE_KEY_DEFAULT if on_top else 0.0
    base = layers.new_layer(owner, BASE, f"{name} on {owner.name}", start, 2)
    base.strip.blend_type = "SUBTRACT" if on_top else _REPLACE
    layers.set_influence(base, np.ones(1))
    channels = [Channel(*shown.path_and_index(item), np.full(2, value), 1e-3) for item in sorted(covered)]
    actions.write(base.curves, channels)


def _is_mine(track: bpy.types.NlaTrack) -> bool:
    names = {part.name for part in PARTS}
    return any(strip.action is not None and strip.action.get(layers.PART) in names for strip in track.strips)


def _get(owner: bpy.types.ID, identifier: str) -> float:
    path, index = shown.path_and_index(identifier)
    value = owner.path_resolve(path)
    return float(value[index] if hasattr(value, "__len__") else value)
