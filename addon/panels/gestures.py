"""Animate on top: gestures at the playhead, and the curves to edit."""

import bpy

from ..core.gestures import GESTURES
from ..operators.gestures import MAKEITTALK_OT_gesture
from .main import Sidebar
from .text import draw_sentence

_ROWS = (("NOD", "SHAKE"), ("BROWS", "SMILE"), ("FROWN", "SURPRISE"))
_SIDES = (("TILT", ("LEFT", "RIGHT")), ("LOOK_AWAY", ("LEFT", "RIGHT", "UP", "DOWN")))
_ARROWS = {"LEFT": "TRIA_LEFT", "RIGHT": "TRIA_RIGHT", "UP": "TRIA_UP", "DOWN": "TRIA_DOWN"}


class MAKEITTALK_PT_gestures(Sidebar, bpy.types.Panel):
    bl_idname = "MAKEITTALK_PT_gestures"
    bl_parent_id = "MAKEITTALK_PT_character"
    bl_label = "Animate on Top"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.enabled = not context.window_manager.makeittalk.running
        reason = MAKEITTALK_OT_gesture.disabled_reason(context)
        if reason:
            draw_sentence(layout, context, reason, "INFO")
            return
        column = layout.column(align=True)
        for kinds in _ROWS:
            row = column.row(align=True)
            for kind in kinds:
                row.operator("makeittalk.gesture", text=GESTURES[kind].label).kind = kind
        column = layout.column(align=True)
        for kind, directions in _SIDES:
            row = column.row(align=True)
            row.label(text=GESTURES[kind].label)
            for direction in directions:
                button = row.operator("makeittalk.gesture", text="", icon=_ARROWS[direction])
                button.kind, button.direction = kind, direction
        row = column.row(align=True)
        row.label(text="Blink")
        row.operator("makeittalk.gesture", text="", icon="ADD").kind = "BLINK"
        row.operator("makeittalk.remove_blink", text="", icon="REMOVE")
        row.operator("makeittalk.move_blink", text="", icon="BACK").frames = -6
        row.operator("makeittalk.move_blink", text="", icon="FORWARD").frames = 6
        layout.operator("makeittalk.hold_still", icon="PAUSE")
        row = layout.row(align=True)
        row.operator("makeittalk.edit_curves", text="Head Curves", icon="GRAPH").part = "HEAD"
        row.operator("makeittalk.edit_curves", text="Face Curves", icon="GRAPH").part = "FACE"
        row.operator_menu_enum("makeittalk.edit_generated", "layer", text="", icon="DOWNARROW_HLT")


CLASSES = (MAKEITTALK_PT_gestures,)
