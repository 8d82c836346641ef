"""A motion as pictures in either style: the mesh alone, or with a network that repairs the face."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from ..exchange import formats
from ..mesh.deform import landed
from ..mesh.depth_restore import DEFAULT_RELIEF, restore_depth
from .photo import PhotoRenderer, motion_vertices
from .seen_turns import fitting_relief
from .warp import Warper

if TYPE_CHECKING:
    from ..networks.image_inference import ImageModel


@contextmanager
def motion_frames(
    mesh: formats.Mesh,
    rgba: np.ndarray,
    motion: formats.Motion,
    model: ImageModel | None = None,
    filmed: bool = False,
) -> Iterator[tuple[Iterator[np.ndarray], tuple[int, int]]]:
    """The pictures of a motion.

    Args:
        mesh: the character's. rgba: (H, W, 4) uint8, its portrait. motion: of it, at the rate of the pictures.
        model: the network of photoreal frames; the mesh alone without one.
        filmed: whether the landmarks were seen in a film of this very face, so that each keeps its place.

    Yields:
        the pictures (height, width, 4) uint8, straight alpha, one at a time, and their width and height.

    Raises:
        InputError: the mesh belongs to a portrait of another size.
    """
    if model is not None:
        shares = fitting_relief(mesh, rgba)
        with PhotoRenderer(mesh, rgba, model) as photo:
            yield photo.frames(_seen(mesh, motion, filmed, shares)), (photo.width, photo.height)
        return
    with Warper(mesh, rgba) as warper:
        # A drawing moves as it does in Blender, where the plane keeps its flattened relief.
        frames = warper.frames(motion)
        if filmed:
            frames = (warper.draw(moved) for moved in _seen(mesh, motion, True, DEFAULT_RELIEF))
        yield frames, (warper.width, warper.height)


def _seen(
    mesh: formats.Mesh, motion: formats.Motion, filmed: bool, shares: tuple[float, float]
) -> Iterator[np.ndarray]:
    """The vertices (V, 3) px of each picture, the head turned with its whole relief."""
    for index, vertices in enumerate(motion_vertices(mesh, motion)):
        whole = restore_depth(mesh, vertices[None], shares)[0]
        yield landed(mesh, whole, motion.landmarks[index]) if filmed else whole
