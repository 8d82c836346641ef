"""How much of each generated part shows on each frame: amounts, what holds it back, where a speech comes and goes."""

from __future__ import annotations

import math

import bpy
import numpy as np

from ...backend.makeittalk.exchange.amounts import HIGHEST
from ..core.curve_fit import fit_keyframes, sample
from ..core.errors import AddonError
from . import actions, amount_curves, layers
from .actions import Channel
from .bakes import Share
from .layers import Part
from .shown import MOST_FRAMES

_EASE = 0.25  # s in which a speech among several comes from rest and goes there


def strength(character: bpy.types.Collection, part: Part, layer: layers.Layer) -> np.ndarray:
    """How much of a part shows: (1,) for the whole strip, or (N,), one for each of its frames, where that changes."""
    rig_object = character.makeittalk.rig
    first, last = layer.strip.frame_start, layer.strip.frame_end
    if not last - first <= MOST_FRAMES:  # NaN is not
        raise AddonError(f"A strip of {character.name} goes from frame {first:g} to {last:g}.", "Make it shorter.")
    frames = np.arange(math.floor(first), math.ceil(last) + 1)
    found = np.ones(1)
    for name in part.amounts:
        keyed = amount_curves.evaluate(rig_object, name, frames)
        found = found * (
            getattr(rig_object.makeittalk, name)
            if keyed is None
            else np.clip(np.nan_to_num(keyed, nan=1.0), 0.0, HIGHEST)
        )
    held = amount_curves.evaluate(rig_object, part.held_by, frames) if part.held_by else None
    if held is not None:
        found = found * (1.0 - np.clip(np.nan_to_num(held), 0.0, 1.0))
    speech = next((item for item in character.makeittalk.speeches if item.uid == layer.speech), None)
    return found if speech is None or part == layers.REST else found * _window(character, speech, layer, frames)


def _window(
    character: bpy.types.Collection, speech: bpy.types.PropertyGroup, layer: layers.Layer, frames: np.ndarray
) -> np.ndarray:
    """How much of a speech counts on each frame: all of it, but nothing of what its strip hides, and of several
    speeches each comes from rest and goes there."""
    several = len(character.makeittalk.speeches) > 1
    number = frames - layers.begin(layer)  # of the speech's frames
    length = _ease_frames(speech.fps)
    edge = np.full(len(frames), np.inf)
    if several or speech.cut_before:
        edge = np.minimum(edge, number - speech.cut_before + length)
    if several or speech.cut_behind:
        edge = np.minimum(edge, speech.frames - 1 - speech.cut_behind - number + length)
    if np.isinf(edge).all():
        return np.ones(1)
    along = np.clip(edge / length, 0.0, 1.0)
    return along * along * (3.0 - 2.0 * along)


def ease(character: bpy.types.Collection, part: Part) -> int:
    """Frames in which a part comes from rest and goes there, before and behind a speech of several."""
    if len(character.makeittalk.speeches) < 2 or part == layers.REST:
        return 0
    return _ease_frames(character.makeittalk.current.fps)


def _ease_frames(fps: float) -> int:
    return max(1, round(_EASE * fps))


def write_layer(character: bpy.types.Collection, layer: layers.Layer, share: Share) -> None:
    """Writes what a bake moves into its layer, as the amounts are."""
    wanted = strength(character, share.part, layer)
    gain = max(1.0, float(wanted.max()))
    fitted = [_fitted(channel, share.part, gain) for channel in share.channels]
    actions.write(layer.curves, [channel for channel, _factor in fitted], character.makeittalk.every_frame)
    factor = fitted[0][1]
    if factor != 1.0:
        actions.scale(layer.curves, actions.read(layer.curves), factor)
    action = layer.action
    action[layers.GAIN], action[layers.BAKED] = gain, actions.fingerprints(layer.curves)
    layers.set_influence(layer, wanted / gain)


def write_channel(layer: layers.Layer, channel: Channel, part: Part, every_frame: bool) -> bpy.types.FCurve:
    """Writes one channel as `write_layer` does, at the gain that its layer has, and returns the curve."""
    fitted, factor = _fitted(channel, part, layer.gain)
    curve = actions.write_one(layer.curves, fitted, every_frame)
    if factor != 1.0:
        points = actions.read(layer.curves)
        actions.scale(layer.curves, {channel.identifier: points[channel.identifier]}, factor)
    return curve


def written(channel: Channel, part: Part, gain: float, every_frame: bool) -> np.ndarray:
    """What the curve of a channel said when it was written, on each frame (N,)."""
    fitted, factor = _fitted(channel, part, gain)
    (keys,) = fit_keyframes(fitted.samples[:, None], np.array([fitted.tolerance]), every_frame)
    return factor * sample(keys, len(fitted.samples))


def _fitted(channel: Channel, part: Part, gain: float) -> tuple[Channel, float]:
    """What keys are fitted to, and what they are multiplied with afterwards: another gain leaves the same keys."""
    if math.isfinite(part.most):
        cut = np.minimum(channel.samples * gain, part.most)
        return Channel(channel.path, channel.index, cut, channel.tolerance), 1.0
    return channel, gain
