"""What Blender shows of a datablock's animated values, frame by frame, whatever lies in the NLA.

It is read rather than computed, so that influence, mute, solo, time and modifiers count for what they do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from .. import compat
from ..core.errors import AddonError
from . import actions, shape_keys

MOST_FRAMES = 500_000  # four hours of speech at 30 frames a second, and some more
_PLAIN = re.compile(
    r"""(?:key_blocks\["(?:[^"\\]|\\.)*"\]\.value | layers\["(?:[^"\\]|\\.)*"\]\.opacity
    | \w*modifiers\["(?:[^"\\]|\\.)*"\]\.offset
    | pose\.bones\["(?:[^"\\]|\\.)*"\](?:\.(?:location|rotation_\w+|scale)|\["(?:[^"\\]|\\.)*"\]))\[\d+\]""",
    re.VERBOSE,
)
OWN_GROUP = "Edits"  # of curves that lie in none


@dataclass
class Shown:
    """What is seen of a datablock over a span of frames.

    Attributes:
        first: the frame of the first sample.
        samples: identifier (path and index) → (N,), the values as Blender has them.
        groups: identifier → the group that its curve is shown in.
    """

    first: int
    samples: dict[str, np.ndarray]
    groups: dict[str, str]


def animated(owner: bpy.types.ID) -> dict[str, str]:
    """Identifier → group of everything that curves of a datablock move, in strips or in its action; the lowest first.

    What is muted moves nothing.
    """
    animation = owner.animation_data
    found: dict[str, str] = {}
    if animation is None:
        return found
    holders = [
        compat.strip_curves(strip)
        for track in animation.nla_tracks
        if not track.mute
        for strip in clips(track.strips)
        if not strip.mute
    ]
    for holder in (*holders, compat.assigned_curves(owner)):
        for name, curve in actions.by_identifier(holder).items():
            if not curve.mute:
                found.setdefault(name, curve.group.name if curve.group is not None else OWN_GROUP)
    return found


def span(owners: Sequence[bpy.types.ID], scene: bpy.types.Scene) -> tuple[int, int] | None:
    """The first and the last frame between which something moves, or None where nothing does.

    Where a curve goes on for ever, by a modifier or by its extrapolation, the scene's range counts too.

    Raises:
        AddonError: there are more frames between them than anybody waits for.
    """
    ends: list[float] = []
    for owner in owners:
        animation = owner.animation_data
        for track in animation.nla_tracks if animation is not None else ():
            ends += [end for strip in track.strips for end in (strip.frame_start, strip.frame_end)]
        for curve in actions.by_identifier(compat.assigned_curves(owner)).values():
            if len(curve.keyframe_points):
                ends += tuple(curve.range())
            if len(curve.modifiers) or curve.extrapolation == "LINEAR":
                ends += (scene.frame_start, scene.frame_end)
    ends = [end for end in ends if math.isfinite(end)]
    if not ends:
        return None
    frames = math.floor(min(ends)), math.ceil(max(ends))
    _check(frames)
    return frames


def _check(frames: tuple[int, int]) -> None:
    """Sees to it that nothing is read for hours, because of one key that lies far away."""
    first, last = frames
    if last - first > MOST_FRAMES:
        raise AddonError(f"It moves from frame {first} to {last}, which is too long.", "Move keys and strips nearer.")


def check_numbers(names: Sequence[str], values: np.ndarray, first: int) -> None:
    """Sees to it that whatever moves has a number on every frame.

    Args:
        names: N of them, for the sentence. values: (T, N). first: the frame of the first row.

    Raises:
        AddonError: something has not.
    """
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        row, column = wrong[0]
        raise AddonError(f"{names[column][:80]} is no number on frame {first + row}.", "Look at its curve.")


def read(owners: Sequence[bpy.types.Object | bpy.types.Key], frames: tuple[int, int], also: set[str]) -> list[Shown]:
    """Reads what Blender shows, in a scene of its own, so that nothing else is evaluated and the playhead stays.

    Args:
        owners: objects and shape keys, such as the rig and its mesh's. frames: the first and the last.
        also: identifiers to read although nothing moves them now.

    Raises:
        AddonError: there are more frames than anybody waits for, or something moves to a value that is no number.
    """
    _check(frames)
    names = [animated(owner) for owner in owners]
    readers = [_Reader(owner, found.keys() | also) for owner, found in zip(owners, names, strict=True)]
    tables = [np.empty((frames[1] + 1 - frames[0], len(reader.names))) for reader in readers]
    for row, graph in enumerate(evaluations(owners, frames)):
        for reader, table in zip(readers, tables, strict=True):
            reader.read(graph, table[row])
    for reader, table in zip(readers, tables, strict=True):
        check_numbers(reader.names, table, frames[0])
    return [
        Shown(frames[0], dict(zip(reader.names, table.T, strict=True)), found)
        for reader, table, found in zip(readers, tables, names, strict=True)
    ]


def evaluations(owners: Sequence[bpy.types.Object | bpy.types.Key], frames: tuple[int, int]) -> Iterator[Any]:
    """Evaluates datablocks frame by frame, in a scene of its own; it goes when the last frame is read.

    Args:
        owners: objects, or shape keys. frames: the first and the last.

    Yields:
        the dependency graph, which is of that frame until the next one is asked for.
    """
    objects = _objects(owners)
    hidden = [item for item in objects if item.hide_viewport]  # what nobody sees Blender does not evaluate
    scene = bpy.data.scenes.new("MakeItTalk")
    try:
        for item in objects:
            item.hide_viewport = False
            scene.collection.objects.link(item)
        for frame in range(frames[0], frames[1] + 1):
            scene.frame_set(frame)
            yield scene.view_layers[0].depsgraph
    finally:
        bpy.data.scenes.remove(scene)
        for item in hidden:
            item.hide_viewport = True


def clips(strips: Any) -> Iterator[bpy.types.NlaStrip]:
    """Strips that play an action, those inside of meta strips too."""
    for strip in strips:
        yield from clips(strip.strips)
        if strip.action is not None:
            yield strip


def path_and_index(name: str) -> tuple[str, int]:
    """What an identifier is made of."""
    path, _, index = name.rpartition("[")
    return path, int(index[:-1])


def put(owner: bpy.types.ID, identifier: str, value: float) -> None:
    """Sets what a retarget moves, of a key, a bone or a drawing; does nothing where that has gone, or is another."""
    if not _PLAIN.fullmatch(identifier):  # a file may name whatever it likes
        return
    path, index = path_and_index(identifier)
    before, _, name = path.rpartition(".")
    try:
        holder = owner.path_resolve(before) if before else owner
        current = getattr(holder, name)
        if hasattr(current, "__len__"):
            current[index] = value
        else:
            setattr(holder, name, type(current)(value))
    except (AttributeError, IndexError, TypeError, ValueError):
        return


def _objects(owners: Sequence[bpy.types.ID]) -> list[bpy.types.Object]:
    """The objects by which Blender evaluates datablocks."""
    found = []
    for owner in owners:
        if isinstance(owner, bpy.types.Object):
            found.append(owner)
        else:
            found += [item for item in bpy.data.objects if getattr(item.data, "shape_keys", None) == owner][:1]
    return found


class _Reader:
    """Reads the values of a datablock's curves on the frame that is evaluated."""

    def __init__(self, owner: bpy.types.ID, names: set[str]) -> None:
        self.owner = owner
        self.names: list[str] = []
        self._paths: dict[str, list[tuple[int, int]]] = {}  # path → array index, column
        self._blocks: list[tuple[int, int]] = []  # place among the shape keys, column
        blocks = {}
        if isinstance(owner, bpy.types.Key):
            blocks = {f"{shape_keys.value_path(block.name)}[0]": place for place, block in enumerate(owner.key_blocks)}
            self._values = np.empty(len(owner.key_blocks), np.float32)
        for name in sorted(names):
            column = len(self.names)
            if name in blocks:
                self._blocks.append((blocks[name], column))
            elif (item := path_and_index(name)) and isinstance(_value(owner, *item), int | float):
                self._paths.setdefault(item[0], []).append((item[1], column))
            else:
                continue  # what a curve without its property says, nobody sees
            self.names.append(name)

    def read(self, graph: bpy.types.Depsgraph, row: np.ndarray) -> None:
        """Fills in the values of one frame."""
        evaluated = self.owner.evaluated_get(graph)
        if self._blocks:
            evaluated.key_blocks.foreach_get("value", self._values)
            places, columns = zip(*self._blocks, strict=True)
            row[list(columns)] = self._values[list(places)]
        for path, items in self._paths.items():
            for index, column in items:
                row[column] = _value(evaluated, path, index)


def _value(owner: bpy.types.ID, path: str, index: int) -> Any:
    try:
        value = owner.path_resolve(path)
    except ValueError:
        return None
    try:
        return value[index] if hasattr(value, "__len__") and not isinstance(value, str) else value
    except IndexError:
        return None
