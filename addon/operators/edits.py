"""The list of edits: take one back, go to one, look for them again."""

from typing import Any, ClassVar

import bpy
from bpy.props import StringProperty

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..scene import character as characters
from ..scene import edit_list, edits
from ..scene.setup import frame_rate
from . import reasons
from .gestures import moving_reason

_SOURCES = {
    edits.OWN: "Keys of your own action",
    edits.BROUGHT_UP: "A former change of generated curves, kept above them",
    edits.PENDING: "A change of a generated curve, kept above it from the next bake on",
}


class _OfEdit(reasons.Reasoned):
    """An operator on one edit of the active character."""

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return moving_reason(context)


def _item() -> Any:
    return StringProperty(name="Edit", description="Which edit: its source, region, first and last frame, joined by |")


class MAKEITTALK_OT_revert_edit(_OfEdit, bpy.types.Operator):
    """Take this edit back: exactly these keys or differences, and nothing else"""

    bl_idname = "makeittalk.revert_edit"
    bl_label = "Revert Edit"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    item: _item()

    def execute(self, context: bpy.types.Context) -> set[str]:
        character = characters.active(context)
        try:
            edits.revert(character, edits.find(character, frame_rate(context.scene), self.item))
        except MakeItTalkError as error:
            return self.fail(context, error)
        finally:
            edit_list.forget()
            edit_list.refresh(context.scene)
        return {"FINISHED"}


class MAKEITTALK_OT_jump_to_edit(_OfEdit, bpy.types.Operator):
    """Go to the first frame of this edit and select its keys"""

    bl_idname = "makeittalk.jump_to_edit"
    bl_label = "Jump to Edit"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    item: _item()

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return f"{_SOURCES.get(properties.item.partition('|')[0], 'An edit')}. Go to its first frame, select its keys"

    def execute(self, context: bpy.types.Context) -> set[str]:
        character = characters.active(context)
        try:
            found = edits.find(character, frame_rate(context.scene), self.item)
        except MakeItTalkError as error:
            return self.fail(context, error)
        edits.select(character, found)
        context.scene.frame_set(round(found.first))
        return {"FINISHED"}


class MAKEITTALK_OT_refresh_edits(_OfEdit, bpy.types.Operator):
    """Look for edits again"""

    bl_idname = "makeittalk.refresh_edits"
    bl_label = "Refresh"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        edit_list.forget()
        edit_list.refresh(context.scene)
        return {"FINISHED"}


CLASSES = (MAKEITTALK_OT_revert_edit, MAKEITTALK_OT_jump_to_edit, MAKEITTALK_OT_refresh_edits)
