"""What the animator has edited, as a list of spans in time, and taking one of them back.

Edits lie in three places: the own action, the layer that holds former edits of generated curves, and generated curves
that were changed since they were written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import bpy
import numpy as np

from .. import compat
from ..core import regions
from ..core.errors import AddonError
from ..core.runs import runs
from . import actions, bakes, brought_up, layers, performance
from .actions import Channel

OWN, BROUGHT_UP, PENDING = "OWN", "BROUGHT_UP", "PENDING"
_GAP = 1.0  # s without a key that parts one edit from the next
_ROOM = 22  # letters of two names that a sidebar shows in full
_SEEN = 2e-4  # what a curve of differences says where it says nothing


@dataclass(frozen=True)
class Touch:
    """One curve's share of an edit.

    Attributes:
        owner: "head" or "face". layer: the key of a generated layer, or empty for the own action.
        path, index: the curve. first, last: scene frames.
    """

    owner: str
    layer: str
    path: str
    index: int
    first: float
    last: float


@dataclass(frozen=True)
class Edit:
    """One row of the list.

    Attributes:
        source: OWN, BROUGHT_UP or PENDING. region: what it moves. first, last: scene frames. touches: curve by curve.
    """

    source: str
    region: str
    first: float
    last: float
    touches: tuple[Touch, ...]

    @property
    def uid(self) -> str:
        """What tells it from the other rows, as long as it stays what it is."""
        return f"{self.source}|{self.region}|{self.first:g}|{self.last:g}"

    @property
    def label(self) -> str:
        """What it moves: its curves by name where they are few, else how many of which region."""
        names = regions.sides_joined([regions.label(touch.path, touch.index) for touch in self.touches])
        text = ", ".join(names)
        if not all(touch.path.startswith("key_blocks[") for touch in self.touches):
            text = f"{self.region}: {text}"  # the name of a shape key tells its region by itself
        if len(names) == 1 or (len(names) == 2 and len(text) <= _ROOM):
            return text
        count = len({(touch.path, touch.index) for touch in self.touches})
        return f"{self.region}: {count} curves"


def edits(character: bpy.types.Collection, fps: float) -> list[Edit]:
    """Everything that was edited, in time; empty where nothing was, or where a part of the character has gone."""
    settings = character.makeittalk
    if settings.rig is None or settings.body is None or settings.body.data.shape_keys is None:
        return []
    gap = _GAP * fps
    found: list[Edit] = []
    for source, touches in (
        (OWN, _own(character, gap)),
        (BROUGHT_UP, _brought_up(character, gap)),
        (PENDING, _pending(character, gap)),
    ):
        found += _merged(source, touches, gap)
    return sorted(found, key=lambda edit: (edit.first, regions.ORDER.index(edit.region)))


def is_hidden(character: bpy.types.Collection) -> bool:
    """Whether Blender plays a strip that is being edited in place of the own action, whose keys nobody sees then."""
    body = character.makeittalk.body
    owners = (character.makeittalk.rig, body.data.shape_keys if body is not None else None)
    return any(owner.animation_data.use_tweak_mode for owner in owners if owner is not None and owner.animation_data)


def find(character: bpy.types.Collection, fps: float, uid: str) -> Edit:
    """The edit with that identity.

    Raises:
        AddonError: there is none any more.
    """
    found = next((edit for edit in edits(character, fps) if edit.uid == uid), None)
    if found is None:
        raise AddonError("This edit has changed since it was listed.", "Look at the list again.")
    return found


def revert(character: bpy.types.Collection, edit: Edit) -> None:
    """Takes one edit back: keys of the own action in its span go, differences become 0, a changed generated curve says
    again what was predicted. What lies outside the span stays."""
    owners = dict(zip(("head", "face"), bakes.owners_of(character), strict=True))
    for owner in owners.values():
        layers.leave_tweak_mode(owner)
    if edit.source == OWN:
        for touch in edit.touches:
            _remove_keys(owners[touch.owner], touch)
    elif edit.source == BROUGHT_UP:
        for name, layer in {(touch.owner, touch.layer) for touch in edit.touches}:
            _silence(owners[name], [touch for touch in edit.touches if (touch.owner, touch.layer) == (name, layer)])
    else:
        _restore(character, edit.touches)
    performance.apply_amounts(character)
    for owner in owners.values():
        owner.update_tag()


def select(character: bpy.types.Collection, edit: Edit) -> None:
    """Selects the keys of an edit and no other of its action."""
    owners = dict(zip(("head", "face"), bakes.owners_of(character), strict=True))
    for name, owner in owners.items():
        holder = compat.assigned_curves(owner)
        spans = {f"{t.path}[{t.index}]": t for t in edit.touches if t.owner == name and not t.layer}
        for identifier, curve in actions.by_identifier(holder).items():
            points = curve.keyframe_points
            frames, _values = _keys(curve)
            touch = spans.get(identifier)
            chosen = np.zeros(len(points), bool) if touch is None else _within(frames, touch)
            for attribute in ("select_control_point", "select_left_handle", "select_right_handle"):
                points.foreach_set(attribute, chosen)


def _own(character: bpy.types.Collection, gap: float) -> Iterator[Touch]:
    for name, owner in zip(("head", "face"), bakes.owners_of(character), strict=True):
        animation = owner.animation_data
        if animation is None or animation.use_tweak_mode:
            continue  # what plays is the strip under edit, which counts as pending
        if animation.action is None or layers.PART in animation.action:
            continue
        holder = compat.assigned_curves(owner)
        for curve in holder.fcurves if holder is not None else ():
            frames, values = _shown_keys(curve)
            for first, last in runs(frames, gap, np.abs(values) <= _SEEN):
                yield Touch(name, "", curve.data_path, curve.array_index, first, last)


def _brought_up(character: bpy.types.Collection, gap: float) -> Iterator[Touch]:
    for name, owner in zip(("head", "face"), bakes.owners_of(character), strict=True):
        for layer in layers.layers(owner):
            if layer.part != layers.EDITS.name or layer.curves is None:
                continue
            for curve in layer.curves.fcurves:
                frames, values = _shown_keys(curve)
                loud = np.abs(values) > _SEEN
                acting = loud | np.append(loud[1:], False) | np.insert(loud[:-1], 0, False)  # and how it gets there
                for first, last in runs(frames[acting], gap, ~loud[acting]):
                    start = layer.strip.frame_start
                    yield Touch(name, layer.key, curve.data_path, curve.array_index, start + first, start + last)


def _pending(character: bpy.types.Collection, gap: float) -> Iterator[Touch]:
    for owner, layer, channel in brought_up.pending(character):
        name = "face" if isinstance(owner, bpy.types.Key) else "head"
        start = layers.begin(layer)
        for first, last in runs(np.flatnonzero(channel.samples).astype(float), gap):
            yield Touch(name, layer.key, channel.path, channel.index, start + first, start + last)


def _merged(source: str, touches: Iterable[Touch], gap: float) -> Iterator[Edit]:
    """One edit for all curves of a region whose spans overlap or follow one another closely."""
    by_region: dict[str, list[Touch]] = {}
    for touch in touches:
        by_region.setdefault(regions.region(touch.path), []).append(touch)
    for region, found in by_region.items():
        found.sort(key=lambda touch: touch.first)
        together: list[Touch] = []
        end = -np.inf
        for touch in found:
            if together and touch.first - end > gap:
                yield Edit(source, region, together[0].first, end, tuple(together))
                together, end = [], -np.inf
            together.append(touch)
            end = max(end, touch.last)
        if together:
            yield Edit(source, region, together[0].first, end, tuple(together))


def _remove_keys(owner: bpy.types.ID, touch: Touch) -> None:
    holder = compat.assigned_curves(owner)
    curve = holder.fcurves.find(touch.path, index=touch.index) if holder is not None else None
    if curve is None:
        return
    for number in np.flatnonzero(_within(_keys(curve)[0], touch))[::-1]:
        curve.keyframe_points.remove(curve.keyframe_points[int(number)], fast=True)
    curve.update()
    if not curve.keyframe_points:
        holder.fcurves.remove(curve)
        if touch.path.startswith("key_blocks["):  # where nothing else moves it, it would stay as it was last seen
            block = owner.key_blocks.get(regions.quoted(touch.path))
            if block is not None:
                block.value = 0.0


def _silence(owner: bpy.types.ID, touches: list[Touch]) -> None:
    """Has a layer of former edits say nothing in some spans; one that says nothing at all goes."""
    layer = next(found for found in layers.layers(owner) if found.key == touches[0].layer)
    start, frames = layer.strip.frame_start, round(layer.strip.frame_end - layer.strip.frame_start) + 1
    channels = []
    for curve in layer.curves.fcurves:
        samples = actions.sample(curve, frames)
        for touch in touches:
            if (touch.path, touch.index) == (curve.data_path, curve.array_index):
                samples[round(touch.first - start) : round(touch.last - start) + 1] = 0.0
        if samples.any():
            channels.append(Channel(curve.data_path, curve.array_index, samples, 1e-4))
    layers.own_action(layer)
    actions.write(layer.curves, channels)
    if not channels:
        layers.remove(owner, layer)


def _restore(character: bpy.types.Collection, touches: Iterable[Touch]) -> None:
    """Rewrites changed generated curves within some spans as they were written; outside they stay changed."""
    for touch in touches:
        for _owner, layer, channel in brought_up.pending(character):
            if (layer.key, channel.path, channel.index) != (touch.layer, touch.path, touch.index):
                continue
            first, last = (round(frame - layers.begin(layer)) for frame in (touch.first, touch.last))
            left = channel.samples.copy()
            left[first : last + 1] = 0.0
            brought_up.restore(character, layer, channel, left)


def _keys(curve: bpy.types.FCurve) -> tuple[np.ndarray, np.ndarray]:
    """Frames and values of a curve's keys."""
    values = np.empty(len(curve.keyframe_points) * 2, np.float32)
    curve.keyframe_points.foreach_get("co", values)
    return values[0::2].astype(float), values[1::2].astype(float)


def _shown_keys(curve: bpy.types.FCurve) -> tuple[np.ndarray, np.ndarray]:
    """The same without keys of others at moments that no timeline has."""
    frames, values = _keys(curve)
    there = np.abs(frames) <= compat.LAST_FRAME
    return frames[there], values[there]


def _within(frames: np.ndarray, touch: Touch) -> np.ndarray:
    return (frames >= touch.first - 1e-3) & (frames <= touch.last + 1e-3)
