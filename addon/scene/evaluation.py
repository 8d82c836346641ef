"""Where a character's vertices are on each frame, with all that moves them: curves, constraints, NLA, drivers."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import bpy
import numpy as np

from ..core.coordinates import points_from_blender
from ..core.errors import AddonError
from . import points

_CHUNK = 0.06  # s of reading between two turns of the user's


def read_moves(
    find: Callable[[], tuple[bpy.types.Scene, bpy.types.Collection]], frames: range, vertices: np.ndarray
) -> Iterator[float]:
    """Reads the vertices of a range of frames, in steps; between two of them the scene is as the user left it.

    Everything is relative to the rig object: moving the whole character through the scene changes nothing.

    Args:
        find: gives the current scene and the character's collection, anew for each step: an undo replaces both.
        frames: the frames of the scene.
        vertices: (T, V, 3) float32, filled with px of the portrait; T and V are those of the frames and the mesh.

    Yields:
        the fraction that is done.

    Raises:
        AddonError: the mesh cannot be seen, or its vertices are no longer those it was built with.
    """
    done = 0
    while done < len(frames):
        scene, character = find()
        with frame_kept(scene), shown(character, character.makeittalk.body):
            until = time.monotonic() + _CHUNK
            while True:
                scene.frame_set(frames[done])
                vertices[done] = _vertices(character, vertices.shape[1])
                done += 1
                if done == len(frames) or time.monotonic() >= until:
                    break
        yield done / len(frames)


def _vertices(character: bpy.types.Collection, count: int) -> np.ndarray:
    """The vertices (count, 3) px as they are on the current frame."""
    settings = character.makeittalk
    graph = bpy.context.evaluated_depsgraph_get()
    body, root = settings.body.evaluated_get(graph), settings.rig.evaluated_get(graph)
    vertices = body.data.vertices
    if not count:
        raise AddonError(f"The mesh of {character.name} has no vertices.", "Undo that, or run Make It Talk again.")
    if len(vertices) != count:
        raise AddonError(
            f"A modifier of {character.name} changes the number of its vertices.", "Switch it off in the viewport."
        )
    try:
        to_root = np.linalg.inv(np.array(root.matrix_world, np.float64)) @ np.array(body.matrix_world, np.float64)
    except np.linalg.LinAlgError as error:
        raise AddonError(f"The rig of {character.name} is scaled to nothing.", "Clear its scale.") from error
    places = points.read(vertices).astype(np.float64) @ to_root[:3, :3].T + to_root[:3, 3]
    pixels = points_from_blender(places, np.array(settings.image_size[:]))
    if not np.isfinite(pixels).all() or np.abs(pixels).max() >= 1e6:
        raise AddonError(f"{character.name} flies out of its picture.", "Look at its curves and constraints.")
    return pixels


@contextlib.contextmanager
def frame_kept(scene: bpy.types.Scene) -> Iterator[None]:
    """Puts the playhead back."""
    frame, part = scene.frame_current, scene.frame_subframe
    try:
        yield
    finally:
        scene.frame_set(frame, subframe=part)


@contextlib.contextmanager
def shown(character: bpy.types.Collection, item: bpy.types.Object) -> Iterator[None]:
    """Has Blender evaluate an object of a character, which it does not do for what is hidden.

    Raises:
        AddonError: it is hidden by more than itself.
    """
    layer = bpy.context.view_layer
    if item.name not in layer.objects:
        raise AddonError(f"{character.name} is not in this view layer.", "Switch its collection on.")
    hidden, unseen = item.hide_viewport, item.hide_get()
    if hidden:
        item.hide_viewport = False
    if unseen:
        item.hide_set(False)
    try:
        if not item.visible_get():
            raise AddonError(f"{character.name} is hidden with its collection.", "Show the collection.")
        yield
    finally:
        if unseen:
            item.hide_set(True)
        if hidden:
            item.hide_viewport = True
