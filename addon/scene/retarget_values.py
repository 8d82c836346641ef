"""What a target's shape keys have to be to show a performance: its mesh and ours as the solver takes them."""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np

from ..core.coordinates import points_from_blender
from ..core.lip_finder import find_lips
from ..core.retarget_names import MEANINGS
from ..core.retarget_performance import Performance, performance_of
from ..core.retarget_solve import solve as solve_target
from ..core.retarget_target import Target, target_of
from . import points
from .retarget_source import Source

_NEAR = 0.02  # mouth widths: lips that lie so near each other at rest are shut there, as their maker left them
_SIZE = np.array([1.0, 1.0])  # of a picture whose pixels are Blender's units


def solve(source: Source, item: bpy.types.Object, meanings: dict[str, str], fps: float) -> dict[str, np.ndarray]:
    """The values of a mesh's shape keys.

    Args:
        item: the mesh object. meanings: of its keys, by name (`retarget_names.MEANINGS`). fps: frames/s of the scene.

    Returns:
        (N,) for each of these keys, within its slider's range.

    Raises:
        AddonError: source or target are damaged.
    """
    values = solve_target(performance(source, fps), target(item, meanings))
    return dict(zip(meanings, values.T, strict=True))


def performance(source: Source, fps: float, values: np.ndarray | None = None) -> Performance:
    """A character's motion as the solver takes it; `values` (T, K) of its keys take the place of what they are."""
    marks = points_from_blender(source.rest, _SIZE)
    moves = points_from_blender(source.basis, _SIZE) - points_from_blender(np.zeros(3), _SIZE)
    contact, closures = (
        [((start - source.first) / fps, (end - source.first) / fps) for start, end in spans]
        for spans in (source.contact, source.closures)
    )
    shown = source.values if values is None else values
    return performance_of(source.names, shown, moves, marks, fps, contact, closures)


def target(item: bpy.types.Object, meanings: dict[str, str]) -> Target:
    """A mesh's shape keys as the solver takes them, with its lips where they can be found.

    Raises:
        AddonError: the mesh is damaged.
    """
    blocks = item.data.shape_keys.key_blocks
    limits = {name: (blocks[name].slider_min, blocks[name].slider_max) for name in meanings}
    mouth = {name: meaning for name, meaning in meanings.items() if MEANINGS[meaning].part == "mouth"}
    if not mouth:
        return target_of(meanings, limits)

    def read(block: bpy.types.ShapeKey) -> np.ndarray:
        found = points.read(block.data).astype(np.float64)
        points.check(item.name, found)
        return found

    rest = read(item.data.shape_keys.reference_key)
    moved = {name: read(blocks[name]) - read(blocks[name].relative_key) for name in meanings}
    lips = find_lips(rest, _faces(item.data), np.array([moved[name] for name in mouth]), list(mouth.values()))
    return _at_rest(target_of(meanings, limits, lips, rest, moved))


def _at_rest(found: Target) -> Target:
    """A target whose lips are shut at rest where they nearly are; pairs that are no lips beside the others' go."""
    gap = found.rest_gap
    kept = gap < 3.0 * np.median(gap) + _NEAR
    shut = np.where(np.abs(gap) < _NEAR, 0.0, gap)
    return replace(found, gaps=found.gaps[:, kept], rest_gap=shut[kept], along=found.along[kept])


def _faces(mesh: bpy.types.Mesh) -> np.ndarray:
    """The polygons, (F, n); −1 where one has fewer corners than the largest."""
    count = len(mesh.polygons)
    totals, corners = np.empty(count, np.int32), np.empty(len(mesh.loops), np.int32)
    mesh.polygons.foreach_get("loop_total", totals)
    mesh.loops.foreach_get("vertex_index", corners)
    found = np.full((count, int(totals.max(initial=0))), -1, np.int64)
    found[np.arange(found.shape[1]) < totals[:, None]] = corners
    return found
