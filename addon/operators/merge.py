"""Merge Layers, for export and for rigs without NLA, and Split Layers, the way back."""

from typing import ClassVar

import bpy

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..scene import bakes, performance, upgrade
from ..scene import character as characters
from . import reasons


def _own_data_reason(character: bpy.types.Collection) -> str:
    """Why the animation of a character cannot be rewritten."""
    settings = character.makeittalk
    if settings.rig is None or settings.body is None or settings.body.data.shape_keys is None:
        return f"{character.name} has lost its mesh or its rig. Run Make It Talk again."
    if any(item.library or item.override_library for item in (settings.rig, settings.body)):
        return f"{character.name} is linked from another file. Make it local first."
    return ""


class MAKEITTALK_OT_merge(reasons.Reasoned, bpy.types.Operator):
    """Bake the generated layers and your own keys into one action, for export and for rigs without NLA"""

    bl_idname = "makeittalk.merge"
    bl_label = "Merge Layers"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        reason = reasons.busy_reason() or reasons.character_reason(context)
        if reason:
            return reason
        character = characters.active(context)
        reason = _own_data_reason(character)
        if not reason and character.makeittalk.merged:
            return f"The layers of {character.name} are merged already."
        if not reason and any(map(upgrade.legacy_layer, bakes.owners_of(character))):
            return f"{character.name} is from an older file. Press Re-bake first."
        return reason

    def execute(self, context: bpy.types.Context) -> set[str]:
        character = characters.active(context)
        try:
            performance.merge_layers(character)
        except MakeItTalkError as error:
            return self.fail(context, error)
        self.report({"INFO"}, f"{character.name} moves by one action.")
        return {"FINISHED"}


class MAKEITTALK_OT_split(reasons.Reasoned, bpy.types.Operator):
    """Lay the generated layers below the merged action again; what you changed in it stays as your own keys"""

    bl_idname = "makeittalk.split"
    bl_label = "Split Layers"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        reason = reasons.busy_reason() or reasons.character_reason(context)
        if reason:
            return reason
        character = characters.active(context)
        merged = f"{character.name} has its layers." if not character.makeittalk.merged else ""
        return _own_data_reason(character) or merged

    def execute(self, context: bpy.types.Context) -> set[str]:
        character = characters.active(context)
        try:
            performance.split(character)
        except MakeItTalkError as error:
            return self.fail(context, error)
        self.report({"INFO"}, f"{character.name} has layers again.")
        return {"FINISHED"}


CLASSES = (MAKEITTALK_OT_merge, MAKEITTALK_OT_split)
