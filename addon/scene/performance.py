"""What a character does: its bake as generated layers, its amounts, and edits of generated curves brought above."""

from __future__ import annotations

import functools
import json
import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ...backend.makeittalk.exchange.amounts import HIGHEST
from ...backend.makeittalk.exchange.formats import Bake
from .. import compat
from ..core import payload
from ..core.errors import AddonError
from . import actions, layers, rig, shape_keys, upgrade
from .actions import Channel
from .layers import Part

_PIXEL_TOLERANCE = 0.05  # px at 256 px face width: what leaving keys out may cost one shape key or head channel
AMOUNTS = "makeittalk"  # the data path of a rig's amounts
EDITS = "Edits of Generated Curves"  # the part of the layer that holds what was brought up


@dataclass
class Share:
    """What one part of a bake moves.

    Attributes:
        owner: the rig or the mesh's shape keys. part: which. channels: at amount 1, all of one length.
    """

    owner: bpy.types.ID
    part: Part
    channels: list[Channel]


def write(character: bpy.types.Collection, bake_path: Path) -> None:
    """Writes a bake into the generated layers. Whatever the animator keyed stays; edits of the generated curves are
    brought above them first.

    Raises:
        MakeItTalkError: the file is damaged or of another character; nothing was changed.
    """
    settings = character.makeittalk
    bake, kept = Bake.load(bake_path), payload.pack(bake_path)
    keys = _keys(character)
    if any(str(name) not in keys.key_blocks for name in bake.key_names):
        raise AddonError(f"{character.name} has lost some of its shape keys.", "Run Make It Talk again.")
    bring_up(character)
    for owner in owners_of(character):
        channels = upgrade.edits(character, owner, bake, rig.HEAD_PATH)
        if channels:
            _add_to_edits(character, owner, channels, settings.start)
        upgrade.drop(owner)
    settings.baked = ""
    for share in _shares(character, bake):
        layer = _layer(share.owner, share.part)
        frames = len(share.channels[0].samples)
        if layer is None:
            layer = layers.new_layer(share.owner, share.part, character.name, settings.start, frames)
        else:
            layers.own_action(layer)
            layers.place(layer, settings.start, frames)
        _write_layer(character, layer, share)
    settings.bake_data = kept
    settings.fps, settings.frames = bake.fps, bake.frames
    settings.residual = float(bake.residual.max())
    layers.prepare_own_layer(settings.rig, keys, character.name)


def apply_amounts(character: bpy.types.Collection) -> bool:
    """Lets the generated layers count as the character's amounts say, without another bake.

    Returns:
        False where the character is from an older file, whose amounts show after the next bake.
    """
    owners = owners_of(character)
    for part, owner in [(part, owners[1]) for part in layers.FACE] + [(part, owners[0]) for part in layers.HEAD]:
        layer = _layer(owner, part)
        if layer is None:
            continue
        wanted = strength(character, part, layer)
        gain = max(1.0, float(wanted.max()))
        if abs(gain - layer.gain) > 1e-6:
            bring_up(character)
            layers.own_action(layer)
            _rescale(character, layer, part, gain)
        layers.set_influence(layer, wanted / gain)
    return not any(upgrade.legacy_layer(owner) for owner in owners)


def strength(character: bpy.types.Collection, part: Part, layer: layers.Layer) -> np.ndarray:
    """How much of a part shows: (1,) for the whole strip, or (N,), one for each of its frames, where that is keyed."""
    rig_object = character.makeittalk.rig
    curves = actions.by_identifier(compat.assigned_curves(rig_object))
    frames = np.arange(math.floor(layer.strip.frame_start), math.ceil(layer.strip.frame_end) + 1)
    found = np.ones(1)
    for name in part.amounts:
        curve = curves.get(f"{AMOUNTS}.{name}[0]")
        if curve is None or curve.mute:
            found = found * getattr(rig_object.makeittalk, name)
        else:
            found = found * np.clip([curve.evaluate(frame) for frame in frames], 0.0, HIGHEST)
    held = curves.get(f"{AMOUNTS}.{part.held_by}[0]") if part.held_by else None
    if held is not None and not held.mute:
        found = found * (1.0 - np.clip([held.evaluate(frame) for frame in frames], 0.0, 1.0))
    return found


def follow_keyed_amounts(character: bpy.types.Collection) -> None:
    """Takes over what somebody has keyed of the amounts, or no longer keys; does nothing where nobody has."""
    if character.makeittalk.rig is None or character.makeittalk.body is None or not character.makeittalk.frames:
        return
    keyed = any(
        name.startswith(f"{AMOUNTS}.")
        for name in actions.by_identifier(compat.assigned_curves(character.makeittalk.rig))
    )
    if keyed or any(layers.is_keyed(layer) for owner in owners_of(character) for layer in layers.layers(owner)):
        apply_amounts(character)


