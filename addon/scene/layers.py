"""The generated performance as NLA strips: what was predicted lies below, whatever the animator keys lies on top.

Each share of the performance that an amount scales is a strip with an action of its own, on a track of its own; the
values of all strips add up, and those of the animator's action are added last. A generated action is known by a custom
property, which renaming, copying, appending and saving leave alone; the active action is never taken for one.

An amount up to 1 is the strip's influence. One beyond is written into the curves: `GAIN` says what they were
multiplied with.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from .. import compat
from ..core.curve_fit import fit_keyframes
from . import actions

PART = "makeittalk_part"  # custom property of a generated action: the name of its Part
SPEECH = "makeittalk_speech"  # the identity of the speech that it belongs to
GAIN = "makeittalk_gain"  # what its curves were multiplied with
BAKED = "makeittalk_baked"  # JSON: the fingerprint of every curve as it was written
_TRACK = "MakeItTalk"
_INFLUENCE_TOLERANCE = 2e-3
_STRIP_SETTINGS = (
    *("blend_type", "extrapolation", "mute", "use_reverse", "use_sync_length", "blend_in", "blend_out"),
    *("action_frame_end", "action_frame_start", "action_frame_end"),  # whichever way one lies behind the other before
    *("repeat", "scale", "influence"),
)


@dataclass(frozen=True)
class Part:
    """A share of the performance.

    Attributes:
        name: what its track is called. amounts: properties of the character whose product scales it.
        most: what a scaled value stays below; a lid is no more than shut.
        held_by: property of the character that takes this share away where it is keyed, 0–1.
    """

    name: str
    amounts: tuple[str, ...] = ()
    most: float = math.inf
    held_by: str = ""


BASE = Part("Base")  # what lies below it counts no more: in an override, and where shape keys begin at 1
REST = Part("Rest")
LIPS = Part("Lips", ("lip",))
EXPRESSION = Part("Expression", ("head",))
BLINKS = Part("Blinks", ("blink",), most=1.0, held_by="eyes_open")
GAZE = Part("Gaze", ("gaze",), most=1.0)
NOD = Part("Nod", ("head", "nod"), held_by="still")
TURN = Part("Turn", ("head", "turn"), held_by="still")
TILT = Part("Tilt", ("head", "tilt"), held_by="still")
SWAY = Part("Sway", ("head", "sway"), held_by="still")
EDITS = Part("Edits of Generated Curves")
FACE = (REST, LIPS, EXPRESSION, BLINKS, GAZE)
HEAD = (NOD, TURN, TILT, SWAY)


@dataclass
class Layer:
    """One generated strip. `part` is the name of its Part, `speech` the identity of the speech that it belongs to."""

    part: str
    speech: str
    track: bpy.types.NlaTrack
    strip: bpy.types.NlaStrip

    @property
    def action(self) -> bpy.types.Action:
        """What the strip plays."""
        action = self.strip.action
        assert action is not None, "a layer is a strip that plays a generated action"
        return action

    @property
    def curves(self) -> Any:
        """What holds the action's `fcurves` and `groups`."""
        return compat.strip_curves(self.strip)

    @property
    def key(self) -> str:
        """What tells it from the other generated strips of its datablock."""
        return f"{self.part} {self.speech}"

    @property
    def gain(self) -> float:
        """What the curves were multiplied with."""
        value = self.action.get(GAIN, 1.0)
        known = isinstance(value, int | float) and math.isfinite(value) and value >= 1.0
        return float(value) if known else 1.0


def layers(owner: bpy.types.ID) -> Iterator[Layer]:
    """The generated strips of a datablock, by whatever name and on whatever track.

    Those that a library override has from its library are none: they cannot be written.
    """
    animation, overrides = owner.animation_data, is_override(owner)
    for track in animation.nla_tracks if animation is not None else ():
        for strip in track.strips:
            if strip.action is None or PART not in strip.action:
                continue
            if compat.strip_curves(strip) is None:
                continue  # it plays the curves of another datablock's, or none
            if not (overrides and strip.action.library is not None):
                yield Layer(str(strip.action[PART]), str(strip.action.get(SPEECH, "")), track, strip)


def baked(layer: Layer) -> str:
    """The fingerprints of a generated strip's curves as they were written."""
    return str(layer.action.get(BAKED, ""))


