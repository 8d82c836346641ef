"""Characters of files from before there were layers: one active action held what was generated and what was edited.

Opened, such an action becomes a generated strip as it is, so that the character moves as before, and curves that were
nobody's prediction go on top. The first bake after that replaces the strip; what an edited curve says beyond the
prediction is brought above it.
"""

from __future__ import annotations

import contextlib

import bpy
import numpy as np

from ...backend.makeittalk.exchange import bounded_json
from ...backend.makeittalk.exchange.amounts import Amounts
from ...backend.makeittalk.exchange.formats import Bake
from .. import compat
from . import actions, curve_data, layers, parts, rig, shape_keys, speech, strips
from .actions import Channel
from .layers import Part

LEGACY = Part("Before Layers")


def bring_up_to_date(character: bpy.types.Collection) -> bool:
    """Gives a character of an older file its layers; says whether there was anything to do."""
    settings = character.makeittalk
    _identify(character)
    known = _known(settings.baked)
    if not known or settings.bake_data or settings.rig is None or settings.body is None:
        return False
    keys = settings.body.data.shape_keys
    for name in ("lip", "head", "blink"):
        amount = compat.stored(settings, name)
        if amount is not None:
            _take(settings.rig.makeittalk, name, amount)
    done = False
    for kind, owner in (("head", settings.rig), ("face", keys)):
        if owner is None or any(True for _ in layers.layers(owner)):
            continue
        done |= _lay_down(character, owner, known[kind])
    if done:
        layers.prepare_own_layer(settings.rig, keys, character.name)
    return done


def _identify(character: bpy.types.Collection) -> None:
    """Marks the parts and the strips of a character, which older files know by pointers and names."""
    settings = character.makeittalk
    if not len(settings.speeches):
        _take_speech(character)
    if settings.rig_pointer is not None:
        return
    for name in parts.ALL:
        item = compat.stored(settings, name)
        if item is not None:
            _take(settings, name, item)
    root = settings.rig
    if root is not None and rig.HEAD in root.data.bones:
        parts.mark(root.data.bones[rig.HEAD], rig.HEAD)
    for scene in bpy.data.scenes:
        if character not in scene.collection.children_recursive:
            continue
        for name in ("strip", "photo_strip"):
            strip = (compat.sequencer_strips(scene) or {}).get(getattr(settings, name))
            if strip is None:
                continue
            setattr(settings, name, strips.identity(strip))
            if name == "strip":
                settings.sound = strip.sound
                settings.strip_offset = round(compat.strip_begin(strip) - settings.placed)


def _take_speech(character: bpy.types.Collection) -> None:
    """Makes a speech of what older files say of the character itself."""
    settings = character.makeittalk
    placed = compat.stored(settings, "placed")
    spoken = speech.new(character, placed if isinstance(placed, int) else 0)
    _take(spoken, "recording", compat.stored(settings, "speech") or "")
    for item in spoken.bl_rna.properties:
        value = compat.stored(settings, item.identifier)
        if value is not None and item.identifier not in ("start", "placed", "uid", "name"):
            _take(spoken, item.identifier, value)


def _take(group: bpy.types.PropertyGroup, name: str, value: object) -> None:
    """Sets a property to what an older file says, where that can be its value."""
    with contextlib.suppress(TypeError, ValueError, AttributeError, OverflowError):
        setattr(group, name, value)


def legacy_layer(owner: bpy.types.ID) -> layers.Layer | None:
    """The strip that `bring_up_to_date` made, until a bake has replaced it."""
    return next((layer for layer in layers.layers(owner) if layer.part == LEGACY.name), None)