def move(character: bpy.types.Collection, frames: float) -> None:
    """Shifts everything that the character does in time: what is generated, and what the animator made of it."""
    for owner in owners_of(character):
        layers.leave_tweak_mode(owner)
        moved = set()
        for track in owner.animation_data.nla_tracks if owner.animation_data is not None else ():
            for strip in sorted(track.strips, key=lambda strip: strip.frame_start, reverse=frames > 0):
                layers.shift(strip, frames)
                moved.add(strip.action)
        if owner.animation_data is not None and owner.animation_data.action not in moved:
            actions.move(compat.assigned_curves(owner), frames)


def bring_up(character: bpy.types.Collection) -> list[str]:
    """Takes what somebody changed in the generated curves up into a layer of its own above them, as differences.

    Returns:
        The identifiers of those curves.
    """
    bake = baked(character)
    if bake is None:
        return []
    found: list[str] = []
    for share in _shares(character, bake):
        layers.leave_tweak_mode(share.owner)
        layer = _layer(share.owner, share.part)
        if layer is None:
            continue
        names = actions.changed(layer.curves, str(layer.strip.action.get(layers.BAKED, "")))
        if not names:
            continue
        found += names
        edited = _differences(layer, share, names)
        _add_to_edits(character, share.owner, edited, layer.strip.frame_start)
        _write_layer(character, layer, share)
    return found


def pending(character: bpy.types.Collection) -> list[tuple[bpy.types.ID, layers.Layer, Channel]]:
    """What somebody has changed in the generated curves since they were written: datablock, layer, and the change of
    one curve as differences at the layer's influence, one a frame of the strip."""
    bake = baked(character)
    changed = {
        (owner.name, layer.part): actions.changed(layer.curves, str(layer.action[layers.BAKED]))
        for owner in owners_of(character)
        for layer in layers.layers(owner)
        if layers.BAKED in layer.action
    }
    if bake is None or not any(changed.values()):
        return []
    found = []
    for share in _shares(character, bake):
        layer = _layer(share.owner, share.part)
        names = changed.get((share.owner.name, share.part.name))
        if layer is not None and names:
            found += [(share.owner, layer, channel) for channel in _differences(layer, share, names)]
    return found


def restore(character: bpy.types.Collection, layer: layers.Layer, change: Channel, left: np.ndarray) -> None:
    """Takes a change of a generated curve back, or a part of it.

    Args:
        change: as `pending` answers it. left: (N,) what of the differences stays, at the layer's influence.
    """
    bake = baked(character)
    share = next(share for share in _shares(character, bake) if share.part.name == layer.part)
    channel = next((item for item in share.channels if item.identifier == change.identifier), None)
    layers.own_action(layer)
    action = layer.action
    curve = actions.by_identifier(layer.curves).get(change.identifier)
    if channel is None:
        samples, tolerance = np.zeros(len(left)), change.tolerance
    else:
        samples, tolerance = np.minimum(channel.samples * layer.gain, share.part.most), channel.tolerance
    influence = layers.influence(layer, len(samples))
    samples = samples + np.where(influence > 1e-6, left / np.maximum(influence, 1e-6), 0.0)
    if channel is None and curve is not None and not left.any():
        layer.curves.fcurves.remove(curve)
        return
    written = actions.write_one(layer.curves, Channel(change.path, change.index, samples, tolerance))
    if not left.any():
        known = json.loads(str(action[layers.BAKED]))
        action[layers.BAKED] = json.dumps({**known, change.identifier: actions.fingerprint(written)})


def owners_of(character: bpy.types.Collection) -> tuple[bpy.types.Object, bpy.types.Key]:
    """What moves: the rig and the mesh's shape keys.

    Raises:
        AddonError: one of them has gone.
    """
    return character.makeittalk.rig, _keys(character)


def baked(character: bpy.types.Collection) -> Bake | None:
    """The bake that the generated layers were written from, or None where the file keeps none."""
    text = character.makeittalk.bake_data
    return _unpacked(text) if text else None


@functools.lru_cache(maxsize=4)
def _unpacked(text: str) -> Bake:
    with tempfile.TemporaryDirectory(prefix="makeittalk_") as folder:
        path = Path(folder) / "bake.npz"
        payload.unpack(text, path)
        return Bake.load(path)


def _keys(character: bpy.types.Collection) -> bpy.types.Key:
    settings = character.makeittalk
    keys = settings.body.data.shape_keys if settings.body is not None else None
    if keys is None or settings.rig is None:
        raise AddonError(f"{character.name} has lost its mesh or its rig.", "Run Make It Talk again.")
    return keys


def _layer(owner: bpy.types.ID, part: Part) -> layers.Layer | None:
    return next((layer for layer in layers.layers(owner) if layer.part == part.name), None)


