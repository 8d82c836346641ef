"""A character's performance on somebody else's object: what can take it, its list, and baking it.

The performance is read as Blender shows the character now, the animator's own keys included; see `retarget_source`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import bpy
import numpy as np

from ...backend.makeittalk.exchange.cues import Cue
from ..core.errors import AddonError
from ..core.retarget_names import MEANINGS, match
from ..core.retarget_preset import HIGHEST, Head, Preset, Row
from . import (
    grease_mouths,
    parts,
    retarget_bones,
    retarget_drive,
    retarget_head,
    retarget_layer,
    retarget_values,
    shape_keys,
)
from .actions import Channel
from .retarget_source import Source, read
from .setup import frame_rate

_TOLERANCE = 2e-3  # of a shape key's value that leaving keys out may cost
_MECHANISM = ("DEF-", "ORG-", "MCH-", "WGT-", "VIS-")  # what Rigify's names of bones that are no controls begin with
KEYS, BONES, MOUTHS = "KEYS", "BONES", "MOUTHS"


def kind(item: bpy.types.Object | None) -> str:
    """What of an object takes a performance: its `KEYS`, its `BONES`, its drawn `MOUTHS`; empty for nothing."""
    if item is None:
        return ""
    if item.type == "MESH":
        return KEYS if item.data.shape_keys is not None and len(item.data.shape_keys.key_blocks) > 1 else ""
    if item.type == "ARMATURE":
        return BONES
    return MOUTHS if grease_mouths.is_drawing(item) else ""


def can_take(item: bpy.types.Object) -> bool:
    """Whether an object can be a target: it has keys, bones or drawings, and is no part of a character of ours."""
    return bool(kind(item)) and parts.PART not in item


def names_of(item: bpy.types.Object) -> list[str]:
    """The shape keys, or the bones, of a target."""
    if kind(item) == KEYS:
        return [block.name for block in item.data.shape_keys.key_blocks[1:]]
    return [bone.name for bone in item.data.bones] if kind(item) == BONES else []


def target_reason(item: bpy.types.Object | None) -> str:
    """Why an object cannot take a performance."""
    if item is None:
        return "Choose a target first."
    if parts.PART in item:
        return f"{item.name} is a character of MakeItTalk's own, which speaks by itself."
    if not kind(item):
        return f"{item.name} has no shape keys, bones or drawings."
    if not item.users_scene:
        return f"{item.name} was deleted: choose another target."
    owner = owner_of(item)
    for block in (item, owner):
        if block.library is not None:
            file = bpy.path.basename(block.library.filepath)
            return f"{item.name} is linked from {file}: make it local, or choose Object, Library Override, Make."
    return ""


def owner_of(item: bpy.types.Object) -> bpy.types.ID:
    """What carries the curves of a target's face."""
    found = item.data.shape_keys if kind(item) == KEYS else item.data if kind(item) == MOUTHS else item
    assert found is not None, "what has a kind has that"
    return found


def owners(settings: bpy.types.PropertyGroup) -> list[bpy.types.ID]:
    """Every datablock that the chosen targets' curves are on."""
    found = [owner_of(settings.target)] if kind(settings.target) else []
    if kind(settings.target) == MOUTHS:
        found.append(settings.target)
    if settings.head_target is not None and settings.head_target not in found:
        found.append(settings.head_target)
    return found


def drawings(settings: bpy.types.PropertyGroup) -> dict[str, str] | dict[str, int]:
    """What shows each mouth shape of a drawn target: a layer's name, or a frame."""
    if settings.mouths == "LAYERS":
        return grease_mouths.layers_of(settings.target)
    return grease_mouths.frames_of(settings.target)


def choose(settings: bpy.types.PropertyGroup) -> None:
    """Fills in the list for a target that was just chosen, and its armature for the head."""
    settings.rows.clear()
    item = settings.target
    if item is None:
        return
    if kind(item) in (KEYS, BONES):
        fill(settings)
    if settings.head_target is None:
        armature = item if item.type == "ARMATURE" else item.find_armature() or item.parent
        carries = armature is not None and armature.type == "ARMATURE" and can_take(armature)
        if carries and retarget_head.guess_bone(armature):
            settings.head_target = armature


