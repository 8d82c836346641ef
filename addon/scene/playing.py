"""What the generated layers say on given frames, without moving the playhead."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import bpy
import numpy as np

from . import layers


def values(
    owner: bpy.types.ID, path: str, index: int, frames: np.ndarray, parts: Collection[str] | None = None
) -> np.ndarray:
    """The sum (n,) of what the generated strips give a property on scene frames (n,), at their influence.

    Args:
        parts: names of the parts that count; None for all.
    """
    total = np.zeros(len(frames))
    for layer, counts, times in _played(owner, np.asarray(frames, float)):
        if layer.part == layers.BASE.name or (parts is not None and layer.part not in parts):
            continue
        curve = layer.curves.fcurves.find(path, index=index) if layer.curves is not None else None
        if curve is None or curve.mute:
            continue
        weight = layer.strip.fcurves.find("influence") if layer.strip.use_animated_influence else None
        for number in np.flatnonzero(counts):
            influence = weight.evaluate(frames[number]) if weight is not None else layer.strip.influence
            total[number] += influence * curve.evaluate(times[number])
    return total


def _played(owner: bpy.types.ID, frames: np.ndarray) -> Iterator[tuple[layers.Layer, np.ndarray, np.ndarray]]:
    """Each generated strip, on which of the frames it counts, and the frames of its action that it plays there."""
    by_track: dict[str, list[layers.Layer]] = {}
    for layer in layers.layers(owner):
        by_track.setdefault(layer.track.name, []).append(layer)
    for strips in by_track.values():
        strips.sort(key=lambda layer: layer.strip.frame_start)
        for number, layer in enumerate(strips):
            strip = layer.strip
            until = strips[number + 1].strip.frame_start if number + 1 < len(strips) else np.inf
            counts = (frames >= strip.frame_start) & (frames <= strip.frame_end)
            if strip.extrapolation in ("HOLD", "HOLD_FORWARD"):
                counts |= (frames > strip.frame_end) & (frames < until)
            if strip.extrapolation == "HOLD" and number == 0:
                counts |= frames < strip.frame_start
            if strip.mute or layer.track.mute:
                counts[:] = False
            inside = np.clip(frames, strip.frame_start, strip.frame_end)
            yield layer, counts, strip.action_frame_start + (inside - strip.frame_start) / strip.scale
