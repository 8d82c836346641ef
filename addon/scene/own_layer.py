"""The animator's own action on top of what is generated: finding its curves, adding keys to them, reading them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np

from .. import compat
from ..core import regions
from ..core.curve_insert import ALIGNED, BEZIER, CONSTANT, LINEAR, NEW, Points, insert
from ..core.errors import AddonError
from . import actions, bakes, layers

_INTS = (("left_type", "handle_left_type"), ("right_type", "handle_right_type"), ("interpolation", "interpolation"))
_PLACES = (("co", "co"), ("left", "handle_left"), ("right", "handle_right"))
#: What a key also holds, by which array type; a new key has 0 everywhere.
_OTHERS = (("easing", np.int32), ("amplitude", np.float32), ("back", np.float32), ("period", np.float32))


def prepare(character: bpy.types.Collection) -> tuple[bpy.types.Object, bpy.types.Key]:
    """Gives a character its own action where there is none, and ends the editing of a generated strip.

    While a strip is edited Blender shows it alone: what is keyed on top would not be seen.

    Returns:
        The rig and the shape keys.

    Raises:
        AddonError: a part has gone, or an action cannot be edited.
    """
    owners = bakes.owners_of(character)
    for owner in owners:
        layers.leave_tweak_mode(owner)
    layers.prepare_own_layer(*owners, character.name)
    for owner in owners:
        action = owner.animation_data.action
        assert action is not None
        if not action.is_editable:
            raise AddonError(f"{action.name} is linked from another file.", "Make it local first.")
        if layers.PART in action:
            raise AddonError(
                f"{action.name} is generated and would be overwritten.",
                "Unlink it in the Action Editor.",
            )
        if compat.assigned_curves(owner) is None:
            compat.assign_slot(owner)
    return owners


def curve(owner: bpy.types.ID, path: str, index: int = 0) -> bpy.types.FCurve | None:
    """A curve of the own action, or None; while a generated strip is edited there is none to be seen."""
    holder = compat.assigned_curves(owner)
    return None if holder is None else holder.fcurves.find(path, index=index)


def ensure_curve(owner: bpy.types.ID, path: str, index: int = 0) -> bpy.types.FCurve:
    """A curve of the own action, made in its region's group where there is none."""
    found = curve(owner, path, index)
    if found is None:
        holder = compat.assigned_curves(owner)
        found = holder.fcurves.new(path, index=index)
        tidy(holder, found)
    return found


def tidy(holder: Any, found: bpy.types.FCurve, names: Sequence[str] = ()) -> None:
    """Puts a curve into its region's group, in its region's colour.

    Args:
        holder: what holds an action's `groups`. names: groups that count as none, such as Blender's own.
    """
    region = regions.region(found.data_path)
    if found.group is None or found.group.name in names:
        group = holder.groups.get(region) or actions.new_group(holder, region)
        found.group = group
    if found.color_mode != "CUSTOM":
        actions.colour(found, region)


def add(found: bpy.types.FCurve, frames: np.ndarray, values: np.ndarray, slopes: np.ndarray | None = None) -> None:
    """Adds a motion onto a curve, as `curve_insert.insert` does, whatever its keys are interpolated by."""
    _resample_eased(found, float(frames[0]), float(frames[-1]))
    points = read(found)
    write(found, insert(points, np.asarray(frames, float), np.asarray(values, float), slopes))


def read(found: bpy.types.FCurve) -> Points:
    """The keys of a curve as arrays."""
    count, keys = len(found.keyframe_points), found.keyframe_points
    fields: dict[str, np.ndarray] = {"origin": np.arange(count, dtype=np.int32)}
    for name, attribute in _PLACES:
        values = np.empty(count * 2, np.float32)
        keys.foreach_get(attribute, values)
        fields[name] = values.reshape(-1, 2).astype(np.float64)
    for name, attribute in _INTS:
        fields[name] = np.empty(count, np.int32)
        keys.foreach_get(attribute, fields[name])
    return Points(**fields)


def write(found: bpy.types.FCurve, points: Points) -> None:
    """Replaces the keys of a curve; what else a key held comes along with its `origin`."""
    keys, count = found.keyframe_points, len(points.co)
    others = {}
    for attribute, kind in _OTHERS:
        before = np.empty(len(keys), kind)
        keys.foreach_get(attribute, before)
        others[attribute] = np.zeros(count, kind)
        known = points.origin != NEW
        others[attribute][known] = before[points.origin[known]]
    kinds = [key.type for key in keys]
    keys.clear()
    keys.add(count)
    for name, attribute in _PLACES:
        keys.foreach_set(attribute, getattr(points, name).astype(np.float32).reshape(-1))
    for name, attribute in _INTS:
        keys.foreach_set(attribute, getattr(points, name).astype(np.int32))
    for attribute, values in others.items():
        keys.foreach_set(attribute, values)
    for key, origin in zip(keys, points.origin, strict=True):
        if origin != NEW and kinds[origin] != "KEYFRAME":
            key.type = kinds[origin]
    for attribute in ("select_control_point", "select_left_handle", "select_right_handle"):
        keys.foreach_set(attribute, np.asarray(points.origin == NEW, bool))
    found.update()


def _resample_eased(found: bpy.types.FCurve, first: float, last: float) -> None:
    """Turns segments of other kinds, such as Elastic, into a key a frame where a span touches them."""
    points = read(found)
    kinds = points.interpolation
    odd = ~np.isin(kinds[:-1], (CONSTANT, LINEAR, BEZIER))
    touched = np.flatnonzero(odd & (points.frames[1:] > first) & (points.frames[:-1] < last))
    for i in touched[::-1]:
        between = np.arange(np.floor(points.frames[i]) + 1, points.frames[i + 1])
        values = np.array([found.evaluate(frame) for frame in between])
        times = np.concatenate([points.frames[[i]], between, points.frames[[i + 1]]])
        slopes = np.gradient(np.concatenate([points.co[[i], 1], values, points.co[[i + 1], 1]]), times)
        third = np.stack([np.ones_like(slopes), slopes], axis=-1) / 3.0
        co = np.stack([between, values], axis=-1)
        points.interpolation[i] = BEZIER
        points.right[i], points.left[i + 1] = points.co[i] + third[0], points.co[i + 1] - third[-1]
        points = Points(
            np.insert(points.co, i + 1, co, axis=0),
            np.insert(points.left, i + 1, co - third[1:-1], axis=0),
            np.insert(points.right, i + 1, co + third[1:-1], axis=0),
            np.insert(points.left_type, i + 1, np.full(len(co), ALIGNED)),
            np.insert(points.right_type, i + 1, np.full(len(co), ALIGNED)),
            np.insert(points.interpolation, i + 1, np.full(len(co), BEZIER)),
            np.insert(points.origin, i + 1, np.full(len(co), NEW)),
        )
        for side in (i, i + 1 + len(co)):
            points.left_type[side] = points.right_type[side] = 0  # free: the two sides are of different kinds
    if len(touched):
        write(found, points)
