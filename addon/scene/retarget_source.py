"""What a character does as Blender shows it now, for other characters to do: values of its keys, its head, its lips.

Whatever moves it counts: generated layers, the animator's own keys, drivers of the eye target, constraints.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ..core.errors import AddonError
from . import bakes, gaze, markers, points, rig, shape_keys, shown

_CLOSED, _BITTEN = ("P", "B", "M"), ("F", "V")  # phones: lips that meet, a lip on the teeth


@dataclass
class Source:
    """A character's performance in its own space: X to the viewer's right, Y away from the viewer, Z up; Blender units.

    Attributes:
        first: the frame of the first sample. names: (K,) of its keys, as they were made, residual keys included.
        current: those names as the keys are called now.
        values: (N, K), what the keys show, the eye target's share added. ranges: (K, 2), what they may show.
        rest: (68, 3), the landmarks where nothing moves them.
        basis: (K, 68, 3), what a key at 1 moves the landmarks by, its depth that of the face, not of the flat mesh.
        turns: (N, 3, 3), rotation of the head. places: (N, 3), what the head's bone has moved.
        head_size: length of the head's bone.
        closures, contact: frames from which to which P, B and M, and F and V are said, where phones are marked.
    """

    first: int
    names: list[str]
    current: list[str]
    values: np.ndarray
    ranges: np.ndarray
    rest: np.ndarray
    basis: np.ndarray
    turns: np.ndarray
    places: np.ndarray
    head_size: float
    closures: tuple[tuple[int, int], ...] = ()
    contact: tuple[tuple[int, int], ...] = ()

    @property
    def frames(self) -> int:
        """N."""
        return len(self.values)


def read(character: bpy.types.Collection, scene: bpy.types.Scene) -> Source:
    """Reads what a character does on all of its frames.

    Raises:
        AddonError: a part of it has gone, or nothing of it moves.
    """
    owners = bakes.owners_of(character)
    frames = shown.span(owners, scene)
    if frames is None:
        raise AddonError(f"Nothing of {character.name} moves.", "Press Re-bake first.")
    return read_frames(character, frames)


def read_frames(character: bpy.types.Collection, frames: tuple[int, int]) -> Source:
    """Reads what a character does from one frame to another, both included.

    Raises:
        AddonError: a part of it has gone.
    """
    root, keys = bakes.owners_of(character)
    names, places, rest, basis = _keys_of(character, keys)
    driven = {
        number: place
        for number, name in enumerate(names)
        if (place := keys.key_blocks.find(gaze.target_key(name))) >= 0 and name.startswith("eyeLook")
    }
    bone = root.pose.bones[rig.head_bone(root)]
    at_rest = np.linalg.inv(np.array(bone.bone.matrix_local))
    count = frames[1] + 1 - frames[0]
    values, poses = np.empty((count, len(keys.key_blocks)), np.float32), np.empty((count, 4, 4))
    for row, graph in enumerate(shown.evaluations((root, keys), frames)):
        keys.evaluated_get(graph).key_blocks.foreach_get("value", values[row])
        poses[row] = np.array(root.evaluated_get(graph).pose.bones[bone.name].matrix)
    found = values[:, places].astype(np.float64)
    for number, place in driven.items():
        found[:, number] += values[:, place]
    if not (np.isfinite(found).all() and np.isfinite(poses).all()):
        raise AddonError(f"{character.name} moves to places that are none.", "Look at its curves.")
    moves = poses @ at_rest
    blocks = [keys.key_blocks[place] for place in places]
    return Source(
        frames[0],
        names,
        [block.name for block in blocks],
        found,
        np.array([(block.slider_min, block.slider_max) for block in blocks]),
        rest,
        basis,
        _orthonormal(moves[:, :3, :3]),
        poses[:, :3, 3] - np.array(bone.bone.matrix_local)[:3, 3],
        bone.bone.length,
        *(tuple(_said(character, phones)) for phones in (_CLOSED, _BITTEN)),
    )


def _said(character: bpy.types.Collection, phones: tuple[str, ...]) -> list[tuple[int, int]]:
    """The frames from which to which phones are said in any of its speeches, where they are marked."""
    return [span for spoken in character.makeittalk.speeches for span in markers.spans(spoken, "PHONES", phones)]


def _keys_of(
    character: bpy.types.Collection, keys: bpy.types.Key
) -> tuple[list[str], list[int], np.ndarray, np.ndarray]:
    """Its keys' first names, their places among the blocks, the landmarks at rest and what each key moves them by."""
    mesh = bakes.mesh_of(character)
    first = [str(name) for name in mesh.key_names]
    present = shape_keys.current_names(keys, first, lambda: mesh)
    names = [name for name in first if name in present]
    places = [keys.key_blocks.find(present[name]) for name in names]
    marks = np.asarray(mesh.landmark_vertices)
    count = len(keys.key_blocks[0].data)
    if marks.max() >= count or not names:
        raise AddonError(f"The mesh of {character.name} is no longer the one it was made with.", "Undo that.")
    shapes = np.array([points.read(keys.key_blocks[place].data)[marks] for place in (0, *places)], np.float64)
    points.check(character.name, shapes)
    moves = shapes[1:] - shapes[0]
    moves[..., 1] /= mesh.depth_scale
    return names, places, shapes[0], moves


def _orthonormal(matrices: np.ndarray) -> np.ndarray:
    """The rotations (N, 3, 3) nearest to what scaled bones do."""
    left, _, right = np.linalg.svd(matrices)
    left[:, :, -1] *= np.linalg.det(left @ right)[:, None]
    return left @ right
