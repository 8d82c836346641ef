"""Drivers that a retarget puts on somebody else's object: made of sums that Blender computes without Python, and gone
without a trace.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import bpy

from ...backend.makeittalk.exchange import bounded_json
from ..core import regions
from ..core.errors import AddonError
from . import shown

STATE = "makeittalk_driven"  # custom property of the driven datablock: what its values were before, JSON
MAX_EXPRESSION = 255  # letters that Blender keeps of one


@dataclass
class Variable:
    """What a driver reads: a property of a datablock by its path, or a part of a bone's pose where `bone` is named.

    Attributes:
        name: in the expression. owner: the datablock. path: of the property, or the part of the pose, such as ROT_X.
        bone: its name.
    """

    name: str
    owner: bpy.types.ID
    path: str
    bone: str = ""


@dataclass
class Driven:
    """One value that is driven: its path and index, and what computes it."""

    path: str
    index: int
    expression: str
    variables: Sequence[Variable]

    @property
    def identifier(self) -> str:
        return f"{self.path}[{self.index}]"


def write(owner: bpy.types.ID, driven: Sequence[Driven]) -> None:
    """Drives values of a datablock, in the place of what an earlier retarget drove there.

    Raises:
        AddonError: one of them has a driver of somebody else's; nothing was changed.
    """
    check(owner, [item.identifier for item in driven])
    remove(owner)
    before = {item.identifier: _get(owner, item.path, item.index) for item in driven}
    for item in driven:
        array = hasattr(owner.path_resolve(item.path), "__len__")
        curve = owner.driver_add(item.path, item.index) if array else owner.driver_add(item.path)
        driver = curve.driver
        for wanted in item.variables:
            _add(driver, wanted)
        driver.type, driver.expression = "SCRIPTED", item.expression
    owner[STATE] = json.dumps(before)


def check(owner: bpy.types.ID, identifiers: Iterable[str]) -> None:
    """Sees to it that values of a datablock can be driven or keyed.

    Raises:
        AddonError: one of them has a driver of somebody else's, which would go or silence the curve.
    """
    animation = owner.animation_data
    theirs = {f"{curve.data_path}[{curve.array_index}]" for curve in (animation.drivers if animation else ())}
    taken = [item for item in identifiers if item in theirs - _state(owner).keys()]
    if taken:
        path, _ = shown.path_and_index(taken[0])
        raise AddonError(
            f"{regions.quoted(path) or path} of {owner.name} has a driver already.",
            "Remove that driver, or switch its row off.",
        )


def remove(owner: bpy.types.ID) -> int:
    """Takes a retarget's drivers off a datablock and puts its values back.

    Returns:
        How many there were.
    """
    state, animation = _state(owner), owner.animation_data
    if STATE in owner:
        del owner[STATE]
    if animation is None:
        return 0
    gone = [curve for curve in animation.drivers if f"{curve.data_path}[{curve.array_index}]" in state]
    for curve in gone:
        animation.drivers.remove(curve)
    for identifier, value in state.items():
        shown.put(owner, identifier, value)
    if animation.action is None and not len(animation.nla_tracks) and not len(animation.drivers):
        owner.animation_data_clear()
    return len(gone)


def is_driven(owner: bpy.types.ID) -> bool:
    """Whether a retarget drives something of a datablock."""
    return STATE in owner


def sources(owner: bpy.types.ID) -> set[bpy.types.ID]:
    """What a retarget's drivers of a datablock read from."""
    state, animation = _state(owner), owner.animation_data
    return {
        place.id
        for curve in (animation.drivers if animation is not None else ())
        if f"{curve.data_path}[{curve.array_index}]" in state
        for variable in curve.driver.variables
        for place in variable.targets
        if place.id is not None
    }


def _state(owner: bpy.types.ID) -> dict[str, float]:
    try:
        found = bounded_json.loads(str(owner.get(STATE, "{}")))
        return {str(name): float(value) for name, value in found.items() if math.isfinite(float(value))}
    except (AttributeError, TypeError, ValueError):
        return {}


def _get(owner: bpy.types.ID, path: str, index: int) -> float:
    value = owner.path_resolve(path)
    return float(value[index] if hasattr(value, "__len__") else value)


def _add(driver: bpy.types.Driver, wanted: Variable) -> None:
    variable = driver.variables.new()
    variable.name = wanted.name
    if wanted.bone:
        variable.type = "TRANSFORMS"
        place = variable.targets[0]
        place.id, place.bone_target = wanted.owner, wanted.bone
        place.transform_space, place.transform_type = "LOCAL_SPACE", wanted.path
        if wanted.path.startswith("ROT_"):
            place.rotation_mode = "QUATERNION"
        return
    variable.type = "SINGLE_PROP"
    place = variable.targets[0]
    place.id_type = wanted.owner.id_type
    place.id, place.data_path = wanted.owner, wanted.path
