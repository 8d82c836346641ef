"""What somebody changed in the generated curves: found, taken up into a layer above them, or taken back."""

from __future__ import annotations

import json
from collections.abc import Collection

import bpy
import numpy as np

from . import actions, bakes, layers
from .actions import Channel
from .bakes import Share
from .strength import write_channel, write_layer, written

_SEEN = 0.05  # of what leaving keys out may cost: smaller differences between two readings are nobody's edit
_NOT_BAKED = (layers.BASE.name, layers.EDITS.name)


def bring_up(character: bpy.types.Collection, only: Collection[str] | None = None) -> list[str]:
    """Takes what somebody changed in the generated curves up into a layer of its own above them, as differences.

    Args:
        only: keys of the layers to look at, all of them by default.

    Returns:
        The identifiers of those curves.
    """
    for owner in bakes.owners_of(character):
        layers.leave_tweak_mode(owner)
    found: list[str] = []
    for speech, layer, share, names in _changed(character, only):
        found += names
        edited = [channel for channel in _differences(character, layer, share, names) if channel.samples.any()]
        if edited:
            add_to_edits(character, speech, share.owner, edited)
        write_layer(character, layer, share)
    return found


def pending(character: bpy.types.Collection) -> list[tuple[bpy.types.ID, layers.Layer, Channel]]:
    """What somebody has changed in the generated curves since they were written: datablock, layer, and the change of
    one curve as differences at the layer's influence, one a frame of the strip."""
    return [
        (share.owner, layer, channel)
        for _, layer, share, names in _changed(character)
        for channel in _differences(character, layer, share, names)
    ]


def _changed(
    character: bpy.types.Collection, only: Collection[str] | None = None
) -> list[tuple[bpy.types.PropertyGroup, layers.Layer, Share, list[str]]]:
    """Every layer that somebody has changed: its speech, what was written, and the identifiers of the curves."""
    changed: dict[tuple[str, str], list[str]] = {}
    for owner in bakes.owners_of(character):
        for layer in layers.layers(owner):
            if layer.part not in _NOT_BAKED and (only is None or layer.key in only):
                changed[owner.name, layer.key] = actions.changed(layer.curves, layers.baked(layer))
    found = []
    for speech in character.makeittalk.speeches if any(changed.values()) else ():
        bake = bakes.baked(speech)
        for share in bakes.shares(character, bake) if bake is not None else ():
            layer = bakes.layer_of(share.owner, share.part, speech)
            names = changed.pop((share.owner.name, layer.key), None) if layer is not None else None
            if layer is not None and names:
                found.append((speech, layer, share, names))
    return found


def restore(character: bpy.types.Collection, layer: layers.Layer, change: Channel, left: np.ndarray) -> None:
    """Takes a change of a generated curve back, or a part of it.

    Args:
        change: as `pending` answers it. left: (N,) what of the differences stays, at the layer's influence.
    """
    kept = [bakes.baked(speech) for speech in character.makeittalk.speeches if layer.speech in ("", speech.uid)]
    share = next(share for share in bakes.shares(character, kept[0]) if share.part.name == layer.part)
    channel = next((item for item in share.channels if item.identifier == change.identifier), None)
    layers.own_action(layer)
    action = layer.action
    curve = actions.by_identifier(layer.curves).get(change.identifier)
    if not left.any():
        if channel is not None:
            found = write_channel(layer, channel, share.part, character.makeittalk.every_frame)
            known = actions.recorded(layers.baked(layer))
            action[layers.BAKED] = json.dumps({**known, change.identifier: actions.fingerprint(found)})
        elif curve is not None:
            layer.curves.fcurves.remove(curve)
        return
    samples, tolerance = np.zeros(len(left)), change.tolerance
    if channel is not None:
        samples = written(channel, share.part, layer.gain, character.makeittalk.every_frame)
    influence = layers.influence(layer, len(samples))
    samples = samples + np.where(influence > 1e-6, left / np.maximum(influence, 1e-6), 0.0)
    actions.write_one(layer.curves, Channel(change.path, change.index, samples, _finer(tolerance, left)))


def _finer(tolerance: float, difference: np.ndarray) -> float:
    """What leaving keys out may cost a difference: it may be smaller than what it may cost a prediction."""
    return min(tolerance, 0.02 * float(np.abs(difference).max()))


def _differences(character: bpy.types.Collection, layer: layers.Layer, share: Share, names: list[str]) -> list[Channel]:
    """What the changed curves say beyond what was written, at the layer's influence."""
    channels = {channel.identifier: channel for channel in share.channels}
    every_frame = character.makeittalk.every_frame
    curves = actions.by_identifier(layer.curves)
    frames = len(share.channels[0].samples)
    influence = layers.influence(layer, frames)
    found = []
    for name in names:
        channel, curve = channels.get(name), curves.get(name)
        if channel is None and curve is None:  # of a key or a bone that has another name now, or is gone
            continue
        before = np.zeros(frames)
        if channel is not None:
            before = written(channel, share.part, layer.gain, every_frame)
        now = actions.sample(curve, frames) if curve is not None else np.zeros(frames)
        path, index = (channel.path, channel.index) if channel is not None else (curve.data_path, curve.array_index)
        difference = influence * (now - before)
        tolerance = channel.tolerance if channel is not None else 1e-4
        difference[np.abs(difference) <= _SEEN * tolerance * layer.gain] = 0.0  # Blender's single precision
        found.append(Channel(path, index, difference, tolerance))
    return found


def add_to_edits(
    character: bpy.types.Collection, speech: bpy.types.PropertyGroup, owner: bpy.types.ID, channels: list[Channel]
) -> None:
    """Adds differences to the layer that holds those of former times."""
    frames = len(channels[0].samples)
    layer = bakes.layer_of(owner, layers.EDITS, speech)
    if layer is None:
        layer = layers.new_layer(owner, layers.EDITS, character.name, speech.start, frames, speech.uid)
        layers.set_influence(layer, np.ones(1))
    old = actions.by_identifier(layer.curves)
    length = max(frames, round(layer.strip.frame_end - layer.strip.frame_start) + 1)
    by_name = {channel.identifier: channel for channel in channels}
    merged = []
    for name in by_name.keys() | old.keys():
        new, curve = by_name.get(name), old.get(name)
        samples = actions.sample(curve, length) if curve is not None else np.zeros(length)
        if new is not None:
            samples[:frames] += new.samples
        path, index = (new.path, new.index) if new is not None else (curve.data_path, curve.array_index)
        tolerance = _finer(new.tolerance if new is not None else 1e-4, samples)
        merged.append(Channel(path, index, samples, tolerance))
    layers.place(layer, speech.start, length)
    actions.write(layer.curves, merged)
