"""A character that drives somebody else's: sums of its keys in place of what the solver finds frame by frame.

The sums are fitted to what the solver answers for the performance, and for every key by itself, so that an edit acts
that the performance knows nothing of. What opens the lips, and what closes them again, is multiplied with how far the
character's own are open.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np

from ..core import few_terms, head_axes
from ..core.errors import AddonError
from ..core.retarget_solve import solve
from . import (
    bakes,
    gaze,
    retarget,
    retarget_bones,
    retarget_drive,
    retarget_head,
    retarget_layer,
    retarget_values,
    rig,
    shape_keys,
)
from .retarget_drive import Driven, Variable
from .retarget_source import Source, read
from .setup import frame_rate

_TERMS = 6  # of a sum
_BONE_TERMS = 12  # of what moves a bone of a face
_PROBE = 0.5  # value of a key at which it is asked what it does to a bone
_GAP_TERMS = 8  # of what tells how far the lips are open
_ALONE = (0.4, 1.0)  # values at which every key is asked for by itself
_OPENS = 0.03  # mouth widths that a key of the target moves the lips by, apart or together, if it is to be held
_SHUT, _OPEN = 0.02, 0.1  # mouth widths that the character's lips are apart: from none to all of it
_UPPER, _LOWER = 62, 66  # landmarks in the middle of the inner lips
_RESIDUAL, _JAW = "residual", "jawOpen"


def drive(character: bpy.types.Collection, scene: bpy.types.Scene) -> int:
    """Puts drivers on the targets, in the place of what an earlier run wrote there.

    Returns:
        How many values are driven.

    Raises:
        AddonError: something has a driver already, or cannot be driven; nothing was changed.
    """
    settings = character.makeittalk.retarget
    source = read(character, scene)
    wanted: dict[bpy.types.ID, list[Driven]] = {}
    if retarget.kind(settings.target) == retarget.KEYS and len(settings.rows):
        wanted[retarget.owner_of(settings.target)] = list(_keys(character, source, frame_rate(scene)))
    if retarget.kind(settings.target) == retarget.BONES and len(settings.rows):
        wanted[settings.target] = list(_bones(character, source, frame_rate(scene)))
    if settings.head_target is not None and settings.head_bone:
        wanted.setdefault(settings.head_target, []).extend(_head(character, source))
    if not any(wanted.values()):
        raise AddonError("There is nothing to drive.", "Choose a target, or an armature for the head.")
    for owner, driven in wanted.items():
        retarget_drive.check(owner, [item.identifier for item in driven])
    for owner in retarget.owners(settings):
        retarget_layer.remove(owner)
        retarget_drive.remove(owner)
    for owner, driven in wanted.items():
        if driven:
            retarget_drive.write(owner, driven)
    return sum(map(len, wanted.values()))


def _keys(character: bpy.types.Collection, source: Source, fps: float) -> Iterator[Driven]:
    """What drives the target's shape keys."""
    settings, keys = character.makeittalk.retarget, bakes.keys_of(character)
    rows = retarget.meanings(settings)
    target = retarget_values.target(settings.target, {name: row.meaning for name, row in rows.items()})
    named = [number for number, name in enumerate(source.names) if not name.startswith(_RESIDUAL)]
    values = np.concatenate([source.values, *(_alone(source, named, share) for share in _ALONE)])
    solved = solve(retarget_values.performance(source, fps, values), target)
    weights = few_terms.fit(values[:, named], solved, _TERMS)
    gap = _Gap(source, values)
    parts = target.gaps.mean(axis=1)
    opens = parts > _OPENS
    if float(target.rest_gap.mean()) < _OPENS:  # what closes presses lips into each other that meet at rest
        opens |= parts < -_OPENS
    blocks = settings.target.data.shape_keys.key_blocks
    for column, (name, row) in enumerate(rows.items()):
        chosen = [(named[place], weights[place, column]) for place in np.flatnonzero(weights[:, column])]
        block = blocks[name]
        expression, variables = _Sum(source, keys).of(
            *(chosen, gap if opens[column] else None),
            *(row.gain, row.offset, block.slider_min, block.slider_max),
        )
        if chosen or row.offset:
            yield Driven(shape_keys.value_path(name), 0, expression, variables)