def _shares(character: bpy.types.Collection, bake: Bake) -> Iterator[Share]:
    """The parts of a bake, at amount 1."""
    settings = character.makeittalk
    root, keys = owners_of(character)
    allowance = _PIXEL_TOLERANCE * settings.face_width / 256.0 / settings.image_size[1]  # Blender units
    # A key at value 1 moves some vertex the furthest; its tolerance is the value that moves it by the allowance.
    reach = shape_keys.reach(keys)
    names = [str(name) for name in bake.key_names]
    parts = (
        (layers.REST, bake.rest_values[None]),
        (layers.LIPS, bake.lip_values),
        (layers.EXPRESSION, bake.expression_values),
        (layers.BLINKS, bake.blink_values),
    )
    for part, values in parts:
        channels = [
            Channel(
                f'key_blocks["{bpy.utils.escape_identifier(name)}"].value',
                0,
                values[:, column],
                allowance / max(reach[name], 1e-6),
            )
            for column, name in enumerate(names)
            if values[:, column].any()
        ]
        if channels:
            yield Share(keys, part, channels)
    lever = root.data.bones[rig.HEAD].length  # what a radian moves at the top of the face
    turns = [
        Channel(rig.head_path("rotation_euler"), axis, bake.head_rotation[:, axis], allowance / lever)
        for axis in range(3)
    ]
    for part, channel in zip((layers.NOD, layers.TURN, layers.TILT), turns, strict=True):
        yield Share(root, part, [channel])
    moves = [Channel(rig.head_path("location"), axis, bake.head_location[:, axis], allowance) for axis in range(3)]
    yield Share(root, layers.SWAY, moves)


def _write_layer(character: bpy.types.Collection, layer: layers.Layer, share: Share) -> None:
    wanted = strength(character, share.part, layer)
    gain = max(1.0, float(wanted.max()))
    channels = [
        Channel(c.path, c.index, np.minimum(c.samples * gain, share.part.most), c.tolerance) for c in share.channels
    ]
    actions.write(layer.curves, channels, character.makeittalk.every_frame)
    action = layer.action
    action[layers.GAIN], action[layers.BAKED] = gain, actions.fingerprints(layer.curves)
    layers.set_influence(layer, wanted / gain)


def _rescale(character: bpy.types.Collection, layer: layers.Layer, part: Part, gain: float) -> None:
    if math.isfinite(part.most):  # what is cut off cannot be multiplied back
        bake = baked(character)
        share = next(item for item in _shares(character, bake) if item.part == part) if bake is not None else None
        if share is not None:
            _write_layer(character, layer, share)
            return
    for curve in layer.curves.fcurves:
        actions.scale(curve, gain / layer.gain)
    action = layer.action
    action[layers.GAIN], action[layers.BAKED] = gain, actions.fingerprints(layer.curves)


def _differences(layer: layers.Layer, share: Share, names: list[str]) -> list[Channel]:
    """What the changed curves say beyond what was written, at the layer's influence."""
    written = {channel.identifier: channel for channel in share.channels}
    curves = actions.by_identifier(layer.curves)
    frames = len(share.channels[0].samples)
    influence = layers.influence(layer, frames)
    found = []
    for name in names:
        channel, curve = written.get(name), curves.get(name)
        before = np.minimum(channel.samples * layer.gain, share.part.most) if channel is not None else np.zeros(frames)
        now = actions.sample(curve, frames) if curve is not None else np.zeros(frames)
        path, index = (channel.path, channel.index) if channel is not None else (curve.data_path, curve.array_index)
        difference = influence * (now - before)
        # What key reduction leaves of the prediction is nobody's edit.
        tolerance = channel.tolerance if channel is not None else 1e-4
        difference[np.abs(difference) <= 1.5 * tolerance * layer.gain] = 0.0
        found.append(Channel(path, index, difference, tolerance))
    return found


def _add_to_edits(character: bpy.types.Collection, owner: bpy.types.ID, channels: list[Channel], start: float) -> None:
    """Adds differences to the layer that holds those of former times."""
    frames = len(channels[0].samples)
    part = Part(EDITS)
    layer = _layer(owner, part)
    if layer is None:
        layer = layers.new_layer(owner, part, character.name, start, frames)
        layers.set_influence(layer, np.ones(1))
    old = actions.by_identifier(layer.curves)
    length = max(frames, round(layer.strip.frame_end - layer.strip.frame_start) + 1)
    by_name = {channel.identifier: channel for channel in channels}
    written = []
    for name in by_name.keys() | old.keys():
        new, curve = by_name.get(name), old.get(name)
        samples = actions.sample(curve, length) if curve is not None else np.zeros(length)
        if new is not None:
            samples[:frames] += new.samples
        path, index = (new.path, new.index) if new is not None else (curve.data_path, curve.array_index)
        written.append(Channel(path, index, samples, new.tolerance if new is not None else 1e-4))
    layers.place(layer, start, length)
    actions.write(layer.curves, written)
