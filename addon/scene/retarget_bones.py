"""A performance on the bones of a face, as Rigify names them: the jaw turns, lips, brows and lids move.

Lips and brows move by what our landmarks do, in widths of the mouth that the bones have; lids by how far each is from
what it meets. What a bone of the lips does already because the jaw turns is measured on the rig itself and taken
off, so that it counts once whatever the rig's constraints are.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator

import bpy
import numpy as np
from mathutils import Matrix

from .. import compat
from ..core import head_axes
from ..core.retarget_names import MEANINGS
from ..core.retarget_performance import Performance
from . import layers, retarget_head
from .actions import Channel

#: Meaning → the landmarks whose mean it follows; L is the person's left, which the viewer sees on the right.
_LIPS = {
    **{"lip.T": (51, 62), "lip.B": (57, 66), "lips.L": (54,), "lips.R": (48,)},
    **{"lip.T.L": (52,), "lip.T.L.001": (53,), "lip.T.R": (50,), "lip.T.R.001": (49,)},
    **{"lip.B.L": (56,), "lip.B.L.001": (55,), "lip.B.R": (58,), "lip.B.R.001": (59,)},
}
_BROWS = {"L": (22, 23, 24, 25, 26), "R": (21, 20, 19, 18, 17)}  # from the nose outwards
_CHAIN = re.compile(r"(brow|lid)\.([TB])\.([LR])(\.\d+)?$")
_JAW, _EYES, _CHIN = "jaw_master", "eyes", 8
_LOOK = 0.5  # rad that an eye turns by where a key of the gaze is 1
_TEST = 0.2  # rad that the jaw is turned by, to see what follows it
_WIDEST = 0.9  # rad: no jaw opens further
_LID = {"T": 0.85, "B": 0.15}  # how much of the way the upper and the lower lid go
_WIDE = 0.25  # of the same way, back, for eyes wide open
_ANGLE, _PLACE = 1e-3, 2e-3  # rad, mouth widths that leaving keys out may cost


def channels(
    performance: Performance, armature: bpy.types.Object, rows: dict[str, tuple[str, float, float]]
) -> list[Channel]:
    """What the bones of a face do.

    Args:
        rows: bone → meaning, gain, offset (of the way that the bone goes, in mouth widths downwards, or of the jaw's
            turn in radians).
    """
    bones = {name: armature.data.bones[name] for name in rows}
    axes = _axes(armature)
    places = {name: axes.T @ np.array(bone.head_local) for name, bone in bones.items()}
    words = {name: MEANINGS[meaning].name for name, (meaning, _, _) in rows.items()}
    width = _mouth_width(words, places)
    # x right, y down, z away of the frontal frame as the face's X right, Y away, Z up.
    moves = performance.landmarks[..., [0, 2, 1]] * (1.0, 1.0, -1.0) * width
    found: list[Channel] = []
    follow: dict[str, np.ndarray] = {}
    turn = np.zeros(performance.frames)
    jaw = next((name for name, word in words.items() if word == _JAW), None)
    if jaw is not None:
        _, gain, offset = rows[jaw]
        reach = max(float(np.linalg.norm(_tip(bones[jaw], axes) - places[jaw])), 0.25 * width)
        drop = np.maximum(0.0, -moves[:, _CHIN, 2])
        turn = np.clip(np.arcsin(np.clip(drop / reach, 0.0, 0.8)) * gain + offset, -_WIDEST, _WIDEST)
        found += _turned(armature, jaw, axes, turn)
        follow = _following(armature, jaw, axes, rows)
    for name, (_, gain, offset) in rows.items():
        moved = _moved(words, places, name, performance, moves, width)
        if moved is None or name == jaw:
            continue
        moved = moved * gain
        moved[:, 2] -= offset * width
        moved -= turn[:, None] / _TEST * follow.get(name, np.zeros(3))
        found += _placed(armature, name, axes, moved, width)
    return found


def _axes(armature: bpy.types.Object) -> np.ndarray:
    """The axes of the face in the armature's space, (3, 3) in columns."""
    name = retarget_head.guess_bone(armature)
    if not name:
        turned = np.array(armature.matrix_world.to_quaternion().to_matrix(), float)
        return np.asarray(turned.T @ head_axes.guess_facing(None))
    return np.asarray(
        np.array(armature.data.bones[name].matrix_local.to_3x3(), float) @ retarget_head.axes(armature, name)
    )


def _mouth_width(words: dict[str, str], places: dict[str, np.ndarray]) -> float:
    """From corner to corner of the bones' mouth; where it has none, a third of the way that they all span."""
    corners = [place for name, place in places.items() if words[name] in ("lips.L", "lips.R")]
    if len(corners) == 2:
        return max(float(np.linalg.norm(corners[0] - corners[1])), 1e-4)
    return max(float(np.ptp([place[0] for place in places.values()])) / 3.0, 1e-4)


def _tip(bone: bpy.types.Bone, axes: np.ndarray) -> np.ndarray:
    return np.asarray(axes.T @ np.array(bone.tail_local))


