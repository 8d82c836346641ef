"""One ordinary action in the place of layers, and the way back: what it says beyond the layers laid on top of them.

What the animator's own action says is kept meanwhile: on the way back it lies on top again as it was, but for what was
changed in the merged one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import bpy
import numpy as np

from ...backend.makeittalk.exchange import bounded_json
from .. import compat
from ..core.errors import AddonError
from . import actions, curve_data, layers, speech
from .actions import Channel
from .shown import Shown, clips, path_and_index, read, span

_AMOUNTS = tuple(dict.fromkeys(name for part in (*layers.FACE, *layers.HEAD) for name in part.amounts))
_OTHER_TOLERANCE = 1e-4  # of what is neither a shape key nor the head: custom properties, other bones
_SAME = 1e-6  # what two readings of one curve may differ by: Blender's floats
_NOISE = 2.5  # tolerances: what key reduction, once below and once above, leaves of a difference that nobody made


def merge(
    character: bpy.types.Collection,
    owners: tuple[bpy.types.Object, bpy.types.Key],
    scene: bpy.types.Scene,
    tolerances: dict[str, float],
) -> None:
    """Puts one action of the character's name in the place of its layers and of all that lies on them.

    Everything moves as before. `split` is the way back, for which the animator's own curves are kept.

    Args:
        owners: the rig and the mesh's shape keys. tolerances: identifier → what leaving keys out may cost.

    Raises:
        AddonError: nothing of the character moves.
    """
    for owner in owners:
        layers.leave_tweak_mode(owner)
    frames = span(owners, scene)
    if frames is None:
        raise AddonError(f"Nothing of {character.name} moves.", "Press Re-bake first.")
    old = _actions_of(owners)
    _keep(character, owners)
    made = write(owners, read(owners, frames, set()), tolerances, character.name)
    for owner in owners:
        _remove_tracks(owner)
    _tidy(old)
    for action in made:
        action.name = character.name
    amounts = character.makeittalk.rig.makeittalk
    character.makeittalk.merged = json.dumps({name: getattr(amounts, name) for name in _AMOUNTS})


def split(
    character: bpy.types.Collection,
    owners: tuple[bpy.types.Object, bpy.types.Key],
    scene: bpy.types.Scene,
    generated: set[str],
    tolerances: dict[str, float],
    write_layers: Callable[[], None],
) -> None:
    """Lays the generated layers below a merged character's action again, which becomes what it says beyond them.

    Everything moves as before; amounts that were changed meanwhile act.

    Args:
        owners, tolerances: as `merge` has them. generated: identifiers of what the layers move.
        write_layers: writes the layers.
    """
    settings, amounts = character.makeittalk, character.makeittalk.rig.makeittalk
    for owner in owners:
        layers.leave_tweak_mode(owner)
    begin, end = speech.span(character)
    first, last = span(owners, scene) or (begin, end)
    frames = min(first, begin), max(last, end)
    shown = read(owners, frames, generated)
    old = _actions_of(owners)
    held = _take_off(owners)
    changed = {name: getattr(amounts, name) for name in _AMOUNTS}
    for name, value in _merged_amounts(settings.merged).items():
        setattr(amounts, name, value)
    layers.prepare_own_layer(owners[0], owners[1], character.name)
    for owner in owners:
        compat.assign_slot(owner)
    if not _bring_back(character, owners):
        _take_over(owners, held, generated)  # keyed amounts before the layers that they scale
    write_layers()
    _lay_on_top(owners, shown, held, generated, tolerances)
    _take_over(owners, held, generated, shown)
    _tidy(old)
    settings.merged = ""
    for name, value in changed.items():
        setattr(amounts, name, value)


def _keep(character: bpy.types.Collection, owners: Sequence[bpy.types.ID]) -> None:
    """Keeps what the actions say that datablocks play by themselves. An action that stayed would be exported too."""
    curves = [
        [curve_data.read(curve) for curve in actions.by_identifier(compat.assigned_curves(owner)).values()]
        for owner in owners
    ]
    character.makeittalk.own_curves = json.dumps(curves) if any(curves) else ""


def _bring_back(character: bpy.types.Collection, owners: Sequence[bpy.types.ID]) -> bool:
    """Gives datablocks' actions the curves that were kept; False where there are none, or they were tampered with."""
    text, character.makeittalk.own_curves = character.makeittalk.own_curves, ""
    try:
        kept = bounded_json.loads(text or "[]")
        for owner, curves in zip(owners, kept, strict=False):
            for data in curves:
                curve_data.write(compat.assigned_curves(owner), data)
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError):
        for owner in owners:
            for curve in actions.by_identifier(compat.assigned_curves(owner)).values():
                compat.assigned_curves(owner).fcurves.remove(curve)
        return False
    return bool(kept)


