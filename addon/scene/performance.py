"""What a character does: its bake as generated layers, its amounts, and edits of generated curves brought above."""

from __future__ import annotations

import functools
import json
import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import bpy
import numpy as np

from ...backend.makeittalk.exchange.amounts import HIGHEST
from ...backend.makeittalk.exchange.formats import Bake, Mesh
from .. import compat
from ..core import payload
from ..core.errors import AddonError
from . import actions, layers, merge, rig, shape_keys, upgrade
from .actions import Channel
from .layers import Part

_Arrays = TypeVar("_Arrays", Bake, Mesh)
_PIXEL_TOLERANCE = 0.05  # px at 256 px face width: what leaving keys out may cost one shape key or head channel
_EASE = 0.25  # s in which a speech among several comes from rest and goes there
AMOUNTS = "makeittalk"  # the data path of a rig's amounts


@dataclass
class Share:
    """What one part of a bake moves.

    Attributes:
        owner: the rig or the mesh's shape keys. part: which. channels: at amount 1, all of one length.
    """

    owner: bpy.types.ID
    part: Part
    channels: list[Channel]


def write(character: bpy.types.Collection, bake_path: Path, speech: bpy.types.PropertyGroup | None = None) -> None:
    """Writes a bake into the generated layers of a speech. Whatever the animator keyed stays; edits of the generated
    curves are brought above them first. Shape keys that somebody has deleted are left out.

    Args:
        speech: one of the character's, by default the current one.

    Raises:
        MakeItTalkError: the file is damaged or of another character; nothing was changed.
    """
    bake, kept = Bake.load(bake_path), payload.pack(bake_path)
    mesh = _mesh(character)
    if [str(name) for name in bake.key_names] != [str(name) for name in mesh.key_names]:
        raise AddonError(f"The motion is of another character than {character.name}.", "Run Make It Talk again.")
    _write(character, speech or character.makeittalk.current, bake, kept)


def _write(character: bpy.types.Collection, speech: bpy.types.PropertyGroup, bake: Bake, kept: str) -> None:
    settings = character.makeittalk
    keys = _keys(character)
    rig.head_bone(settings.rig)
    for owner in (settings.rig, keys):
        layers.take_over(owner, character.name)
    if settings.merged:
        split(character)
    bring_up(character)
    for owner in owners_of(character):
        channels = upgrade.edits(character, owner, bake, rig.head_bone(settings.rig))
        if channels:
            _add_to_edits(character, speech, owner, channels)
        upgrade.drop(owner)
    speech.baked = ""
    _write_layers(character, speech, bake)
    speech.bake_data = kept
    speech.fps, speech.frames = bake.fps, bake.frames
    speech.residual = float(bake.residual.max())
    layers.prepare_own_layer(settings.rig, keys, character.name)


def merge_layers(character: bpy.types.Collection) -> None:
    """Puts one ordinary action in the place of the layers and of all that lies on them.

    Raises:
        AddonError: nothing of the character moves.
    """
    merge.merge(character, owners_of(character), bpy.context.scene, tolerances(character))


def split(character: bpy.types.Collection) -> None:
    """Gives a merged character its layers again, below what its action says beyond them.

    Raises:
        AddonError: the file keeps no bake.
    """
    bakes = [(speech, baked(speech)) for speech in character.makeittalk.speeches]
    bakes = [(speech, bake) for speech, bake in bakes if bake is not None]
    if not bakes:
        raise AddonError(f"{character.name} keeps nothing to make layers of.", "Run Make It Talk again.")
    generated = {
        channel.identifier for _, bake in bakes for share in _shares(character, bake) for channel in share.channels
    }

    def write_layers() -> None:
        for speech, bake in bakes:
            _write_layers(character, speech, bake)

    merge.split(
        *(character, owners_of(character), bpy.context.scene, generated, tolerances(character)),
        write_layers,
    )


def tolerances(character: bpy.types.Collection) -> dict[str, float]:
    """What leaving keys out may cost each shape key and each channel of the head: identifier → in the value's unit."""
    settings = character.makeittalk
    root, keys = owners_of(character)
    allowance, head = _allowance(settings), rig.head_bone(root)
    found = {
        f'key_blocks["{bpy.utils.escape_identifier(name)}"].value[0]': allowance / max(distance, 1e-6)
        for name, distance in shape_keys.reach(keys).items()
    }
    for axis in range(3):
        found[f"{rig.head_path('location', head)}[{axis}]"] = allowance
        found[f"{rig.head_path('rotation_euler', head)}[{axis}]"] = allowance / _lever(root)
    return found