def new_layer(owner: bpy.types.ID, part: Part, name: str, start: float, frames: int, speech: str = "") -> Layer:
    """Gives a datablock an empty strip for a part, on a new track.

    Args:
        owner: a rig or a mesh's shape keys. name: of the character. start: frame of the first sample. frames: how many.
        speech: identity of the speech that it belongs to; empty for none in particular.
    """
    animation = owner.animation_data_create()
    action, slot = compat.new_action(owner, f"{name} {part.name}")
    action[PART], action[SPEECH] = part.name, speech
    track = animation.nla_tracks.new()
    track.name = f"{_TRACK} {part.name}"
    strip = track.strips.new(part.name, math.floor(start), action)
    if slot is not None:
        strip.action_slot = slot
    strip.blend_type = blending(owner)
    strip.extrapolation = "HOLD"
    strip.use_animated_influence = True
    layer = Layer(part.name, speech, track, strip)
    place(layer, start, frames)
    return layer


def remove(owner: bpy.types.ID, layer: Layer) -> None:
    """Takes a generated strip away with its track, and its action where nothing else plays that."""
    action = layer.action
    owner.animation_data.nla_tracks.remove(layer.track)
    if action.users == 0:
        bpy.data.actions.remove(action)


def place(layer: Layer, start: float, frames: int, ease: int = 0) -> None:
    """Has a strip play its action's frames 0 … frames − 1 from `start` on, as they are.

    Args:
        ease: frames before and behind them that the strip covers as well, to come and go.
    """
    strip, last = layer.strip, float(max(1, frames - 1))
    strip.use_sync_length = False
    strip.action_frame_start, strip.action_frame_end = float(-ease), last + ease
    if start - ease > strip.frame_start:  # the end first: a strip never ends before it begins
        strip.frame_end = start + last + ease
        strip.frame_start = start - ease
    else:
        strip.frame_start = start - ease
        strip.frame_end = start + last + ease
    strip.repeat = strip.scale = 1.0
    strip.use_reverse = False


def shift(strip: bpy.types.NlaStrip, frames: float) -> None:
    """Moves a strip in time; its length stays."""
    first, last = strip.frame_start + frames, strip.frame_end + frames
    if frames > 0:
        strip.frame_end, strip.frame_start = last, first
    else:
        strip.frame_start, strip.frame_end = first, last


def own_action(layer: Layer) -> None:
    """Gives a strip an action of its own where a copied object's strip plays it too."""
    owner, action = layer.strip.id_data, layer.action
    tweaked = owner.animation_data.use_tweak_mode and owner.animation_data.action == action
    if action.users <= 1 + action.use_fake_user + tweaked:
        return
    leave_tweak_mode(owner)  # in which a strip's action cannot be another one
    slot = layer.strip.action_slot.identifier if compat.SLOTTED_ACTIONS and layer.strip.action_slot else None
    copy = action.copy()
    layer.strip.action = copy
    if slot is not None:
        layer.strip.action_slot = copy.slots[slot]


def set_influence(layer: Layer, values: np.ndarray) -> None:
    """Lets a strip count for a share of 0–1: (1,) for all of it, or (N,), one for each of its frames."""
    (keys,) = fit_keyframes(np.asarray(values)[:, None], np.array([_INFLUENCE_TOLERANCE]))
    keys.frames = keys.frames + math.floor(layer.strip.frame_start)
    strip = layer.strip
    if not is_override(strip.id_data):
        strip.use_animated_influence = True
        actions.write_keys(strip.fcurves.find("influence"), keys)
        return
    # The keys of a strip cannot be set in an override, only inserted.
    points = strip.fcurves.find("influence").keyframe_points
    points.clear()
    for frame, value in zip(keys.frames, keys.values, strict=True):
        points.insert(float(frame), float(value), options={"FAST"})
    strip.fcurves.find("influence").update()
    strip.id_data.update_tag()


def begin(layer: Layer) -> float:
    """The frame of the scene on which a strip plays frame 0 of its action."""
    return layer.strip.frame_start - layer.strip.action_frame_start


def is_keyed(layer: Layer) -> bool:
    """Whether a strip counts for more at one time than at another."""
    curve = layer.strip.fcurves.find("influence")
    return curve is not None and len(curve.keyframe_points) > 1


