"""A character's head on a bone of somebody else's armature, whatever way that bone lies at rest."""

from __future__ import annotations

import re

import bpy
import numpy as np

from ..core import head_axes
from ..core.errors import AddonError
from . import retarget_layer
from .actions import Channel
from .retarget_source import Source

_AHEAD = (re.compile(r"eye|jaw|chin|nose|mouth|lip", re.IGNORECASE), re.compile(r"toe|ball", re.IGNORECASE))
_FOOT = re.compile(r"foot|ankle", re.IGNORECASE)
_LEAST = 0.05  # of the bone's length: what lies less far ahead of it tells nothing
_ANGLE = 1e-3  # rad that leaving keys out may cost
_PLACE = 1e-3  # of the bone's length
AUTO = "AUTO"


def guess_bone(armature: bpy.types.Object) -> str:
    """The likeliest bone of an armature for the head; empty where none looks like one."""
    return head_axes.guess_bone([bone.name for bone in armature.data.bones])


def axes(armature: bpy.types.Object, name: str, forward: str = AUTO, up: str = AUTO) -> np.ndarray:
    """The axes of the face that a bone carries, (3, 3) in columns, in the bone's own space.

    Args:
        forward, up: keys of `head_axes.AXES`, the bone's own; `AUTO` is what its rest pose tells.

    Raises:
        AddonError: both are one line.
    """
    guessed = _world(armature, name).T @ head_axes.guess_facing(_ahead(armature, name))
    if AUTO == forward == up:
        return np.asarray(guessed)
    ahead = -guessed[:, 1] if forward == AUTO else head_axes.AXES[forward]
    above = guessed[:, 2] if up == AUTO else head_axes.AXES[up]
    try:
        return head_axes.facing(ahead, above)
    except ValueError as error:
        raise AddonError("The head cannot look up along its own axis.", "Choose another Forward or Up.") from error


def guessed_names(armature: bpy.types.Object, name: str) -> tuple[str, str]:
    """The bone's own axes that are nearest to the way its face looks and to what is above it."""
    found = axes(armature, name)
    nearest = lambda wanted: max(head_axes.AXES, key=lambda item: float(head_axes.AXES[item] @ wanted))  # noqa: E731
    return nearest(-found[:, 1]), nearest(found[:, 2])


def channels(
    source: Source,
    armature: bpy.types.Object,
    name: str,
    turn: float = 1.0,
    move: float = 0.0,
    forward: str = AUTO,
    up: str = AUTO,
) -> list[Channel]:
    """What a bone has to do for its face to turn as the source's does.

    Args:
        turn: angles are multiplied with it. move: how far it goes from its place, 0 for not; 1 by as many lengths of
            the head's bone as the source's. forward, up: as `axes` has them.

    Raises:
        AddonError: there is no such bone, or the axes are one line.
    """
    bone = armature.pose.bones.get(name)
    if bone is None:
        raise AddonError(f"{armature.name} has no bone {name}.", "Choose another bone.")
    own = axes(armature, name, forward, up)
    turns = head_axes.turned_bone(head_axes.scaled(source.turns, turn), own)
    kind, values = head_axes.channels(turns, bone.rotation_mode)
    path = f'pose.bones["{bpy.utils.escape_identifier(name)}"]'
    found = [Channel(f"{path}.{kind}", index, column, _ANGLE) for index, column in enumerate(values.T)]
    if move and not bone.bone.use_connect:
        length = bone.bone.length
        places = source.places @ own.T * (move * length / max(source.head_size, 1e-6))
        found += [Channel(f"{path}.location", index, column, _PLACE * length) for index, column in enumerate(places.T)]
    return found


def bake(source: Source, armature: bpy.types.Object, name: str, character: str, **how: float | str) -> None:
    """Lays the head's motion below what an armature does by itself; `how` is what `channels` takes.

    Raises:
        AddonError: as `channels` does.
    """
    retarget_layer.write(
        armature, retarget_layer.HEAD, channels(source, armature, name, **how), character, source.first
    )


def _world(armature: bpy.types.Object, name: str) -> np.ndarray:
    """The bone's axes at rest, (3, 3) in columns, in the world; an armature that lies on its side stands on it."""
    turned = armature.matrix_world.to_quaternion().to_matrix() @ armature.data.bones[name].matrix_local.to_3x3()
    return np.array(turned, float)


def _ahead(armature: bpy.types.Object, name: str) -> np.ndarray | None:
    """Where the face looks, in the world: to its eyes and mouth, else where the toes point; None where nothing says."""
    bones, place = armature.data.bones, np.array(armature.matrix_world, float)

    def world(points: list[np.ndarray]) -> np.ndarray:
        return np.asarray(np.mean(points, axis=0) @ place[:3, :3].T + place[:3, 3])

    head = bones[name]
    start, end = world([np.array(head.head_local)]), world([np.array(head.tail_local)])
    marks = [np.array(bone.head_local) for bone in head.children_recursive if _AHEAD[0].search(bone.name)]
    if marks:
        ahead = world(marks) - (start if abs(end[2] - start[2]) < 1e-9 else start + (end - start) * 0.5)
    else:
        toes = [np.array(bone.head_local) for bone in bones if _AHEAD[1].search(bone.name)]
        feet = [np.array(bone.head_local) for bone in bones if _FOOT.search(bone.name)]
        if not toes or not feet:
            return None
        ahead = world(toes) - world(feet)
    ahead[2] = 0.0
    size = float(np.linalg.norm(end - start))
    return ahead if np.linalg.norm(ahead) > _LEAST * size else None
