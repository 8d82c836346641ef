"""Predicted values as F-curves, and what tells whether somebody has changed one since."""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ...backend.makeittalk.exchange import bounded_json
from ..core import regions
from ..core.curve_fit import Keys, fit_keyframes, handles

_BEZIER = 2  # Keyframe.interpolation
_ALIGNED = 3  # Keyframe.handle_left_type, handle_right_type
_ONE_FRAME = 0.011  # frames: keys that lie closer count as one in Blender
_TIMES = ("co", "handle_left", "handle_right")


@dataclass
class Channel:
    """One curve to write.

    Attributes:
        path: the F-curve's data path. index: its array index.
        samples: (N,) a value for each frame, the first at frame 0.
        tolerance: largest deviation that key reduction may cause, in the value's unit.
    """

    path: str
    index: int
    samples: np.ndarray
    tolerance: float

    @property
    def identifier(self) -> str:
        return f"{self.path}[{self.index}]"

    @property
    def group(self) -> str:
        """The region that it moves, whose group it is shown in."""
        return regions.region(self.path)


def write(holder: Any, channels: Sequence[Channel], every_frame: bool = False) -> None:
    """Writes channels over whatever their curves were; curves of no channel are removed.

    Args:
        holder: what holds an action's `fcurves` and `groups`. channels: all of one length.
        every_frame: one key a frame instead of the fewest.
    """
    channels = sorted(channels, key=lambda channel: regions.ORDER.index(channel.group))
    order = list(dict.fromkeys(channel.group for channel in channels))
    if [group.name for group in holder.groups] != order:  # groups are shown in the order in which they were made
        for curve in list(holder.fcurves):
            holder.fcurves.remove(curve)
        for group in list(holder.groups):
            holder.groups.remove(group)
    curves = by_identifier(holder)
    wanted = {channel.identifier for channel in channels}
    for identifier in curves.keys() - wanted:
        holder.fcurves.remove(curves[identifier])
    if channels:
        add(holder, channels, every_frame)


def add(holder: Any, channels: Sequence[Channel], every_frame: bool = False) -> list[bpy.types.FCurve]:
    """Writes channels over whatever their curves were; other curves stay.

    Args: as `write` has them.

    Returns:
        The channels' curves.
    """
    channels = sorted(channels, key=lambda channel: regions.ORDER.index(channel.group))
    curves, groups = by_identifier(holder), {group.name: group for group in holder.groups}
    samples = np.stack([channel.samples for channel in channels], axis=1)
    fitted = fit_keyframes(samples, np.array([channel.tolerance for channel in channels]), every_frame)
    written = []
    for channel, keys in zip(channels, fitted, strict=True):
        curve = curves.get(channel.identifier)
        if curve is None:
            curve = holder.fcurves.new(channel.path, index=channel.index)
            if channel.group not in groups:
                groups[channel.group] = new_group(holder, channel.group)
            curve.group = groups[channel.group]
            colour(curve, channel.group)
        _rewrite(curve, keys)
        written.append(curve)
    return written


def write_one(holder: Any, channel: Channel, every_frame: bool = False) -> bpy.types.FCurve:
    """Writes one channel over its curve, made in its group where there is none, and returns the curve."""
    return add(holder, [channel], every_frame)[0]


def _rewrite(curve: bpy.types.FCurve, keys: Keys) -> None:
    for modifier in list(curve.modifiers):
        curve.modifiers.remove(modifier)
    curve.mute = False
    write_keys(curve, keys)


def new_group(holder: Any, region: str) -> bpy.types.ActionGroup:
    """Makes the group of a region; the keys that only refine are collapsed."""
    group = holder.groups.new(region)
    if region == regions.DETAIL:
        group.show_expanded = group.show_expanded_graph = False
    return group


def colour(curve: bpy.types.FCurve, region: str) -> None:
    """Draws a curve in its region's colour; the head's in those of X, Y and Z."""
    if region in regions.COLOURS:
        curve.color_mode = "CUSTOM"
        curve.color = regions.COLOURS[region]
    else:
        curve.color_mode = "AUTO_RGB"


def by_identifier(holder: Any | None) -> dict[str, bpy.types.FCurve]:
    """The curves of an action by path and index; none where there is no action."""
    return {} if holder is None else {f"{curve.data_path}[{curve.array_index}]": curve for curve in holder.fcurves}


def sample(curve: bpy.types.FCurve, frames: int) -> np.ndarray:
    """What a curve says on frames 0 … frames − 1, modifiers included; nothing where it is muted."""
    if curve.mute:
        return np.zeros(frames)
    return np.array([curve.evaluate(frame) for frame in range(frames)])


@dataclass
class Points:
    """The keys of a curve as Blender holds them: frame, value (2 n,) each of the keys and of their handles, float32;
    kinds of interpolation (n,)."""

    co: np.ndarray
    handle_left: np.ndarray
    handle_right: np.ndarray
    interpolation: np.ndarray


def read(holder: Any | None) -> dict[str, Points]:
    """The keys of every curve by its identifier."""
    return {name: _points(curve) for name, curve in by_identifier(holder).items()}


def _points(curve: bpy.types.FCurve) -> Points:
    keys = curve.keyframe_points
    count = len(keys)
    co, left, right = (np.empty(count * 2, np.float32) for _ in _TIMES)
    found = Points(co, left, right, np.empty(count, np.int32))
    for name in (*_TIMES, "interpolation"):
        keys.foreach_get(name, getattr(found, name))
    return found


