"""What a character does: its bakes as generated layers, its amounts, moved in time, merged into one action."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path

import bpy

from ...backend.makeittalk.exchange.formats import Bake
from .. import compat
from ..core import payload, regions
from ..core.errors import AddonError
from . import actions, amount_curves, bakes, base_layer, brought_up, layers, merge, rig, shown, upgrade
from .layers import Part
from .strength import ease, strength, write_layer


def write(character: bpy.types.Collection, bake_path: Path, speech: bpy.types.PropertyGroup | None = None) -> None:
    """Writes a bake into the generated layers of a speech. Whatever the animator keyed stays; edits of the generated
    curves are brought above them first. Shape keys that somebody has deleted are left out.

    Args:
        speech: one of the character's, by default the current one.

    Raises:
        MakeItTalkError: the file is damaged or of another character; nothing was changed.
    """
    bake, kept = Bake.load(bake_path), payload.pack(bake_path)
    mesh = bakes.mesh_of(character)
    if [str(name) for name in bake.key_names] != [str(name) for name in mesh.key_names]:
        raise AddonError(f"The motion is of another character than {character.name}.", "Run Make It Talk again.")
    _write(character, speech or character.makeittalk.current, bake, kept)


def _write(character: bpy.types.Collection, speech: bpy.types.PropertyGroup, bake: Bake, kept: str) -> None:
    settings = character.makeittalk
    keys = bakes.keys_of(character)
    if settings.merged and (layers.is_override(settings.rig) or layers.is_override(keys)):
        raise AddonError(f"{character.name} is merged into one action in its file.", "Split its layers there.")
    rig.head_bone(settings.rig)
    for owner in (settings.rig, keys):
        layers.take_over(owner, character.name)
    if settings.merged:
        split(character)
    brought_up.bring_up(character)
    for owner in bakes.owners_of(character):
        channels = upgrade.edits(character, owner, bake, rig.head_bone(settings.rig))
        if channels:
            brought_up.add_to_edits(character, speech, owner, channels)
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
    merge.merge(character, bakes.owners_of(character), bpy.context.scene, bakes.tolerances(character))


def split(character: bpy.types.Collection) -> None:
    """Gives a merged character its layers again, below what its action says beyond them.

    Raises:
        AddonError: the file keeps no bake.
    """
    kept = [(speech, bakes.baked(speech)) for speech in character.makeittalk.speeches]
    kept = [(speech, bake) for speech, bake in kept if bake is not None]
    if not kept:
        raise AddonError(f"{character.name} keeps nothing to make layers of.", "Run Make It Talk again.")
    generated = {
        channel.identifier for _, bake in kept for share in bakes.shares(character, bake) for channel in share.channels
    }

    def write_layers() -> None:
        for speech, bake in kept:
            _write_layers(character, speech, bake)

    merge.split(
        *(character, bakes.owners_of(character), bpy.context.scene, generated, bakes.tolerances(character)),
        write_layers,
    )
    apply_amounts(character)


def _write_layers(character: bpy.types.Collection, speech: bpy.types.PropertyGroup, bake: Bake) -> None:
    """Writes a bake into the generated layers of a speech, which are made where there are none; those that it says
    nothing of, as one without a blink, go."""
    with _rest_of_what_stops(bakes.keys_of(character)):
        _write_shares(character, speech, bake)


def _write_shares(character: bpy.types.Collection, speech: bpy.types.PropertyGroup, bake: Bake) -> None:
    base_layer.ensure(character, speech.start)
    written = {layers.EDITS.name}
    for share in bakes.shares(character, bake):
        written.add(share.part.name)
        layer = bakes.layer_of(share.owner, share.part, speech)
        frames = len(share.channels[0].samples)
        if layer is None:
            identity = "" if share.part == layers.REST else speech.uid
            layer = layers.new_layer(share.owner, share.part, character.name, speech.start, frames, identity)
        else:
            layers.own_action(layer)
        layers.place(layer, speech.start, frames, ease(character, share.part))
        write_layer(character, layer, share)
    for owner in bakes.owners_of(character):
        for layer in [layer for layer in layers.layers(owner) if layer.speech == speech.uid]:
            if layer.part not in written:
                layers.remove(owner, layer)


def remove(character: bpy.types.Collection, speech: bpy.types.PropertyGroup) -> None:
    """Takes the generated layers of a speech away, and the edits of them; what the animator keyed stays."""
    with _rest_of_what_stops(bakes.keys_of(character)):
        for owner in bakes.owners_of(character):
            layers.leave_tweak_mode(owner)
            for layer in [layer for layer in layers.layers(owner) if layer.speech == speech.uid]:
                layers.remove(owner, layer)


@contextlib.contextmanager
def _rest_of_what_stops(keys: bpy.types.Key) -> Iterator[None]:
    """Has shape keys that nothing moves any more go to 0: by themselves they stay where they were last seen."""
    before = shown.animated(keys).keys()
    yield
    for name in before - shown.animated(keys).keys():
        block = keys.key_blocks.get(regions.quoted(shown.path_and_index(name)[0]))
        if block is not None:
            block.value = 0.0


def apply_amounts(character: bpy.types.Collection) -> bool:
    """Lets the generated layers count as the character's amounts say, without another bake.

    Returns:
        False where the character is from an older file, whose amounts show after the next bake.
    """
    if character.makeittalk.merged:
        return True  # they act when it has layers again
    owners = bakes.owners_of(character)
    if any(layers.is_override(owner) and not bakes.layer_of(owner, layers.BASE) for owner in owners):
        for speech in character.makeittalk.speeches:
            bake = bakes.baked(speech)
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
                _rescale(character, layer, part, gain)
            layers.set_influence(layer, wanted / gain)
    return not any(upgrade.legacy_layer(owner) for owner in owners)


def ease_gaps(character: bpy.types.Collection) -> None:
    """Lets every speech come from rest and go to rest where there are several, and stay where there is one."""
    for speech in character.makeittalk.speeches:
        for owner in bakes.owners_of(character):
            for layer in layers.layers(owner):
                if layer.speech == speech.uid and layer.part != layers.EDITS.name:
                    part = Part(layer.part)
                    layers.place(layer, speech.start, speech.frames, ease(character, part))
    apply_amounts(character)


def follow_keyed_amounts(character: bpy.types.Collection) -> None:
    """Takes over what somebody has keyed of the amounts, or no longer keys; does nothing where nobody has."""
    if character.makeittalk.rig is None or character.makeittalk.body is None or not character.makeittalk.frames:
        return
    keyed = any(
        name.startswith(f"{amount_curves.AMOUNTS}.")
        for name in actions.by_identifier(compat.assigned_curves(character.makeittalk.rig))
    )
    if keyed or any(layers.is_keyed(layer) for owner in bakes.owners_of(character) for layer in layers.layers(owner)):
        apply_amounts(character)


def move(character: bpy.types.Collection, speech: bpy.types.PropertyGroup, frames: float) -> None:
    """Shifts what a character does in a speech in time: what is generated, and what the animator made of it.

    Where there are several speeches, of the animator's keys those move that lie within this one.
    """
    several = len(character.makeittalk.speeches) > 1
    first, last = speech.placed, speech.placed + speech.frames - 1
    for owner in bakes.owners_of(character):
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
            actions.move(actions.by_identifier(compat.assigned_curves(owner)).values(), frames, span)
    if several:
        apply_amounts(character)
    else:
        follow_keyed_amounts(character)


def _rescale(character: bpy.types.Collection, layer: layers.Layer, part: Part, gain: float) -> None:
    points = actions.read(layer.curves)
    if actions.changed(layer.curves, layers.baked(layer), points):
        brought_up.bring_up(character, {layer.key})
        points = actions.read(layer.curves)
    layers.own_action(layer)
    if math.isfinite(part.most):  # what is cut off cannot be multiplied back
        speech = next(item for item in character.makeittalk.speeches if item.uid == layer.speech)
        bake = bakes.baked(speech)
        share = next(item for item in bakes.shares(character, bake) if item.part == part) if bake is not None else None
        if share is not None:
            write_layer(character, layer, share)
            return
    actions.scale(layer.curves, points, gain / layer.gain)
    action = layer.action
    action[layers.GAIN], action[layers.BAKED] = gain, actions.fingerprints(layer.curves, points)
