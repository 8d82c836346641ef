"""How much of each generated part shows on each frame: amounts, what holds it back, where a speech comes and goes."""

from __future__ import annotations

import math

import bpy
import numpy as np

from ...backend.makeittalk.exchange.amounts import HIGHEST
from . import actions, amount_curves, layers
from .actions import Channel
from .bakes import Share
from .layers import Part

AMOUNTS = "makeittalk"  # the data path of a rig's amounts
_EASE = 0.25  # s in which a speech among several comes from rest and goes there


def strength(character: bpy.types.Collection, part: Part, layer: layers.Layer) -> np.ndarray:
    """How much of a part shows: (1,) for the whole strip, or (N,), one for each of its frames, where that changes."""
    rig_object = character.makeittalk.rig
    frames = np.arange(math.floor(layer.strip.frame_start), math.ceil(layer.strip.frame_end) + 1)
    found = np.ones(1)
    for name in part.amounts:
        keyed = amount_curves.evaluate(rig_object, name, frames)
        found = found * (getattr(rig_object.makeittalk, name) if keyed is None else np.clip(keyed, 0.0, HIGHEST))
    held = amount_curves.evaluate(rig_object, part.held_by, frames) if part.held_by else None
    if held is not None:
        found = found * (1.0 - np.clip(held, 0.0, 1.0))
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


def ease(character: bpy.types.Collection, part: Part) -> int:
    """Frames in which a part comes from rest and goes there, before and behind a speech of several."""
    if len(character.makeittalk.speeches) < 2 or part == layers.REST:
        return 0
    return max(1, round(_EASE * character.makeittalk.current.fps))


def write_layer(character: bpy.types.Collection, layer: layers.Layer, share: Share) -> None:
    wanted = strength(character, share.part, layer)
    gain = max(1.0, float(wanted.max()))
    channels = [
        Channel(c.path, c.index, np.minimum(c.samples * gain, share.part.most), c.tolerance) for c in share.channels
    ]
    actions.write(layer.curves, channels, character.makeittalk.every_frame)
    action = layer.action
    action[layers.GAIN], action[layers.BAKED] = gain, actions.fingerprints(layer.curves)
    layers.set_influence(layer, wanted / gain)
