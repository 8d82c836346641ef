"""F-curves as plain data, which JSON holds: copied into another action, or kept while an action is away."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from . import actions

_KEY_FIELDS = (
    *((name, np.int32, 1) for name in ("interpolation", "easing", "handle_left_type", "handle_right_type")),
    *((name, np.float32, 1) for name in ("amplitude", "back", "period")),
    *((name, np.float32, 2) for name in ("co", "handle_left", "handle_right")),
)
_CURVE_FIELDS = ("extrapolation", "mute", "lock", "hide")
_MOST_AXES = 64  # of an array property; with one far beyond its end Blender 4.5 writes over its memory
_NO_SETTINGS = ("rna_type", "active")


def copy(curve: bpy.types.FCurve, holder: Any) -> None:
    """Makes the same curve in another action, over one that is there; modifiers by kind and settings.

    One of an axis that nothing has is left out.
    """
    if 0 <= curve.array_index < _MOST_AXES:
        write(holder, read(curve))


def read(curve: bpy.types.FCurve) -> dict[str, Any]:
    """A curve as JSON values, without keys that lie nowhere: a file may hold some."""
    arrays: dict[str, np.ndarray] = {}
    for name, kind, width in _KEY_FIELDS:
        arrays[name] = np.empty((len(curve.keyframe_points), width), kind)
        curve.keyframe_points.foreach_get(name, arrays[name].reshape(-1))
    somewhere = np.all([np.isfinite(array).all(axis=1) for array in arrays.values()], axis=0)
    keys = {name: array[somewhere].reshape(-1).tolist() for name, array in arrays.items()}
    return {
        "path": curve.data_path,
        "index": curve.array_index,
        "group": curve.group.name if curve.group is not None else "",
        "keys": keys,
        "settings": {name: getattr(curve, name) for name in _CURVE_FIELDS},
        "modifiers": [{"type": modifier.type, "settings": _settings(modifier)} for modifier in curve.modifiers],
    }


def write(holder: Any, data: dict[str, Any]) -> None:
    """Makes the curve that `read` answered, over one that is there.

    Raises:
        KeyError, TypeError, ValueError, AttributeError, RuntimeError: the data are none that `read` answers.
    """
    path, index, keys = str(data["path"]), data["index"], data["keys"]
    if type(index) is not int or not 0 <= index < _MOST_AXES:
        raise ValueError("no such axis")
    arrays = {name: np.asarray(keys[name], kind).reshape(-1) for name, kind, _ in _KEY_FIELDS}
    count = len(arrays["interpolation"])
    if any(len(arrays[name]) != count * width or not np.isfinite(arrays[name]).all() for name, _, width in _KEY_FIELDS):
        raise ValueError("keys of different lengths, or at no place")
    old = holder.fcurves.find(path, index=index)
    if old is not None:
        holder.fcurves.remove(old)
    made = holder.fcurves.new(path, index=index)
    if data["group"]:
        made.group = holder.groups.get(data["group"]) or actions.new_group(holder, data["group"])
        actions.colour(made, data["group"])
    for name in _CURVE_FIELDS:
        setattr(made, name, data["settings"][name])
    made.keyframe_points.add(count)
    for name, values in arrays.items():
        made.keyframe_points.foreach_set(name, values)
    for item in data["modifiers"]:
        modifier = made.modifiers.new(item["type"])
        for name, value in item["settings"].items():
            if name not in _NO_SETTINGS and not modifier.bl_rna.properties[name].is_readonly:
                setattr(modifier, name, value)
    made.update()


def _settings(modifier: bpy.types.FModifier) -> dict[str, Any]:
    found = {}
    for item in modifier.bl_rna.properties:
        if not item.is_readonly and item.identifier not in _NO_SETTINGS:
            value = getattr(modifier, item.identifier)
            found[item.identifier] = value if isinstance(value, bool | int | float | str) else list(value)
    return found
