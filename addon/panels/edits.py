"""Edits: what the animator changed, span by span, each with a way back."""

import bpy

from ..scene import character as characters
from ..scene import edit_list, edits
from .main import Sidebar
from .text import draw_sentence

_ROWS = 24  # how many are drawn: those nearest to the playhead
_ICONS = {edits.OWN: "ACTION", edits.BROUGHT_UP: "NLA", edits.PENDING: "FCURVE"}


class MAKEITTALK_PT_edits(Sidebar, bpy.types.Panel):
    bl_idname = "MAKEITTALK_PT_edits"
    bl_parent_id = "MAKEITTALK_PT_character"
    bl_label = "Edits"

    def draw_header_preset(self, _context: bpy.types.Context) -> None:
        self.layout.operator("makeittalk.refresh_edits", text="", icon="FILE_REFRESH", emboss=False)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.enabled = not context.window_manager.makeittalk.running
        character = characters.active(context)
        found = edit_list.shown(character)
        if edits.is_hidden(character):
            draw_sentence(layout, context, "While a generated layer is edited, keys on top are not listed", "INFO")
        elif not found:
            layout.label(text="Nothing is edited.")
        now = context.scene.frame_current
        near = sorted(found, key=lambda edit: max(edit.first - now, now - edit.last, 0.0))[:_ROWS]
        column = layout.column(align=True)
        for edit in sorted(near, key=lambda edit: edit.first):
            row = column.row(align=True)
            words = row.row(align=True)
            words.alignment = "LEFT"  # one under the other
            span = f"{edit.first:g}" if edit.first == edit.last else f"{edit.first:g}–{edit.last:g}"
            text = f"{span}  {edit.label}"
            icon = _ICONS[edit.source]
            words.operator("makeittalk.jump_to_edit", text=text, icon=icon, emboss=False).item = edit.uid
            button = row.row(align=True)
            button.alignment = "RIGHT"
            button.operator("makeittalk.revert_edit", text="", icon="LOOP_BACK").item = edit.uid
        if len(found) > len(near):
            draw_sentence(layout, context, f"{len(found) - len(near)} more, further from the playhead")


CLASSES = (MAKEITTALK_PT_edits,)
