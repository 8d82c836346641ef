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
GAIN = "makeittalk_gain"  # what its curves were multiplied with
BAKED = "makeittalk_baked"  # JSON: the fingerprint of every curve as it was written
_TRACK = "MakeItTalk"
_INFLUENCE_TOLERANCE = 2e-3


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


REST = Part("Rest")
LIPS = Part("Lips", ("lip",))
EXPRESSION = Part("Expression", ("head",))
BLINKS = Part("Blinks", ("blink",), most=1.0, held_by="eyes_open")
NOD = Part("Nod", ("head", "nod"), held_by="still")
TURN = Part("Turn", ("head", "turn"), held_by="still")
TILT = Part("Tilt", ("head", "tilt"), held_by="still")
SWAY = Part("Sway", ("head", "sway"), held_by="still")
FACE = (REST, LIPS, EXPRESSION, BLINKS)
HEAD = (NOD, TURN, TILT, SWAY)


@dataclass
class Layer:
    """One generated strip. `part` is the name of its Part."""

    part: str
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
    def gain(self) -> float:
        """What the curves were multiplied with."""
        return float(self.strip.action.get(GAIN, 1.0))


def layers(owner: bpy.types.ID) -> Iterator[Layer]:
    """The generated strips of a datablock, by whatever name and on whatever track."""
    animation = owner.animation_data
    for track in animation.nla_tracks if animation is not None else ():
        for strip in track.strips:
            if strip.action is not None and PART in strip.action:
                yield Layer(str(strip.action[PART]), track, strip)


def new_layer(owner: bpy.types.ID, part: Part, name: str, start: float, frames: int) -> Layer:
    """Gives a datablock an empty strip for a part, on a new track.

    Args:
        owner: a rig or a mesh's shape keys. name: of the character. start: frame of the first sample. frames: how many.
    """
    animation = owner.animation_data_create()
    action, slot = compat.new_action(owner, f"{name} {part.name}")
    action[PART] = part.name
    track = animation.nla_tracks.new()
    track.name = f"{_TRACK} {part.name}"
    strip = track.strips.new(part.name, math.floor(start), action)
    if slot is not None:
        strip.action_slot = slot
    strip.blend_type = blending(owner)
    strip.extrapolation = "HOLD"
    strip.use_animated_influence = True
    layer = Layer(part.name, track, strip)
    place(layer, start, frames)
    return layer


def place(layer: Layer, start: float, frames: int) -> None:
    """Has a strip play its action's frames 0 … frames − 1 from `start` on, as they are."""
    strip, last = layer.strip, float(max(1, frames - 1))
    strip.use_sync_length = False
    strip.action_frame_start, strip.action_frame_end = 0.0, last
    if start > strip.frame_start:  # the end first: a strip never ends before it begins
        strip.frame_end = start + last
        strip.frame_start = start
    else:
        strip.frame_start = start
        strip.frame_end = start + last
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
    action = layer.strip.action
    if action.users <= 1 + action.use_fake_user:
        return
    slot = layer.strip.action_slot.identifier if compat.SLOTTED_ACTIONS and layer.strip.action_slot else None
    copy = action.copy()
    layer.strip.action = copy
    if slot is not None:
        layer.strip.action_slot = copy.slots[slot]


def set_influence(layer: Layer, values: np.ndarray) -> None:
    """Lets a strip count for a share of 0–1: (1,) for all of it, or (N,), one for each of its frames."""
    curve = layer.strip.fcurves.find("influence")
    (keys,) = fit_keyframes(np.asarray(values)[:, None], np.array([_INFLUENCE_TOLERANCE]))
    keys.frames = keys.frames + math.floor(layer.strip.frame_start)
    actions.write_keys(curve, keys)


def is_keyed(layer: Layer) -> bool:
    """Whether a strip counts for more at one time than at another."""
    curve = layer.strip.fcurves.find("influence")
    return curve is not None and len(curve.keyframe_points) > 1


def influence(layer: Layer, frames: int) -> np.ndarray:
    """For how much a strip counts on each of its frames (frames,)."""
    curve, first = layer.strip.fcurves.find("influence"), layer.strip.frame_start
    return np.array([curve.evaluate(first + frame) for frame in range(frames)])


def blending(owner: bpy.types.ID) -> str:
    """How layers of a datablock come together: values add, rotations by quaternion are combined."""
    return "ADD" if isinstance(owner, bpy.types.Key) else "COMBINE"


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