def choose_head(settings: bpy.types.PropertyGroup) -> None:
    """Names the likeliest bone of an armature that was just chosen."""
    armature = settings.head_target
    if armature is not None and settings.head_bone not in armature.data.bones:
        settings.head_bone = retarget_head.guess_bone(armature)


def fill(settings: bpy.types.PropertyGroup) -> int:
    """Makes the list anew from the target's names; gains and offsets of rows that stay are kept.

    Returns:
        How many of the names mean something.
    """
    known = {row.target: (row.gain, row.offset, row.use) for row in settings.rows}
    bones, names = kind(settings.target) == BONES, names_of(settings.target)
    if bones:  # an animator's own: what a rig moves by itself is not keyed
        names = [name for name in names if not name.startswith(_MECHANISM)]
    found = match(names, bones=bones).meanings
    settings.rows.clear()
    for target, meaning in found.items():
        row = add_row(settings, target, meaning)
        if target in known:
            row.gain, row.offset, row.use = known[target]
    return len(found)


def add_row(settings: bpy.types.PropertyGroup, target: str = "", meaning: str = "") -> bpy.types.PropertyGroup:
    """Puts one more row at the end of the list, which is the active one from then on."""
    row = settings.rows.add()
    row.name = row.target = target
    row.meaning = meaning
    settings.active_row = len(settings.rows) - 1
    return row


def meanings(settings: bpy.types.PropertyGroup) -> dict[str, bpy.types.PropertyGroup]:
    """The rows that move something, by the target's name; of two for one name the last.

    Raises:
        AddonError: there are none, or a row says what nothing means.
    """
    there = set(names_of(settings.target))
    used = {row.target: row for row in settings.rows if row.use and row.meaning and row.target in there}
    for row in used.values():
        if row.meaning not in MEANINGS:
            raise AddonError(f"{row.target} has a meaning that is not known: {row.meaning}.", "Choose one of the list.")
        if not (abs(row.gain) <= HIGHEST and abs(row.offset) <= HIGHEST):  # NaN is neither
            raise AddonError(f"The gain or the offset of {row.target} is no number.", "Type another one.")
    if not used:
        raise AddonError(f"Nothing of {settings.target.name} is in the list.", "Press Match, or add rows by hand.")
    return used


def preset(settings: bpy.types.PropertyGroup) -> Preset:
    """The list and the head's bone, for a file."""
    rows = [Row(row.target, row.meaning, row.gain, row.offset, row.use) for row in settings.rows if row.target]
    how = (settings.head_turn, settings.head_move, settings.head_forward, settings.head_up)
    return Preset(rows, Head(settings.head_bone, *how))


def take_preset(settings: bpy.types.PropertyGroup, given: Preset) -> int:
    """Puts a preset in the place of the list; a bone that the armature lacks is left out.

    Returns:
        How many rows the target has no key or bone for; they stay in the list, and move nothing.
    """
    settings.rows.clear()
    for item in given.rows:
        row = add_row(settings, item.target, item.meaning)
        row.gain, row.offset, row.use = item.gain, item.offset, item.on
    head = given.head
    if settings.head_target is not None and head.bone in settings.head_target.data.bones:
        settings.head_bone = head.bone
    settings.head_turn, settings.head_move = head.turn, head.move
    settings.head_forward, settings.head_up = head.forward, head.up
    there = set(names_of(settings.target)) if settings.target is not None else set()
    return sum(item.target not in there for item in given.rows)