def scale(holder: Any, points: dict[str, Points], factor: float) -> None:
    """Multiplies every key of some curves, in `points` as well, which `read` has just answered for them."""
    curves = by_identifier(holder)
    for identifier, found in points.items():
        curve = curves[identifier]
        for name in _TIMES:
            values = getattr(found, name)
            values[1::2] *= factor
            curve.keyframe_points.foreach_set(name, values)
        curve.update()


def write_keys(curve: bpy.types.FCurve, keys: Keys) -> None:
    """Replaces all keys of a curve."""
    points = curve.keyframe_points
    points.clear()
    count = len(keys.frames)
    points.add(count)
    left, right = handles(keys)
    co = np.stack([keys.frames, keys.values], axis=-1)
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


def fingerprints(holder: Any | None, points: dict[str, Points] | None = None) -> str:
    """The fingerprint of every curve by its identifier, as JSON. `points`: what `read` answers, where it is known."""
    points = points or {}
    return json.dumps({name: fingerprint(curve, points.get(name)) for name, curve in by_identifier(holder).items()})


def changed(holder: Any | None, known: str, points: dict[str, Points] | None = None) -> list[str]:
    """The identifiers of the curves that are not what `fingerprints` once answered: changed, removed or new."""
    points, before = points or {}, recorded(known)  # of an edited property every curve counts as changed
    now = {name: fingerprint(curve, points.get(name)) for name, curve in by_identifier(holder).items()}
    gone, new = sorted(before.keys() - now.keys()), sorted(now.keys() - before.keys())
    for name in list(new):  # one that was renamed with its bone or its shape key is the same curve
        first = next((other for other in gone if same(before[other], now[name])), None)
        if first is not None:
            gone.remove(first)
            new.remove(name)
    return sorted([*gone, *new]) + [
        name for name, value in now.items() if name in before and not same(value, before[name])
    ]


def recorded(text: str) -> dict[str, str]:
    """What `fingerprints` once answered: identifier → fingerprint; nothing where somebody has tampered with it."""
    try:
        return {str(name): str(value) for name, value in bounded_json.loads(text or "{}").items()}
    except (ValueError, AttributeError):
        return {}


def fingerprint(curve: bpy.types.FCurve, points: Points | None = None) -> str:
    """What tells whether an animator has changed a curve since: a hash and a sum over its handles, as text.

    Frames, values, interpolation, modifiers and mute enter the hash. Handles do not: Blender computes aligned ones
    anew, and differently in their last digits, whenever a curve is touched. `same` compares their sum with that
    much patience.
    """
    points = points or _points(curve)
    digest = hashlib.blake2b(digest_size=8)
    digest.update(np.round(points.co[0::2].astype(np.float64), 3).tobytes())
    digest.update(points.co[1::2].tobytes())
    digest.update(points.interpolation.tobytes())
    digest.update(repr([modifier.type for modifier in curve.modifiers]).encode())
    digest.update(b"muted" if curve.mute else b"")
    offsets = np.concatenate([points.handle_left - points.co, points.handle_right - points.co]).astype(np.float64)
    summed, size = float(_weights(len(offsets)) @ offsets), float(np.abs(offsets).sum())
    return f"{digest.hexdigest()} {summed:.9g} {size:.9g}"


@functools.lru_cache(maxsize=256)
def _weights(count: int) -> np.ndarray:
    """One weight a handle, so that changes do not cancel."""
    return 1.0 + np.modf(np.arange(count) * 0.6180339887)[0]


def same(one: str, other: str) -> bool:
    """Whether two fingerprints are of the same curve."""
    first, second = one.split(), other.split()
    if len(first) != 3 or len(second) != 3 or first[0] != second[0]:
        return False
    try:
        numbers = [[float(word) for word in words[1:]] for words in (first, second)]
    except ValueError:
        return False
    size = max(numbers[0][1], numbers[1][1], 1e-3)
    return all(abs(a - b) <= 2e-5 * size for a, b in zip(*numbers, strict=True))


def move(curves: Iterable[bpy.types.FCurve], frames: float, span: tuple[float, float] = (-math.inf, math.inf)) -> None:
    """Shifts the keys of curves within a span of frames, every key by default, by a number of frames.

    They replace those that they come to lie on, as in Blender's editors: of two on one frame it keeps only one.
    """
    for curve in curves:
        points = curve.keyframe_points
        times = _times(curve)
        within = (times >= span[0]) & (times <= span[1])
        landed = times[within] + frames
        for number in np.flatnonzero(~within)[::-1]:
            if len(landed) and np.abs(landed - times[number]).min() <= _ONE_FRAME:
                points.remove(points[int(number)], fast=True)
        times = _times(curve)
        within = (times >= span[0]) & (times <= span[1])
        values = np.empty(len(points) * 2, np.float32)
        for name in _TIMES:
            points.foreach_get(name, values)
            values[0::2][within] += frames
            points.foreach_set(name, values)
        curve.update()


def _times(curve: bpy.types.FCurve) -> np.ndarray:
    """The frames of a curve's keys."""
    values = np.empty(len(curve.keyframe_points) * 2, np.float32)
    curve.keyframe_points.foreach_get("co", values)
    return values[0::2]