def write(
    owners: Sequence[bpy.types.ID], shown: Sequence[Shown], tolerances: dict[str, float], name: str, without: str = ""
) -> list[bpy.types.Action]:
    """Gives datablocks one action, a slot each, that says what was shown; before 4.4 an action each.

    A curve of the present action that alone says what was shown is taken over key by key. The NLA is left as it is.

    Args:
        tolerances: identifier → what leaving keys out may cost. name: of the action.
        without: what the paths of curves begin with that are left out.

    Returns:
        The new actions.
    """
    made: list[bpy.types.Action] = []
    for owner, seen in zip(owners, shown, strict=True):
        animation = owner.animation_data_create()
        old = actions.by_identifier(compat.assigned_curves(owner))
        shared = compat.assign_action(owner, name, made[0] if made else None)
        if shared not in made:
            made.append(shared)
        holder = compat.assigned_curves(owner)
        animation.action_blend_type, animation.action_extrapolation = "REPLACE", "HOLD"
        animation.action_influence = 1.0
        wanted = [item for item in seen.groups if item in seen.samples and not (without and item.startswith(without))]
        kept = {item for item in wanted if item in old and _says(old[item], seen, item)}
        _write_curves(holder, seen, [item for item in wanted if item not in kept], tolerances)
        for item in kept:
            curve_data.copy(old[item], holder)
    return made


def _take_off(owners: Sequence[bpy.types.ID]) -> list[Any]:
    """Takes every track from datablocks, and their actions.

    Returns:
        For each of them what holds the curves of the action it had, which stays until `_tidy`.
    """
    held = []
    for owner in owners:
        held.append(compat.assigned_curves(owner))
        _remove_tracks(owner)
        if owner.animation_data is not None:
            owner.animation_data.action = None
    return held


def _remove_tracks(owner: bpy.types.ID) -> None:
    """Takes every track from a datablock."""
    animation = owner.animation_data
    for track in list(animation.nla_tracks) if animation is not None else ():
        track.is_solo = False  # else Blender goes on playing nothing but the one that has gone
        animation.nla_tracks.remove(track)


def _actions_of(owners: Sequence[bpy.types.ID]) -> set[bpy.types.Action]:
    """Every action that datablocks play, by themselves or by strips, those inside of meta strips too."""
    found = set()
    for animation in (owner.animation_data for owner in owners):
        if animation is not None:
            found |= {strip.action for track in animation.nla_tracks for strip in clips(track.strips)}
            found.add(animation.action)
    return found - {None}


def _tidy(old: set[bpy.types.Action]) -> None:
    """Removes actions that nobody plays any more; one that somebody keeps by a fake user stays, if it is his."""
    for action in old:
        if action.users - (action.use_fake_user and layers.PART in action) == 0:
            bpy.data.actions.remove(action)


def _take_over(
    owners: Sequence[bpy.types.ID], held: Sequence[Any], generated: set[str], shown: Sequence[Shown] | None = None
) -> None:
    """Copies the curves of nothing that is generated into the actions that datablocks play now, key by key.

    Args:
        held: what `_take_off` gave. generated: identifiers.
        shown: what was shown; curves that say it already stay, and those that `held` has no more go.
    """
    for number, (owner, old) in enumerate(zip(owners, held, strict=True)):
        holder, given = compat.assigned_curves(owner), actions.by_identifier(old)
        present = actions.by_identifier(holder) if shown is not None else {}
        for name in present.keys() - given.keys() - generated:
            holder.fcurves.remove(present[name])
        for name in given.keys() - generated:
            seen = shown[number] if shown is not None else None
            if seen is None or name not in present or not _says(present[name], seen, name):
                curve_data.copy(given[name], holder)


