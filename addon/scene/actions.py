"""The predicted motion as F-curves, and the care that nobody's edits are lost."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from .. import compat
from ..core.curve_fit import Keys, fit_keyframes, handles

_BEZIER = 2  # Keyframe.interpolation
_ALIGNED = 3  # Keyframe.handle_left_type, handle_right_type


@dataclass
class Channel:
    """One curve to bake.

    Attributes:
        path: the F-curve's data path. index: its array index. group: the group it is shown in.
        samples: (N,) a value for each frame from the start frame on.
        tolerance: largest deviation that key reduction may cause, in the value's unit.
    """

    path: str
    index: int
    group: str
    samples: np.ndarray
    tolerance: float

    @property
    def identifier(self) -> str:
        return f"{self.path}[{self.index}]"


def bake(
    owner: bpy.types.ID,
    name: str,
    channels: list[Channel],
    start: float,
    baked: dict[str, str],
    overwrite: bool = False,
    every_frame: bool = False,
) -> tuple[dict[str, str], list[str]]:
    """Writes the channels into the owner's action; a curve that was changed since its last bake is left alone.

    Args:
        owner: the datablock that moves.
        name: name of the action, where one has to be made.
        channels: what to write.
        start: frame of the first sample.
        baked: identifier → fingerprint of every curve as it was last baked; empty for a first bake.
        overwrite: write over changed and removed curves too.
        every_frame: one key a frame.

    Returns:
        the new fingerprints of all baked curves, and the identifiers of the curves that were kept as edited.
    """
    kept = [] if overwrite else edited(owner, start, baked, channels)
    held = set(kept)
    writing = [channel for channel in channels if channel.identifier not in held]
    fingerprints = {identifier: baked.get(identifier, "") for identifier in kept}
    if not writing:
        return fingerprints, kept
    target = compat.assigned_curves(owner) or compat.new_action(owner, name)
    curves = {f"{curve.data_path}[{curve.array_index}]": curve for curve in target.fcurves}
    groups = {group.name: group for group in target.groups}
    samples = np.stack([channel.samples for channel in writing], axis=1)
    fitted = fit_keyframes(samples, np.array([channel.tolerance for channel in writing]), every_frame)
    for channel, keys in zip(writing, fitted, strict=True):
        curve = curves.get(channel.identifier)
        if curve is None:
            curve = target.fcurves.new(channel.path, index=channel.index)
            if channel.group not in groups:
                groups[channel.group] = target.groups.new(channel.group)
            curve.group = groups[channel.group]
        write_keys(curve, keys, start)
        fingerprints[channel.identifier] = fingerprint(curve, start)
    return fingerprints, kept


def write_keys(curve: bpy.types.FCurve, keys: Keys, start: float) -> None:
    """Replaces all keys of a curve; its modifiers and its group stay."""
    points = curve.keyframe_points
    points.clear()
    count = len(keys.frames)
    points.add(count)
    left, right = handles(keys)
    co = np.stack([keys.frames, keys.values], axis=-1)
    for array in (co, left, right):
        array[:, 0] += start
    points.foreach_set("co", co.astype(np.float32).reshape(-1))
    points.foreach_set("handle_left", left.astype(np.float32).reshape(-1))
    points.foreach_set("handle_right", right.astype(np.float32).reshape(-1))
    points.foreach_set("interpolation", np.full(count, _BEZIER, np.int32))
    points.foreach_set("handle_left_type", np.full(count, _ALIGNED, np.int32))
    points.foreach_set("handle_right_type", np.full(count, _ALIGNED, np.int32))
    points.foreach_set("select_control_point", np.zeros(count, bool))
    points.foreach_set("select_left_handle", np.zeros(count, bool))
    points.foreach_set("select_right_handle", np.zeros(count, bool))
    curve.update()


def edited(owner: bpy.types.ID, start: float, baked: dict[str, str], channels: Sequence[Channel] = ()) -> list[str]:
    """The identifiers of the curves that are no longer what was baked: changed, taken away, or made by hand.

    Args:
        owner: the datablock that moves.
        start: the character's start frame now; a bake that was moved as a whole is not an edit.
        baked: identifier → fingerprint, as `bake` returned it.
        channels: what is about to be written; a curve that is there already without a bake is somebody's own.
    """
    target = compat.assigned_curves(owner)
    present = {} if target is None else {f"{curve.data_path}[{curve.array_index}]": curve for curve in target.fcurves}
    changed = [
        identifier
        for identifier, known in baked.items()
        if identifier not in present or not same(fingerprint(present[identifier], start), known)
    ]
    return changed + [c.identifier for c in channels if c.identifier in present and c.identifier not in baked]


def fingerprint(curve: bpy.types.FCurve, start: float) -> str:
    """What tells whether an animator has changed a curve since: a hash and a sum over its handles, as text.

    Frames, values, interpolation, modifiers and mute enter the hash. Handles do not: Blender computes aligned ones
    anew, and differently in their last digits, whenever a curve is touched. `same` compares their sum with that
    much patience.
    """
    points = curve.keyframe_points
    count = len(points)
    co, left, right = (np.empty(count * 2, np.float32) for _ in range(3))
    points.foreach_get("co", co)
    points.foreach_get("handle_left", left)
    points.foreach_get("handle_right", right)
    kinds = np.empty(count, np.int32)
    points.foreach_get("interpolation", kinds)
    digest = hashlib.blake2b(digest_size=8)
    digest.update(np.round(co[0::2].astype(np.float64) - start, 3).tobytes())
    digest.update(co[1::2].tobytes())
    digest.update(kinds.tobytes())
    digest.update(repr([modifier.type for modifier in curve.modifiers]).encode())
    digest.update(b"muted" if curve.mute else b"")
    offsets = np.concatenate([left - co, right - co]).astype(np.float64)
    weights = 1.0 + np.modf(np.arange(len(offsets)) * 0.6180339887)[0]  # so that changes do not cancel
    return f"{digest.hexdigest()} {float(weights @ offsets):.9g} {float(np.abs(offsets).sum()):.9g}"


def same(one: str, other: str) -> bool:
    """Whether two fingerprints are of the same curve."""
    first, second = one.split(), other.split()
    if len(first) != 3 or len(second) != 3 or first[0] != second[0]:
        return False
    size = max(float(first[2]), float(second[2]), 1e-3)
    return all(abs(float(a) - float(b)) <= 2e-5 * size for a, b in zip(first[1:], second[1:], strict=True))


def move(owner: bpy.types.ID, frames: float) -> None:
    """Shifts every key of the owner's action by a number of frames."""
    target = compat.assigned_curves(owner)
    if target is None:
        return
    for curve in target.fcurves:
        points = curve.keyframe_points
        for name in ("co", "handle_left", "handle_right"):
            values = np.empty(len(points) * 2, np.float32)
            points.foreach_get(name, values)
            values[0::2] += frames
            points.foreach_set(name, values)
        curve.update()
