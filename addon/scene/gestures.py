"""Gestures, blinks and stillness as keys of the animator's own action, on top of what is generated.

What is generated is never cancelled by negative keys: those would show as a motion of their own as soon as an amount, a
take or a re-bake changed what they cancel. A curve of the own action that lies on a property of the rig takes a
generated layer's influence away instead (`layers.Part.held_by`), whatever that layer holds then.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ..core import gestures as shapes
from ..core.curve_fit import fit_keyframes
from ..core.errors import AddonError
from . import amount_curves, bakes, layers, own_layer, performance, playing, rig, shape_keys, speech

_AXES = {shapes.NOD: 0, shapes.TURN: 1, shapes.TILT: 2}  # of the head bone's rotation
_LIDS = ("eyeBlinkLeft", "eyeBlinkRight")  # the shape keys of lids, as they were made
_SEEN = 1e-3  # of a shape key's value: below, nothing of a blink is seen
_NEAR = 1.0  # s from the playhead within which a blink is meant
_MARGIN = 0.12  # s around a removed blink in which no blink comes: smoothing widens them
_BLINK_TOLERANCE = 0.02


@dataclass(frozen=True)
class Span:
    """Frames from the first to the last, both within."""

    first: int
    last: int


def add(
    character: bpy.types.Collection,
    kind: str,
    start: float,
    fps: float,
    strength: float = 1.0,
    length: float | None = None,
    direction: str = "",
    repeats: int = 1,
) -> Span:
    """Adds a gesture at a frame.

    Args:
        kind: a name of `GESTURES`. start: frame. length: s, None for the usual one. Else as `shapes.strokes`.

    Raises:
        AddonError: the character has lost what the gesture moves.
    """
    root, keys = own_layer.prepare(character)
    usual = shapes.GESTURES[kind]
    strokes = shapes.strokes(kind, strength, length or usual.length, direction, repeats)
    names = _names(character, keys, [stroke.channel for stroke in strokes if stroke.channel not in _AXES])
    known = [stroke for stroke in strokes if stroke.channel in _AXES or stroke.channel in names]
    if not known:
        raise AddonError(f"{character.name} has no shape keys for {usual.label}.", "Run Make It Talk again.")
    ends = []
    for stroke in known:
        frames, values = shapes.on_frames(stroke, start, fps)
        name = names.get(stroke.channel, "")
        if kind == "BLINK":  # a lid that is half shut already shuts the rest of the way
            values = np.clip(values - _lid(keys, name, frames) * (values > 0.0), 0.0, None)
            if not values.any():
                continue
        curve = (
            _head_curve(root, stroke.channel) if not name else own_layer.ensure_curve(keys, shape_keys.value_path(name))
        )
        own_layer.add(curve, frames, values)
        ends += [frames[0], frames[-1]]
    _show(character)
    return Span(int(min(ends)), int(max(ends))) if ends else Span(round(start), round(start))


def hold_still(character: bpy.types.Collection, first: float, last: float, ease: float) -> None:
    """Has the head stay where it is on a frame until another one.

    Its generated motion counts for nothing in between; four keys an axis hold the pose. What the animator keyed on the
    head goes on. Another take, amounts and a re-bake leave the pose as it is.

    Args:
        first, last: frames. ease: frames that it takes to settle, and to move on.

    Raises:
        AddonError: a part of the character has gone.
    """
    root, _keys = own_layer.prepare(character)
    first, last = round(first), max(round(first) + 3, round(last))
    ease = int(np.clip(round(ease), 1, (last - first - 1) // 2))
    frames = np.array([first, first + ease, last - ease, last], float)
    shape, flat = np.array([0.0, 1.0, 1.0, 0.0]), np.zeros(4)
    parts = {part.name for part in layers.HEAD}
    for channel in ("rotation_euler", "location"):
        for axis in range(3):
            path = rig.head_path(channel, rig.head_bone(root))
            (pose,) = playing.values(root, path, axis, np.array([first]), parts)
            if abs(pose) > 1e-6:
                own_layer.add(own_layer.ensure_curve(root, path, axis), frames, pose * shape, flat)
    _take_away(root, layers.NOD, frames)
    performance.apply_amounts(character)
    _show(character)


def blinks(character: bpy.types.Collection) -> list[Span]:
    """The generated blinks that show, in time."""
    _root, keys = bakes.owners_of(character)
    first, last = speech.span(character)
    frames = np.arange(first, last + 1)
    shut = np.zeros(len(frames) + 2)
    for path in _lid_paths(character, keys):
        shut[1:-1] = np.maximum(shut[1:-1], playing.values(keys, path, 0, frames, {layers.BLINKS.name}))
    edges = np.flatnonzero(np.diff((shut > _SEEN).astype(int)))
    return [Span(int(frames[a]), int(frames[b - 1])) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def blink_at(character: bpy.types.Collection, frame: float, fps: float) -> Span | None:
    """The generated blink at a frame, or the nearest one within a second."""
    near = {max(span.first - frame, frame - span.last, 0.0): span for span in reversed(blinks(character))}
    return near[min(near)] if near and min(near) <= _NEAR * fps else None


def remove_blink(character: bpy.types.Collection, span: Span, fps: float) -> None:
    """Keeps the eyes open during one generated blink, and in every later take.

    Raises:
        AddonError: a part of the character has gone.
    """
    root, _keys = own_layer.prepare(character)
    others = [other for other in blinks(character) if other != span]
    before = max((other.last for other in others if other.last < span.first), default=-(10**6))
    after = min((other.first for other in others if other.first > span.last), default=10**6)
    margin = max(1, round(_MARGIN * fps))
    start = max(span.first - margin, (span.first + before + 1) // 2) - 1
    end = min(span.last + margin, (span.last + after) // 2) + 1
    start, end = min(start, span.first - 1), max(end, span.last + 1)
    _take_away(root, layers.BLINKS, np.array([start, start + 1, end - 1, end], float))
    performance.apply_amounts(character)
    _show(character)


def move_blink(character: bpy.types.Collection, span: Span, frames: int, fps: float) -> None:
    """Moves one generated blink: it is removed, and the same one is keyed elsewhere.

    Raises:
        AddonError: a part of the character has gone.
    """
    _root, keys = own_layer.prepare(character)
    times = np.arange(span.first - 2, span.last + 3)  # two at rest on either side: the ends are flat
    shapes_of = {
        path: playing.values(keys, path, 0, times, {layers.BLINKS.name}) for path in _lid_paths(character, keys)
    }
    remove_blink(character, span, fps)
    for path, samples in shapes_of.items():
        if samples.max() <= _SEEN:
            continue
        samples[[0, 1, -2, -1]] = 0.0
        (fitted,) = fit_keyframes(samples[:, None], np.array([_BLINK_TOLERANCE]))
        own_layer.add(
            own_layer.ensure_curve(keys, path), times[0] + frames + fitted.frames, fitted.values, fitted.slopes
        )
    _show(character)


def _take_away(root: bpy.types.Object, part: layers.Part, frames: np.ndarray) -> None:
    """Keys the property that holds a part back: 1 between the middle frames (4,), as it was outside."""
    curve = own_layer.ensure_curve(root, f"{amount_curves.AMOUNTS}.{part.held_by}")
    now = np.array([curve.evaluate(frame) for frame in frames]) if len(curve.keyframe_points) else np.zeros(4)
    wanted = np.array([0.0, 1.0, 1.0, 0.0])
    own_layer.add(curve, frames, np.clip(wanted - now, 0.0, None) * [0.0, 1.0, 1.0, 0.0], np.zeros(4))


def _head_curve(root: bpy.types.Object, axis: str) -> bpy.types.FCurve:
    return own_layer.ensure_curve(root, rig.head_path("rotation_euler", rig.head_bone(root)), _AXES[axis])


def _names(character: bpy.types.Collection, keys: bpy.types.Key, first: list[str]) -> dict[str, str]:
    """What shape keys are called now, by their first names; those that are not there are left out."""
    return shape_keys.current_names(keys, first, lambda: bakes.mesh_of(character))


def _lid(keys: bpy.types.Key, name: str, frames: np.ndarray) -> np.ndarray:
    """How far a lid is shut already, by what is generated and what is keyed."""
    own = own_layer.curve(keys, shape_keys.value_path(name))
    found = playing.values(keys, shape_keys.value_path(name), 0, frames)
    if own is not None:
        found = found + np.array([own.evaluate(frame) for frame in frames])
    return np.clip(found, 0.0, None)


def _lid_paths(character: bpy.types.Collection, keys: bpy.types.Key) -> list[str]:
    return [shape_keys.value_path(name) for name in _names(character, keys, list(_LIDS)).values()]


def _show(character: bpy.types.Collection) -> None:
    """Has Blender evaluate what was keyed."""
    for owner in bakes.owners_of(character):
        owner.animation_data.action.update_tag()
        owner.update_tag()