def _lay_on_top(
    owners: Sequence[bpy.types.ID],
    wanted: Sequence[Shown],
    held: Sequence[Any],
    generated: set[str],
    tolerances: dict[str, float],
) -> None:
    """Writes into the actions on top of layers what has to be added so that `wanted` is shown again.

    A curve there that shows it already, together with the layers, stays key by key.

    Args:
        wanted: what shall be shown. held, generated: as `_take_over` has them.
    """
    last = wanted[0].first + max(len(row) for seen in wanted for row in seen.samples.values()) - 1
    frames = wanted[0].first, last

    def beyond() -> list[dict[str, np.ndarray]]:
        found = []
        for aim, lower, old in zip(wanted, read(owners, frames, set()), held, strict=True):
            found.append({})
            for name in aim.samples.keys() - (actions.by_identifier(old).keys() - generated):
                difference = aim.samples[name] - lower.samples.get(name, 0.0)
                if name in lower.samples:
                    difference[np.abs(difference) <= _NOISE * tolerances.get(name, _OTHER_TOLERANCE)] = 0.0
                if difference.any():
                    found[-1][name] = difference
        return found

    missing = beyond()
    holders = [compat.assigned_curves(owner) for owner in owners]
    outdated = [
        (holder, curve)
        for holder, names in zip(holders, missing, strict=True)
        for name, curve in actions.by_identifier(holder).items()
        if name in names
    ]
    for holder, curve in outdated:
        holder.fcurves.remove(curve)
    if outdated:
        missing = beyond()
    for holder, aim, found in zip(holders, wanted, missing, strict=True):
        _remove_idle_keys(_write_curves(holder, Shown(aim.first, found, aim.groups), sorted(found), tolerances))


def _remove_idle_keys(curves: Sequence[bpy.types.FCurve]) -> None:
    """Removes keys of 0 between keys of 0, each of which would be listed as an edit that nobody made."""
    for curve in curves:
        points = curve.keyframe_points
        values = np.empty(len(points) * 2, np.float32)
        points.foreach_get("co", values)
        silent = np.pad(np.abs(values[1::2]) <= _SAME, 1, constant_values=True)
        for number in np.flatnonzero(silent[1:-1] & silent[:-2] & silent[2:])[::-1]:
            points.remove(points[int(number)], fast=True)
        curve.update()


def _merged_amounts(text: str) -> dict[str, float]:
    """The amounts that were kept when layers were merged; none where the property was tampered with."""
    try:
        found = {str(name): float(value) for name, value in bounded_json.loads(text).items() if name in _AMOUNTS}
        return {name: value for name, value in found.items() if math.isfinite(value)}
    except (ValueError, TypeError, AttributeError):
        return {}


def _says(curve: bpy.types.FCurve, seen: Shown, name: str) -> bool:
    """Whether a curve alone says what was shown."""
    if curve.mute or name not in seen.samples:
        return False
    says = [curve.evaluate(seen.first + number) for number in range(len(seen.samples[name]))]
    return bool(np.abs(np.array(says) - seen.samples[name]).max() <= _SAME)


def _write_curves(holder: Any, seen: Shown, names: list[str], tolerances: dict[str, float]) -> list[bpy.types.FCurve]:
    """Writes samples as curves of an action, without the ends where nothing moves; its other curves stay."""
    if not names:
        return []
    table = np.stack([seen.samples[name] for name in names], axis=1)
    moving = np.flatnonzero((np.abs(np.diff(table, axis=0)) > _SAME).any(axis=1))
    first, last = (int(moving[0]), int(moving[-1]) + 1) if len(moving) else (0, 0)
    channels = [
        Channel(
            *path_and_index(name),
            table[first : last + 1, column],
            tolerances.get(name, _OTHER_TOLERANCE),
        )
        for column, name in enumerate(names)
    ]
    written = actions.add(holder, channels)
    actions.move(written, seen.first + first)
    return written
