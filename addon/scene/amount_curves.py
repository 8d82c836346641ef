"""What somebody has keyed of an amount, in the action on top or in strips that it was pushed down into."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np

from .. import compat
from . import layers

AMOUNTS = "makeittalk"  # the data path of a rig's amounts


def evaluate(rig: bpy.types.Object, name: str, frames: np.ndarray) -> np.ndarray | None:
    """The values (N,) of an amount on frames of the scene, as Blender has them: what each curve says beyond the
    default adds up. None where it has no curve that plays."""
    default = rig.makeittalk.bl_rna.properties[name].default
    beyond = [
        np.array([curve.evaluate(time) for time in times]) - default
        for curve, times in _playing(rig, f"{AMOUNTS}.{name}", np.asarray(frames, float))
    ]
    return default + np.sum(beyond, axis=0) if beyond else None


def _playing(rig: bpy.types.Object, path: str, frames: np.ndarray) -> Iterator[tuple[bpy.types.FCurve, np.ndarray]]:
    """The curves of a property, each with the frames of its action (N,) that it plays."""
    animation = rig.animation_data
    if animation is None:
        return
    holder = compat.assigned_curves(rig)
    played = [(holder, frames)] if holder is not None else []
    for track in animation.nla_tracks:
        for strip in track.strips:
            if track.mute or strip.mute or strip.action is None or layers.PART in strip.action:
                continue
            inside = np.clip(frames, strip.frame_start, strip.frame_end)
            times = strip.action_frame_start + (inside - strip.frame_start) / strip.scale
            played.append((compat.strip_curves(strip), times))
    for curves, times in played:
        curve = curves.fcurves.find(path) if curves is not None else None
        if curve is not None and not curve.mute:
            yield curve, times