def _bones(character: bpy.types.Collection, source: Source, fps: float) -> Iterator[Driven]:
    """What drives the bones of a face: all but the turn of the jaw is a sum of the keys anyway."""
    settings, keys = character.makeittalk.retarget, bakes.keys_of(character)
    rows = {name: (row.meaning, row.gain, row.offset) for name, row in retarget.meanings(settings).items()}
    probe = np.concatenate([np.zeros((1, len(source.names))), np.eye(len(source.names)) * _PROBE])
    performance = retarget_values.performance(source, fps, probe)
    usual = np.sqrt((source.values**2).mean(axis=0)) + 0.05  # an edit may move what rests now
    for channel in retarget_bones.channels(performance, settings.target, rows):
        base, slopes = channel.samples[0], (channel.samples[1:] - channel.samples[0]) / _PROBE
        weight = np.abs(slopes) * usual
        chosen = [int(place) for place in np.argsort(-weight)[:_BONE_TERMS] if weight[place] > 0.1 * channel.tolerance]
        if channel.identifier.endswith("quaternion[0]") or not (chosen or abs(base) > channel.tolerance):
            continue
        expression, variables = _Sum(source, keys).plain([(place, float(slopes[place])) for place in chosen], base)
        yield Driven(channel.path, channel.index, expression, variables)


def _alone(source: Source, named: list[int], share: float) -> np.ndarray:
    """Each named key by itself, as far as it goes times `share`."""
    found = np.zeros((len(named), len(source.names)))
    found[range(len(named)), named] = np.minimum(source.ranges[named, 1], 1.0) * share
    if _JAW in source.names:  # what shuts lips does so in a mouth that the jaw opens
        shuts = found @ _gap_slopes(source) < -_SHUT
        found[shuts, source.names.index(_JAW)] = share
    return found


def _gap_slopes(source: Source) -> np.ndarray:
    """(K,) what each key at 1 parts the middle of the lips by, mouth widths."""
    width = float(np.linalg.norm(source.rest[54] - source.rest[48]))
    return np.asarray((source.basis[:, _UPPER, 2] - source.basis[:, _LOWER, 2]) / width)


class _Gap:
    """How far the character's lips are apart, mouth widths, as a sum of its keys.

    Attributes:
        rest: where all keys are 0. terms: places of keys with what each adds at 1, the most important first.
    """

    def __init__(self, source: Source, values: np.ndarray) -> None:
        width = float(np.linalg.norm(source.rest[54] - source.rest[48]))
        slopes = _gap_slopes(source)
        self.rest = float(source.rest[_UPPER, 2] - source.rest[_LOWER, 2]) / width
        weight = np.abs(slopes) * np.sqrt((source.values**2).mean(axis=0) + 1e-3 * (values**2).mean(axis=0))
        self.terms = [
            (int(place), float(slopes[place])) for place in np.argsort(-weight)[:_GAP_TERMS] if weight[place] > 0
        ]


class _Sum:
    """An expression with its variables, as short as Blender needs it."""

    def __init__(self, source: Source, keys: bpy.types.Key) -> None:
        self.source, self.keys = source, keys
        self.variables: dict[str, Variable] = {}

    def of(
        self,
        terms: list[tuple[int, float]],
        gap: _Gap | None,
        gain: float,
        offset: float,
        low: float,
        high: float,
    ) -> tuple[str, list[Variable]]:
        """Terms × how far the lips are open × gain + offset, between two ends; the last terms go where that is long."""
        count = len(gap.terms) if gap is not None else 0
        while True:
            self.variables = {}
            total = self._sum([(place, weight * gain) for place, weight in terms]) or "0"
            if gap is not None and terms:
                slope = 1.0 / (_OPEN - _SHUT)
                inner = self._sum([(place, weight * slope) for place, weight in gap.terms[:count]])
                sign = "" if inner.startswith("-") else "+"
                total = f"({total})*max(0,min(1,{(gap.rest - _SHUT) * slope:.3g}{sign}{inner}))"
            shift = f"{offset:+.3g}" if offset else ""
            expression = f"max({low:.3g},min({high:.3g},{total}{shift}))"
            if len(expression) <= retarget_drive.MAX_EXPRESSION:
                return expression, list(self.variables.values())
            if count > 2:
                count -= 1
            else:
                terms = terms[:-1]

    def plain(self, terms: list[tuple[int, float]], base: float) -> tuple[str, list[Variable]]:
        """The sum of terms and a number; the last terms go where it is too long."""
        while True:
            self.variables = {}
            expression = f"{base:.4g}{self._sum(terms, sign=True)}"
            if len(expression) <= retarget_drive.MAX_EXPRESSION:
                return expression, list(self.variables.values())
            terms = terms[:-1]

    def _sum(self, terms: list[tuple[int, float]], sign: bool = False) -> str:
        text = ""
        for place, weight in terms:
            for name in self._names(place):
                text += f"{weight:+.3g}*{name}"
        return text if sign else text.removeprefix("+")

    def _names(self, place: int) -> Iterator[str]:
        """The variables of a key: its own, and that of what the eye target adds to it."""
        current = self.source.current[place]
        for prefix, block in (("k", current), ("t", gaze.target_key(self.source.names[place]))):
            if prefix == "t" and (block == current or block not in self.keys.key_blocks):
                continue
            name = f"{prefix}{place}"
            self.variables[name] = Variable(name, self.keys, shape_keys.value_path(block))
            yield name