def _moved(
    words: dict[str, str],
    places: dict[str, np.ndarray],
    name: str,
    performance: Performance,
    moves: np.ndarray,
    width: float,
) -> np.ndarray | None:
    """How a bone goes from its place (N, 3), in the face's axes; None for one that has no place to go to."""
    word = words[name]
    if word in _LIPS:
        return np.asarray(moves[:, _LIPS[word]].mean(axis=1))
    if word == _EYES:
        return _gaze(words, places, name, performance, width)
    found = _CHAIN.match(word)
    if found is None:
        return None
    kind, row, side = found.group(1, 2, 3)
    if kind == "brow":
        chain = sorted(
            (item for item in words if words[item].startswith(f"brow.T.{side}")), key=lambda item: abs(places[item][0])
        )
        share = chain.index(name) / max(1, len(chain) - 1) * 4.0
        low = min(3, int(share))
        first, second = moves[:, _BROWS[side][low]], moves[:, _BROWS[side][low + 1]]
        return np.asarray(first * (1.0 - (share - low)) + second * (share - low))
    other = {"T": "B", "B": "T"}[row]
    facing = [places[item] for item in words if words[item].startswith(f"lid.{other}.{side}")]
    if not facing:
        return None
    meets = min(facing, key=lambda place: abs(place[0] - places[name][0]))
    way = meets - places[name]
    if (way[2] > 0.0) != (row == "B"):  # a corner, where the lids meet already
        return np.zeros((performance.frames, 3))
    shut, wide = (_key(performance, f"eye{what}{'Left' if side == 'L' else 'Right'}") for what in ("Blink", "Wide"))
    return np.asarray((np.clip(shut, 0.0, 1.0) - _WIDE * wide)[:, None] * _LID[row] * way)


def _gaze(
    words: dict[str, str], places: dict[str, np.ndarray], name: str, performance: Performance, width: float
) -> np.ndarray:
    """How the target that the eyes look at goes aside (N, 3), in the face's axes."""
    lids = [place[1] for item, place in places.items() if words[item].startswith("lid.")]
    away = abs(float(np.mean(lids)) - places[name][1]) if lids else 4.0 * width
    left, right = (
        [_key(performance, f"eyeLook{way}{side}") for way in ("Out", "In", "Up", "Down")] for side in ("Left", "Right")
    )
    across, up = left[0] + right[1] - left[1] - right[0], left[2] + right[2] - left[3] - right[3]
    return np.stack([across, np.zeros_like(up), up], axis=1) * 0.5 * np.tan(_LOOK) * away


def _key(performance: Performance, name: str) -> np.ndarray:
    return performance.keys.get(name, np.zeros(performance.frames))


def _following(
    armature: bpy.types.Object, jaw: str, axes: np.ndarray, rows: dict[str, tuple[str, float, float]]
) -> dict[str, np.ndarray]:
    """How far each bone goes where the jaw turns by `_TEST`, (3,) in the face's axes; the pose is put back."""
    pose, layer = armature.pose.bones, bpy.context.view_layer
    turn = Matrix(_in_bone(armature, jaw, axes, np.array([_TEST]))[0].tolist()).to_4x4()
    with _still(armature, rows):
        before = {name: pose[name].matrix_basis.copy() for name in rows}
        found = []
        try:
            for name in rows:
                pose[name].matrix_basis = Matrix()
            for basis in (Matrix(), turn):
                pose[jaw].matrix_basis = basis
                layer.update()
                found.append({name: np.array(pose[name].head) for name in rows})
        finally:
            for name, basis in before.items():
                pose[name].matrix_basis = basis
            layer.update()
    return {name: axes.T @ (found[1][name] - found[0][name]) for name in rows}


@contextlib.contextmanager
def _still(armature: bpy.types.Object, names: Iterable[str]) -> Iterator[None]:
    """Lets neither curves nor drivers move some bones, which would undo what is tried with them."""
    animation = armature.animation_data
    if animation is None:
        yield
        return
    layers.leave_tweak_mode(armature)
    action, slot = animation.action, animation.action_slot if compat.SLOTTED_ACTIONS else None
    played = animation.use_nla
    paths = tuple(f'pose.bones["{bpy.utils.escape_identifier(name)}"].' for name in names)
    driven = [curve for curve in animation.drivers if curve.data_path.startswith(paths) and not curve.mute]
    try:
        animation.action, animation.use_nla = None, False
        for curve in driven:
            curve.mute = True
        yield
    finally:
        animation.action, animation.use_nla = action, played
        if slot is not None:
            animation.action_slot = slot
        for curve in driven:
            curve.mute = False


def _in_bone(armature: bpy.types.Object, name: str, axes: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Turns about the axis from ear to ear, which open a jaw, as a bone's own rotations (N, 3, 3)."""
    turns = head_axes.matrices(np.stack([turn, np.zeros_like(turn), np.zeros_like(turn)], axis=1))
    rest = np.array(armature.data.bones[name].matrix_local.to_3x3(), float)
    return head_axes.turned_bone(turns, rest.T @ axes)


def _turned(armature: bpy.types.Object, name: str, axes: np.ndarray, turn: np.ndarray) -> Iterator[Channel]:
    bone = armature.pose.bones[name]
    kind, values = head_axes.channels(_in_bone(armature, name, axes, turn), bone.rotation_mode)
    path = f'pose.bones["{bpy.utils.escape_identifier(name)}"].{kind}'
    return (Channel(path, index, column, _ANGLE) for index, column in enumerate(values.T))


def _placed(
    armature: bpy.types.Object, name: str, axes: np.ndarray, moved: np.ndarray, width: float
) -> Iterator[Channel]:
    rest = np.array(armature.data.bones[name].matrix_local.to_3x3(), float)
    path = f'pose.bones["{bpy.utils.escape_identifier(name)}"].location'
    values = moved @ axes.T @ rest
    return (Channel(path, index, column, _PLACE * width) for index, column in enumerate(values.T))
