"""Retarget: a performance baked onto somebody else's object, or driving it, and taken off again."""

from typing import ClassVar

import bpy

from ..jobs import cues
from ..jobs.task import Task
from ..scene import character as characters
from ..scene import grease_mouths, retarget, retarget_live
from . import reasons
from .at_once import AtOnce
from .modal_job import Running


def settings_of(context: bpy.types.Context) -> bpy.types.PropertyGroup:
    """The active character's."""
    return characters.active(context).makeittalk.retarget


def list_reason(context: bpy.types.Context) -> str:
    """Why there is no list of mappings to work on."""
    reason = reasons.busy_reason() or reasons.character_reason(context)
    if reason:
        return reason
    settings = settings_of(context)
    if retarget.kind(settings.target) == retarget.MOUTHS:
        return f"{settings.target.name} is drawn: its mouths are known by their layers."
    return retarget.target_reason(settings.target)


def moving_reason(context: bpy.types.Context) -> str:
    """Why nothing can be put on the chosen targets."""
    reason = reasons.busy_reason() or reasons.character_reason(context)
    if reason:
        return reason
    settings = settings_of(context)
    if settings.target is None and settings.head_target is None:
        return "Choose a target first."
    targets = [item for item in (settings.target, settings.head_target) if item is not None]
    reason = next(filter(None, map(retarget.target_reason, targets)), "")
    if reason:
        return reason
    if retarget.kind(settings.target) == retarget.MOUTHS:
        return f"{settings.target.name} is drawn: press Bake Mouths."
    if not len(settings.rows) and not (settings.head_target is not None and settings.head_bone):
        return f"No name of {targets[0].name} is known: add rows by hand, or choose the bone of its head."
    return ""


class _Change(AtOnce):
    """What changes something of the targets at once, and says what."""

    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def run(self, context: bpy.types.Context) -> str:
        return self.change(context, characters.active(context))

    def change(self, context: bpy.types.Context, character: bpy.types.Collection) -> str:
        """Does it and returns a sentence for the user.

        Raises:
            MakeItTalkError: it cannot be done.
        """
        raise NotImplementedError


class MAKEITTALK_OT_match_retarget(_Change, bpy.types.Operator):
    """Fill in the list by the names of the target's shape keys or bones; gains and offsets of what stays are kept"""

    bl_idname = "makeittalk.match_retarget"
    bl_label = "Match"

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return list_reason(context)

    def change(self, _context: bpy.types.Context, character: bpy.types.Collection) -> str:
        settings = character.makeittalk.retarget
        count = retarget.fill(settings)
        return f"{count} of {len(retarget.names_of(settings.target))} names of {settings.target.name} are known."


class MAKEITTALK_OT_add_mapping(_Change, bpy.types.Operator):
    """Add a row to the list: choose the shape key or bone and what it means"""

    bl_idname = "makeittalk.add_mapping"
    bl_label = "Add Mapping"

    target: bpy.props.StringProperty(name="Target", description="The shape key or bone", options={"SKIP_SAVE"})
    meaning: bpy.props.StringProperty(
        name="Means", description="What it means, such as arkit:jawOpen", options={"SKIP_SAVE"}
    )

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return list_reason(context)

    def change(self, _context: bpy.types.Context, character: bpy.types.Collection) -> str:
        retarget.add_row(character.makeittalk.retarget, self.target, self.meaning)
        return "A row is added."


class MAKEITTALK_OT_remove_mapping(_Change, bpy.types.Operator):
    """Take the chosen row off the list"""

    bl_idname = "makeittalk.remove_mapping"
    bl_label = "Remove Mapping"

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return list_reason(context) or ("" if len(settings_of(context).rows) else "The list is empty.")

    def change(self, _context: bpy.types.Context, character: bpy.types.Collection) -> str:
        settings = character.makeittalk.retarget
        settings.active_row = min(settings.active_row, len(settings.rows) - 1)
        settings.rows.remove(settings.active_row)
        settings.active_row = max(0, min(settings.active_row, len(settings.rows) - 1))
        return "The row is removed."


class MAKEITTALK_OT_bake_retarget(_Change, bpy.types.Operator):
    """Write this character's performance, your own keys included, onto a layer of the target below its own animation; \
again, it replaces only what it wrote"""

    bl_idname = "makeittalk.bake_retarget"
    bl_label = "Bake"

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return moving_reason(context)

    def change(self, context: bpy.types.Context, character: bpy.types.Collection) -> str:
        count = retarget.bake(character, context.scene)
        return f"{character.name}'s performance is on {_names(character)}: {count} channels."


class MAKEITTALK_OT_drive_retarget(_Change, bpy.types.Operator):
    """Let this character drive the target, so that what you change on it acts there at once, without Python"""

    bl_idname = "makeittalk.drive_retarget"
    bl_label = "Drive"

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return moving_reason(context)

    def change(self, context: bpy.types.Context, character: bpy.types.Collection) -> str:
        count = retarget_live.drive(character, context.scene)
        return f"{character.name} drives {_names(character)}: {count} channels."


class MAKEITTALK_OT_remove_retarget(_Change, bpy.types.Operator):
    """Take what Bake or Drive made off the target, which is as it was before; the list stays"""

    bl_idname = "makeittalk.remove_retarget"
    bl_label = "Remove Retarget"

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        reason = reasons.busy_reason() or reasons.character_reason(context)
        if reason:
            return reason
        return "" if retarget.is_on(settings_of(context)) else "Nothing is on the target."

    def change(self, _context: bpy.types.Context, character: bpy.types.Collection) -> str:
        names = _names(character)
        retarget.remove(character)
        return f"The performance is off {names}."


class MAKEITTALK_OT_bake_mouths(Running, bpy.types.Operator):
    """Show the drawing of each mouth shape while it is heard, for two frames at least; the drawings stay as they are"""

    bl_idname = "makeittalk.bake_mouths"
    bl_label = "Bake Mouths"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        reason = reasons.busy_reason() or reasons.character_reason(context)
        if reason:
            return reason
        settings = settings_of(context)
        if settings.target is None:
            return "Choose a target first."
        if retarget.kind(settings.target) != retarget.MOUTHS:
            return f"{settings.target.name} is not drawn with Grease Pencil."
        return (
            retarget.target_reason(settings.target)
            or grease_mouths.reason(retarget.drawings(settings))
            or reasons.recording_reason(characters.active(context))
            or reasons.backend_reason()
        )

    def start(self, context: bpy.types.Context) -> Task:
        character = characters.active(context)
        extended = grease_mouths.extended(retarget.drawings(character.makeittalk.retarget))
        return cues.show(context, character, extended, _show_mouths)


def _show_mouths(
    context: bpy.types.Context, character: bpy.types.Collection, spoken: bpy.types.PropertyGroup, heard: list
) -> str:
    settings = character.makeittalk.retarget
    count = retarget.show_mouths(character, spoken, heard, context.scene)
    return f"{settings.target.name} speaks: its mouth changes {count} times."


def _names(character: bpy.types.Collection) -> str:
    settings = character.makeittalk.retarget
    found = dict.fromkeys(item.name for item in (settings.target, settings.head_target) if item is not None)
    return " and ".join(found)


CLASSES = (
    MAKEITTALK_OT_match_retarget,
    MAKEITTALK_OT_add_mapping,
    MAKEITTALK_OT_remove_mapping,
    MAKEITTALK_OT_bake_retarget,
    MAKEITTALK_OT_drive_retarget,
    MAKEITTALK_OT_remove_retarget,
    MAKEITTALK_OT_bake_mouths,
)