def _write_layers(character: bpy.types.Collection, speech: bpy.types.PropertyGroup, bake: Bake) -> None:
    """Writes a bake into the generated layers of a speech, which are made where there are none."""
    for share in _shares(character, bake):
        layer = _layer(share.owner, share.part, speech)
        frames = len(share.channels[0].samples)
        if layer is None:
            identity = "" if share.part == layers.REST else speech.uid
            layer = layers.new_layer(share.owner, share.part, character.name, speech.start, frames, identity)
        else:
            layers.own_action(layer)
        layers.place(layer, speech.start, frames, _ease(character, share.part))
        _write_layer(character, layer, share)


def remove(character: bpy.types.Collection, speech: bpy.types.PropertyGroup) -> None:
    """Takes the generated layers of a speech away, and the edits of them; what the animator keyed stays."""
    for owner in owners_of(character):
        layers.leave_tweak_mode(owner)
        for layer in [layer for layer in layers.layers(owner) if layer.speech == speech.uid]:
            action = layer.action
            owner.animation_data.nla_tracks.remove(layer.track)
            if action.users == 0:
                bpy.data.actions.remove(action)


def apply_amounts(character: bpy.types.Collection) -> bool:
    """Lets the generated layers count as the character's amounts say, without another bake.

    Returns:
        False where the character is from an older file, whose amounts show after the next bake.
    """
    owners = owners_of(character)
    if any(layers.is_override(owner) and not _layer(owner, layers.BASE) for owner in owners):
        for speech in character.makeittalk.speeches:
            bake = baked(speech)
            if bake is not None:
                _write(character, speech, bake, speech.bake_data)
    by_name = {part.name: part for part in (*layers.FACE, *layers.HEAD)}
    for owner in owners:
        for layer in list(layers.layers(owner)):
            part = by_name.get(layer.part)
            if part is None:
                continue
            wanted = strength(character, part, layer)
            gain = max(1.0, float(wanted.max()))
            if abs(gain - layer.gain) > 1e-6:
                bring_up(character)
                layers.own_action(layer)
                _rescale(character, layer, part, gain)
            layers.set_influence(layer, wanted / gain)
    return not any(upgrade.legacy_layer(owner) for owner in owners)


def ease_gaps(character: bpy.types.Collection) -> None:
    """Lets every speech come from rest and go to rest where there are several, and stay where there is one."""
    for speech in character.makeittalk.speeches:
        for owner in owners_of(character):
            for layer in layers.layers(owner):
                if layer.speech == speech.uid and layer.part != layers.EDITS.name:
                    part = Part(layer.part)
                    layers.place(layer, speech.start, speech.frames, _ease(character, part))
    apply_amounts(character)


def strength(character: bpy.types.Collection, part: Part, layer: layers.Layer) -> np.ndarray:
    """How much of a part shows: (1,) for the whole strip, or (N,), one for each of its frames, where that changes."""
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
    speech = next((item for item in character.makeittalk.speeches if item.uid == layer.speech), None)
    return found if speech is None or part == layers.REST else found * _window(character, speech, layer, frames)


def _window(
    character: bpy.types.Collection, speech: bpy.types.PropertyGroup, layer: layers.Layer, frames: np.ndarray
) -> np.ndarray:
    """How much of a speech counts on each frame: all of it, but nothing of what its strip hides, and of several
    speeches each comes from rest and goes there."""
    several = len(character.makeittalk.speeches) > 1
    number = frames - layers.begin(layer)  # of the speech's frames
    ease = max(1, round(_EASE * speech.fps))
    edge = np.full(len(frames), np.inf)
    if several or speech.cut_before:
        edge = np.minimum(edge, number - speech.cut_before + ease)
    if several or speech.cut_behind:
        edge = np.minimum(edge, speech.frames - 1 - speech.cut_behind - number + ease)
    if np.isinf(edge).all():
        return np.ones(1)
    along = np.clip(edge / ease, 0.0, 1.0)
    return along * along * (3.0 - 2.0 * along)


def _ease(character: bpy.types.Collection, part: Part) -> int:
    """Frames in which a part comes from rest and goes there, before and behind a speech of several."""
    if len(character.makeittalk.speeches) < 2 or part == layers.REST:
        return 0
    return max(1, round(_EASE * character.makeittalk.current.fps))


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