def _head(character: bpy.types.Collection, source: Source) -> Iterator[Driven]:
    """What drives the bone of the head: exactly, but for Euler angles with a gain, which are within a degree or two."""
    settings, root = character.makeittalk.retarget, character.makeittalk.rig
    armature, name = settings.head_target, settings.head_bone
    bone, head = armature.pose.bones.get(name), rig.head_bone(root)
    if bone is None:
        raise AddonError(f"{armature.name} has no bone {name}.", "Choose another bone.")
    if bone.rotation_mode == head_axes.AXIS_ANGLE:
        raise AddonError(f"{name} turns by axis and angle.", "Set its rotation mode to Quaternion to drive it.")
    rest = np.array(root.data.bones[head].matrix_local.to_3x3())
    across = retarget_head.axes(armature, name, settings.head_forward, settings.head_up) @ rest
    path = f'pose.bones["{bpy.utils.escape_identifier(name)}"]'
    turns = [Variable(letter, root, f"ROT_{letter.upper()}", head) for letter in "xyz"]
    if settings.head_turn and bone.rotation_mode == head_axes.QUATERNION:
        yield Driven(f"{path}.rotation_quaternion", 0, "w", [Variable("w", root, "ROT_W", head)])
        for axis in range(3):
            yield Driven(f"{path}.rotation_quaternion", axis + 1, _combined(across[axis] * settings.head_turn), turns)
    elif settings.head_turn == 1.0:
        turns.append(Variable("w", root, "ROT_W", head))
        for axis, expression in enumerate(_euler(across, bone.rotation_mode)):
            yield Driven(f"{path}.rotation_euler", axis, expression, turns)
    elif settings.head_turn:
        for axis in range(3):
            yield Driven(f"{path}.rotation_euler", axis, _combined(2.0 * across[axis] * settings.head_turn), turns)
    if settings.head_move and not bone.bone.use_connect:
        scale = settings.head_move * bone.bone.length / max(source.head_size, 1e-6)
        places = [Variable(letter, root, f"LOC_{letter.upper()}", head) for letter in "xyz"]
        for axis in range(3):
            yield Driven(f"{path}.location", axis, _combined(across[axis] * scale), places)


def _euler(across: np.ndarray, order: str) -> list[str]:
    """The angles about X, Y and Z of a quaternion w, x, y, z whose axis is turned by `across`, (3, 3), as expressions.

    They are those of `head_axes.eulers`, with the quaternion in the place of the matrix.
    """
    i, j, k = ("XYZ".index(letter) for letter in order)
    even = (j - i) % 3 == 1
    a, b, c = (f"({_combined(across[axis])})" for axis in (i, j, k))
    plus, turned = ("+", "") if even else ("-", "-")
    found = ["", "", ""]
    found[i] = f"{turned}atan2({b}*{c}{plus}w*{a},0.5-{a}*{a}-{b}*{b})"
    found[j] = f"{turned}asin(2*({turned}w*{b}-{a}*{c}))"
    found[k] = f"{turned}atan2({a}*{b}{plus}w*{c},0.5-{b}*{b}-{c}*{c})"
    return found


def _combined(weights: np.ndarray) -> str:
    terms = [f"{weight:+.4f}*{letter}" for weight, letter in zip(weights, "xyz", strict=True) if abs(weight) > 5e-5]
    return "".join(terms).removeprefix("+") or "0"