def bake(character: bpy.types.Collection, scene: bpy.types.Scene) -> int:
    """Writes the performance onto layers of the targets, in the place of what an earlier run wrote there.

    Returns:
        How many shape keys and bones move.

    Raises:
        AddonError: something stands in the way; nothing was changed.
    """
    settings = character.makeittalk.retarget
    source = read(character, scene)
    written = [*_face(settings, source, frame_rate(scene)), *_head(settings, source)]
    if not written:
        raise AddonError("There is nothing to bake.", "Choose a target, or an armature for the head.")
    for owner, _, channels in written:
        retarget_drive.check(owner, [channel.identifier for channel in channels])
    for owner in owners(settings):
        retarget_drive.remove(owner)
        retarget_layer.remove(owner)
    for owner, part, channels in written:
        retarget_layer.write(owner, part, channels, character.name, source.first, character.makeittalk.every_frame)
    return len({channel.path for _, _, channels in written for channel in channels})


def show_mouths(
    character: bpy.types.Collection, spoken: bpy.types.PropertyGroup, heard: Sequence[Cue], scene: bpy.types.Scene
) -> int:
    """Shows the target's drawings by what is heard in a speech.

    Returns:
        How many times the mouth changes.

    Raises:
        AddonError: drawings are missing.
    """
    settings, shapes = character.makeittalk.retarget, drawings(character.makeittalk.retarget)
    show = grease_mouths.show_layers if settings.mouths == "LAYERS" else grease_mouths.show_frames
    if reason := target_reason(settings.target) or grease_mouths.reason(shapes):
        raise AddonError(reason, "Choose another target.")
    grease_mouths.remove(settings.target)
    return show(settings.target, shapes, heard, frame_rate(scene), character.name, spoken.start)


def remove(character: bpy.types.Collection) -> int:
    """Takes layers and drivers off the targets, which are as they were then.

    Returns:
        How many strips and drivers went.
    """
    settings, count = character.makeittalk.retarget, 0
    for owner in owners(settings):
        count += retarget_drive.remove(owner)
    if kind(settings.target) == MOUTHS:
        count += grease_mouths.remove(settings.target)
    return count + sum(retarget_layer.remove(owner) for owner in owners(settings))


def let_go(character: bpy.types.Collection) -> None:
    """Takes a character's drivers off every object: it goes. What it baked stays, as curves do."""
    keys = character.makeittalk.body.data.shape_keys if character.makeittalk.body is not None else None
    sources = {character.makeittalk.rig, keys} - {None}
    for owner in (*bpy.data.shape_keys, *bpy.data.objects):
        if retarget_drive.is_driven(owner) and sources & retarget_drive.sources(owner):
            retarget_drive.remove(owner)


def is_on(settings: bpy.types.PropertyGroup) -> bool:
    """Whether the targets have a performance on them."""
    return any(retarget_layer.is_baked(owner) or retarget_drive.is_driven(owner) for owner in owners(settings))


def _face(
    settings: bpy.types.PropertyGroup, source: Source, fps: float
) -> Iterator[tuple[bpy.types.ID, retarget_layer.Part, list[Channel]]]:
    """What the target's keys or bones do."""
    item = settings.target
    if kind(item) not in (KEYS, BONES) or (kind(item) == BONES and not len(settings.rows)):
        return
    rows = meanings(settings)
    if kind(item) == BONES:
        wanted = {name: (row.meaning, row.gain, row.offset) for name, row in rows.items()}
        moved = retarget_bones.channels(retarget_values.performance(source, fps), item, wanted)
        if moved:
            yield item, retarget_layer.FACE, moved
        return
    values = retarget_values.solve(source, item, {name: row.meaning for name, row in rows.items()}, fps)
    channels = []
    for name, row in rows.items():
        block = item.data.shape_keys.key_blocks[name]
        samples = np.clip(values[name] * row.gain + row.offset, block.slider_min, block.slider_max)
        channels.append(Channel(shape_keys.value_path(name), 0, samples, _TOLERANCE))
    yield owner_of(item), retarget_layer.FACE, channels


def _head(
    settings: bpy.types.PropertyGroup, source: Source
) -> Iterator[tuple[bpy.types.ID, retarget_layer.Part, list[Channel]]]:
    armature = settings.head_target
    if armature is None or not settings.head_bone:
        return
    how = (settings.head_turn, settings.head_move, settings.head_forward, settings.head_up)
    yield armature, retarget_layer.HEAD, retarget_head.channels(source, armature, settings.head_bone, *how)