def influence(layer: Layer, frames: int) -> np.ndarray:
    """For how much a strip counts on each of its action's frames from 0 on (frames,)."""
    curve, first = layer.strip.fcurves.find("influence"), begin(layer)
    if curve is None:
        return np.full(frames, layer.strip.influence)
    return np.array([curve.evaluate(first + frame) for frame in range(frames)])


def blending(owner: bpy.types.ID) -> str:
    """How layers of a datablock come together: values add, rotations by quaternion are combined."""
    return "ADD" if isinstance(owner, bpy.types.Key) else "COMBINE"


def is_override(owner: bpy.types.ID) -> bool:
    """Whether a datablock is a library override."""
    holder = owner.user if isinstance(owner, bpy.types.Key) else owner
    return holder.override_library is not None


def take_over(owner: bpy.types.ID, name: str) -> None:
    """Gives an override layers of its own, which can be written: what it has from its library is covered, and what
    lies there of the animator's is laid on top again. Does nothing where that is done, and to what is no override."""
    if not is_override(owner) or any(layer.part == BASE.name for layer in layers(owner)):
        return
    animation = owner.animation_data_create()
    inherited = list(animation.nla_tracks)
    covered: dict[str, tuple[str, int]] = {}
    for track in inherited:
        for strip in track.strips:
            for identifier, curve in actions.by_identifier(
                compat.strip_curves(strip) if strip.action else None
            ).items():
                covered[identifier] = curve.data_path, curve.array_index
    base = new_layer(owner, BASE, name, 0.0, 2)
    base.strip.blend_type = "REPLACE"
    actions.write(base.curves, [actions.Channel(*where, np.zeros(2), 1.0) for where in covered.values()])
    set_influence(base, np.ones(1))
    for track in inherited:
        for strip in track.strips:
            if strip.action is not None and (PART not in strip.action or strip.action[PART] == EDITS.name):
                _copy_strip(owner, track, strip)


def _copy_strip(owner: bpy.types.ID, track: bpy.types.NlaTrack, strip: bpy.types.NlaStrip) -> None:
    """Lays a strip of a library on a new track, with an action that can be edited."""
    slot = strip.action_slot.identifier if compat.SLOTTED_ACTIONS and strip.action_slot else None
    made = owner.animation_data.nla_tracks.new()
    made.name, made.mute = track.name, track.mute
    copy = made.strips.new(strip.name, math.floor(strip.frame_start), strip.action.copy())
    if slot is not None:
        copy.action_slot = copy.action.slots[slot]
    for setting in _STRIP_SETTINGS:
        setattr(copy, setting, getattr(strip, setting))
    if strip.frame_start > copy.frame_start:
        copy.frame_end, copy.frame_start = strip.frame_end, strip.frame_start
    else:
        copy.frame_start, copy.frame_end = strip.frame_start, strip.frame_end


def actions_of(owner: bpy.types.ID) -> set[bpy.types.Action]:
    """Every action that a datablock plays, by itself or by strips."""
    animation = owner.animation_data
    if animation is None:
        return set()
    found = {strip.action for track in animation.nla_tracks for strip in track.strips}
    return (found | {animation.action}) - {None}


def leave_tweak_mode(owner: bpy.types.ID) -> None:
    """Ends the editing of a strip's action, during which that is the active one."""
    animation = owner.animation_data
    if animation is not None and animation.use_tweak_mode:
        animation.use_tweak_mode = False


def prepare_own_layer(rig: bpy.types.Object, keys: bpy.types.Key, name: str) -> None:
    """Gives both datablocks an action of the animator's on top of what is generated: one action, a slot each.

    One that is there stays; it is added to what lies below.
    """
    shared = None
    for owner in (rig, keys):
        animation = owner.animation_data_create()
        animation.action_blend_type = blending(owner)
        animation.action_extrapolation = "HOLD"
        if animation.action is None and not animation.use_tweak_mode:
            shared = compat.assign_action(owner, f"{name} Edits", shared)
        elif animation.action is not None and animation.action.library is not None:  # of an override's library
            slot = animation.action_slot.identifier if compat.SLOTTED_ACTIONS and animation.action_slot else None
            animation.action = animation.action.copy()
            if slot is not None:
                animation.action_slot = animation.action.slots[slot]