def move(character: bpy.types.Collection, speech: bpy.types.PropertyGroup, frames: float) -> None:
    """Shifts what a character does in a speech in time: what is generated, and what the animator made of it.

    Where there are several speeches, of the animator's keys those move that lie within this one.
    """
    several = len(character.makeittalk.speeches) > 1
    first, last = speech.placed, speech.placed + speech.frames - 1
    for owner in owners_of(character):
        layers.leave_tweak_mode(owner)
        moved = set()
        generated = {layer.strip: layer for layer in layers.layers(owner)}
        for track in owner.animation_data.nla_tracks if owner.animation_data is not None else ():
            for strip in sorted(track.strips, key=lambda strip: strip.frame_start, reverse=frames > 0):
                layer = generated.get(strip)
                own = layer is not None and layer.speech in ("", speech.uid)
                within = layer is None and first <= strip.frame_start and strip.frame_end <= last
                if own or within or not several:
                    layers.shift(strip, frames)
                    moved.add(strip.action)
        if owner.animation_data is not None and owner.animation_data.action not in moved:
            span = (first, last) if several else (-math.inf, math.inf)
            actions.move(compat.assigned_curves(owner), frames, span)
    if several:
        apply_amounts(character)


def bring_up(character: bpy.types.Collection) -> list[str]:
    """Takes what somebody changed in the generated curves up into a layer of its own above them, as differences.

    Returns:
        The identifiers of those curves.
    """
    found: list[str] = []
    for speech in character.makeittalk.speeches:
        bake = baked(speech)
        for share in _shares(character, bake) if bake is not None else ():
            layers.leave_tweak_mode(share.owner)
            layer = _layer(share.owner, share.part, speech)
            if layer is None:
                continue
            names = actions.changed(layer.curves, str(layer.action.get(layers.BAKED, "")))
            if not names:
                continue
            found += names
            edited = [channel for channel in _differences(layer, share, names) if channel.samples.any()]
            if edited:
                _add_to_edits(character, speech, share.owner, edited)
            _write_layer(character, layer, share)
    return found


def pending(character: bpy.types.Collection) -> list[tuple[bpy.types.ID, layers.Layer, Channel]]:
    """What somebody has changed in the generated curves since they were written: datablock, layer, and the change of
    one curve as differences at the layer's influence, one a frame of the strip."""
    changed = {
        (owner.name, layer.key): actions.changed(layer.curves, str(layer.action[layers.BAKED]))
        for owner in owners_of(character)
        for layer in layers.layers(owner)
        if layers.BAKED in layer.action
    }
    if not any(changed.values()):
        return []
    found = []
    for speech in character.makeittalk.speeches:
        bake = baked(speech)
        for share in _shares(character, bake) if bake is not None else ():
            layer = _layer(share.owner, share.part, speech)
            names = changed.pop((share.owner.name, layer.key), None) if layer is not None else None
            if layer is not None and names:
                found += [(share.owner, layer, channel) for channel in _differences(layer, share, names)]
    return found


def restore(character: bpy.types.Collection, layer: layers.Layer, change: Channel, left: np.ndarray) -> None:
    """Takes a change of a generated curve back, or a part of it.

    Args:
        change: as `pending` answers it. left: (N,) what of the differences stays, at the layer's influence.
    """
    bakes = [baked(speech) for speech in character.makeittalk.speeches if layer.speech in ("", speech.uid)]
    share = next(share for share in _shares(character, bakes[0]) if share.part.name == layer.part)
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


def baked(speech: bpy.types.PropertyGroup) -> Bake | None:
    """The bake that the generated layers of a speech were written from, or None where the file keeps none."""
    text = speech.bake_data
    return _unpacked(Bake, text) if text else None


@functools.lru_cache(maxsize=4)
def _unpacked(kind: type[_Arrays], text: str) -> _Arrays:
    with tempfile.TemporaryDirectory(prefix="makeittalk_") as folder:
        path = Path(folder) / "kept.npz"
        payload.unpack(text, path)
        return kind.load(path)


def _keys(character: bpy.types.Collection) -> bpy.types.Key:
    settings = character.makeittalk
    body = settings.body
    if body is not None and body.override_library is not None and body.data.library is not None:
        body.data.override_create(remap_local_usages=True)  # shape keys belong to the mesh
    keys = body.data.shape_keys if body is not None else None
    if keys is None or settings.rig is None:
        raise AddonError(f"{character.name} has lost its mesh or its rig.", "Undo that, or run Make It Talk again.")
    return keys