def edits(character: bpy.types.Collection, owner: bpy.types.ID, bake: Bake, head: str) -> list[Channel]:
    """What the edited curves of an older file say beyond the prediction.

    Args:
        bake: the same motion, baked at today's rate. head: the head bone's name.
    """
    settings, layer = character.makeittalk, legacy_layer(owner)
    if layer is None:
        return []
    kind = "face" if isinstance(owner, bpy.types.Key) else "head"
    known, curves = _known(settings.baked)[kind], actions.by_identifier(layer.curves)
    predicted = _predicted(character, bake, head)
    times = np.arange(bake.frames) * settings.fps / bake.fps  # frames of the old rate
    found = []
    for name, mark in known.items():
        curve = curves.get(name)
        if name not in predicted or (curve is not None and actions.same(actions.fingerprint(curve), mark)):
            continue
        says = np.array([curve.evaluate(time) for time in times]) if curve is not None else np.zeros(bake.frames)
        path, index = name[: name.rindex("[")], int(name[name.rindex("[") + 1 : -1])
        found.append(Channel(path, index, says - predicted[name], 1e-4))
    return found


def drop(owner: bpy.types.ID) -> None:
    """Takes the strip of an older file away, once a bake and its edits stand in its place."""
    layer = legacy_layer(owner)
    if layer is not None:
        layers.remove(owner, layer)


def _lay_down(character: bpy.types.Collection, owner: bpy.types.ID, known: dict[str, str]) -> bool:
    """Turns the action that holds the known curves into a strip of its own; other curves go into the animator's."""
    settings = character.makeittalk
    animation = owner.animation_data
    layers.leave_tweak_mode(owner)
    if animation is None:
        return False
    playing = actions.by_identifier(compat.assigned_curves(owner))
    if not known.keys() & playing.keys():
        return _take_pushed_down(owner, known)
    action, slot = animation.action, animation.action_slot if compat.SLOTTED_ACTIONS else None
    animation.action = None
    own = {name: curve for name, curve in playing.items() if name not in known}
    if own:
        compat.assign_action(owner, f"{character.name} Edits")
        target = compat.assigned_curves(owner)
        for name, curve in own.items():
            curve_data.copy(curve, target)
            holder = compat.action_curves(action, slot)
            holder.fcurves.remove(actions.by_identifier(holder)[name])
    actions.move(actions.by_identifier(compat.action_curves(action, slot)).values(), -settings.placed)
    action[layers.PART] = LEGACY.name
    track = animation.nla_tracks.new()
    track.name = f"MakeItTalk {LEGACY.name}"
    strip = track.strips.new(LEGACY.name, settings.placed, action)
    if slot is not None:
        strip.action_slot = slot
    strip.blend_type, strip.extrapolation = layers.blending(owner), "HOLD"
    layers.place(layers.Layer(LEGACY.name, "", track, strip), settings.placed, settings.frames)
    return True


def _take_pushed_down(owner: bpy.types.ID, known: dict[str, str]) -> bool:
    """Recognises the generated action where the animator has pushed it down into the NLA."""
    for track in owner.animation_data.nla_tracks:
        for strip in track.strips:
            if strip.action is not None and known.keys() & actions.by_identifier(compat.strip_curves(strip)).keys():
                strip.action[layers.PART] = LEGACY.name
                return True
    return False


def _predicted(character: bpy.types.Collection, bake: Bake, head: str) -> dict[str, np.ndarray]:
    """What the curves of an older file were without edits: identifier → (N,), at the character's amounts."""
    settings = character.makeittalk
    amounts = Amounts(settings.lip, settings.head, settings.blink, settings.smooth)
    values = bake.key_values(amounts)
    found = {f"{shape_keys.value_path(str(name))}[0]": values[:, column] for column, name in enumerate(bake.key_names)}
    for channel, samples in (("location", bake.head_location), ("rotation_euler", bake.head_rotation)):
        for axis in range(3):
            found[f"{rig.head_path(channel, head)}[{axis}]"] = amounts.head * samples[:, axis]
    return found


def _known(text: str) -> dict[str, dict[str, str]]:
    """Identifier → fingerprint of every generated curve, by the part that it belongs to; empty where it says none."""
    try:
        value = bounded_json.loads(text or "{}")
        found = {part: {str(k): str(v) for k, v in value.get(part, {}).items()} for part in ("face", "head")}
    except (ValueError, AttributeError):
        return {}
    return found if any(found.values()) else {}