def _mesh(character: bpy.types.Collection) -> Mesh:
    """What the character's mesh was made from."""
    return _unpacked(Mesh, character.makeittalk.mesh_data)


def _layer(owner: bpy.types.ID, part: Part, speech: bpy.types.PropertyGroup | None = None) -> layers.Layer | None:
    """The layer of a part, of a speech where it is one's."""
    identities = ("",) if speech is None or part == layers.REST else (speech.uid,)
    found = (layer for layer in layers.layers(owner) if layer.part == part.name and layer.speech in identities)
    return next(found, None)


def _shares(character: bpy.types.Collection, bake: Bake) -> Iterator[Share]:
    """The parts of a bake, at amount 1."""
    root, keys = owners_of(character)
    allowance = _allowance(character.makeittalk)
    # A key at value 1 moves some vertex the furthest; its tolerance is the value that moves it by the allowance.
    reach = shape_keys.reach(keys)
    first_names = [str(name) for name in bake.key_names]
    names = shape_keys.current_names(keys, first_names, lambda: _mesh(character))
    parts = (
        (layers.REST, bake.rest_values[None]),
        (layers.LIPS, bake.lip_values),
        (layers.EXPRESSION, bake.expression_values),
        (layers.BLINKS, bake.blink_values),
        (layers.GAZE, np.zeros_like(bake.blink_values) if bake.gaze_values is None else bake.gaze_values),
    )
    for part, values in parts:
        channels = [
            Channel(
                f'key_blocks["{bpy.utils.escape_identifier(name)}"].value',
                0,
                values[:, column],
                allowance / max(reach[name], 1e-6),
            )
            for column, name in enumerate(map(names.get, first_names))
            if name is not None and values[:, column].any()
        ]
        if channels:
            yield Share(keys, part, channels)
    head, radian = rig.head_bone(root), allowance / _lever(root)
    turns = [
        Channel(rig.head_path("rotation_euler", head), axis, bake.head_rotation[:, axis], radian) for axis in range(3)
    ]
    for part, channel in zip((layers.NOD, layers.TURN, layers.TILT), turns, strict=True):
        yield Share(root, part, [channel])
    moves = [
        Channel(rig.head_path("location", head), axis, bake.head_location[:, axis], allowance) for axis in range(3)
    ]
    yield Share(root, layers.SWAY, moves)


def _allowance(settings: bpy.types.PropertyGroup) -> float:
    """What leaving keys out may move anything by, Blender units."""
    return _PIXEL_TOLERANCE * settings.face_width / 256.0 / settings.image_size[1]


def _lever(root: bpy.types.Object) -> float:
    """What a radian of the head moves at the top of the face."""
    return root.data.bones[rig.head_bone(root)].length


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
        speech = next(item for item in character.makeittalk.speeches if item.uid == layer.speech)
        bake = baked(speech)
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
        if channel is None and curve is None:  # of a key or a bone that has another name now, or is gone
            continue
        before = np.minimum(channel.samples * layer.gain, share.part.most) if channel is not None else np.zeros(frames)
        now = actions.sample(curve, frames) if curve is not None else np.zeros(frames)
        path, index = (channel.path, channel.index) if channel is not None else (curve.data_path, curve.array_index)
        difference = influence * (now - before)
        # What key reduction leaves of the prediction is nobody's edit.
        tolerance = channel.tolerance if channel is not None else 1e-4
        difference[np.abs(difference) <= 1.5 * tolerance * layer.gain] = 0.0
        found.append(Channel(path, index, difference, tolerance))
    return found


def _add_to_edits(
    character: bpy.types.Collection, speech: bpy.types.PropertyGroup, owner: bpy.types.ID, channels: list[Channel]
) -> None:
    """Adds differences to the layer that holds those of former times."""
    frames = len(channels[0].samples)
    layer = _layer(owner, layers.EDITS, speech)
    if layer is None:
        layer = layers.new_layer(owner, layers.EDITS, character.name, speech.start, frames, speech.uid)
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
        tolerance = new.tolerance if new is not None else 1e-4
        written.append(Channel(path, index, samples, tolerance))
    layers.place(layer, speech.start, length)
    actions.write(layer.curves, written)
